"""The sounds made by code say what their target says."""

import io

import numpy as np
import pytest
import soundfile

from mmlm_audio.tones import _SEMITONES, RATES, TonesSource
from mmlm_audio.tones_options import LETTERS, TonesOptions
from mmlm_core.errors import DataError, OptionError


def rows(split="train", **options):
    return TonesSource(TonesOptions(**options)).read(split)


def decoded(row):
    return soundfile.read(io.BytesIO(row.inputs["audio"][0]))


def test_a_row_follows_from_the_seed_its_split_and_its_number_alone():
    assert rows()[7] == rows(rows=100)[7] == rows()[5:9][2]
    assert rows()[7] != rows("test")[7] and rows()[7].inputs != rows(seed=1)[7].inputs


def test_every_letter_and_every_rate_comes_up_and_lengths_keep_their_range():
    some = [rows(least=2, most=5)[index] for index in range(200)]
    assert {letter for row in some for letter in row.target} == set(LETTERS)
    assert {len(row.target) for row in some} == {2, 3, 4, 5}
    assert {decoded(row)[1] for row in some} == set(RATES)
    assert any(a == b for row in some for a, b in zip(row.target, row.target[1:], strict=False))


def test_a_single_tone_has_the_frequency_of_its_letter():
    """By the largest peak of its spectrum among multiples of the frequencies of all letters of one note."""
    seen = set()
    for index in range(200):
        row = rows(least=1, most=1, noise=0.0, detune=0.0)[index]
        if len(_SEMITONES[row.target]) > 1:
            continue
        samples, rate = decoded(row)
        size = 8 * len(samples)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
        peak = spectrum.argmax() * rate / size
        expected = 440 * 2 ** ((_SEMITONES[row.target][0] - 9) / 12)
        assert abs(1200 * np.log2(peak / expected)) < 40, row.target
        seen.add(row.target)
    assert len(seen) == 8


def test_noise_and_detuning_are_what_they_say():
    plain, noisy = (decoded(rows(noise=noise)[3])[0] for noise in (0.0, 10.0))
    assert np.abs(plain).max() <= 0.91 and not np.allclose(plain, noisy)


def test_splits_are_sized_and_unknown_ones_refused():
    source = TonesSource(TonesOptions(rows=40))
    assert [len(source.read(split)) for split in source.splits()] == [40, 4, 4]
    with pytest.raises(DataError, match=r"`data=tones` has no split `tests`. Did you mean `test`\?"):
        source.read("tests")
    with pytest.raises(OptionError, match=r"`least` must be at most `most`, which is 8, not 9\."):
        TonesOptions(least=9)
