"""Whatever is given as a sound becomes one channel at the rate that is asked for, or one clear error."""

import io
import re

import numpy as np
import pytest
import soundfile

from mmlm_audio.reading import load_sound
from mmlm_audio.wav import wav_bytes
from mmlm_core.errors import DataError

RATE = 16000
SECOND = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * 0.5


def encoded(samples=SECOND, rate=RATE, kind="WAV", subtype=None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def load(item, rate=RATE, most=30.0, cut=False):
    return load_sound(item, rate, most, cut)


def refused(item, message, **options):
    with pytest.raises(DataError) as caught:
        load(item, **options)
    assert re.fullmatch(message, str(caught.value)), str(caught.value)


@pytest.mark.parametrize(("kind", "error"), [("WAV", 1e-4), ("FLAC", 1e-4), ("OGG", 0.05), ("MP3", 0.05)])
def test_every_format_gives_the_same_sound(kind, error):
    samples = load(encoded(kind=kind))
    assert samples.dtype == np.float32 and abs(len(samples) - RATE) <= 2000
    middle = slice(2000, 12000)  # MP3 begins and ends with silence of its own
    shift = min(range(-1200, 1200), key=lambda by: np.abs(samples[middle] - np.roll(SECOND, by)[middle]).max())
    assert np.abs(samples[middle] - np.roll(SECOND, shift)[middle]).max() < error


def test_a_path_its_bytes_and_both_mappings_are_the_same_sound(tmp_path):
    content = encoded()
    (tmp_path / "a.wav").write_bytes(content)
    array = soundfile.read(io.BytesIO(content))[0]
    same = [tmp_path / "a.wav", str(tmp_path / "a.wav"), content, bytearray(content), {"bytes": content, "path": None},
            {"bytes": None, "path": str(tmp_path / "a.wav")}, {"array": array, "sampling_rate": RATE},
            {"array": array.tolist(), "sampling_rate": float(RATE), "path": "a.wav"}]  # fmt: skip
    assert all(np.array_equal(load(item), load(content)) for item in same)


def test_integers_of_any_width_are_shares_of_their_range():
    for given in (np.int16([0, 16384, -32768]), np.int32([0, 2**30, -(2**31)]), np.uint8([128, 192, 0])):
        assert load({"array": given, "sampling_rate": RATE}).tolist() == [0.0, 0.5, -1.0]


def test_channels_are_averaged():
    stereo = np.stack([SECOND, np.zeros(RATE)], 1)
    assert np.allclose(load(encoded(stereo)), SECOND / 2, atol=1e-4)
    assert np.allclose(load({"array": stereo, "sampling_rate": RATE}), SECOND / 2)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_a_sound_of_any_rate_keeps_its_pitch_and_its_length(rate):
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 0.5
    samples = load(encoded(tone, rate))
    assert abs(len(samples) - RATE) <= 1
    assert np.abs(samples - SECOND[: len(samples)])[1000:-1000].max() < 0.01


def test_resampling_filters_what_the_lower_rate_cannot_hold():
    high = np.sin(2 * np.pi * 6000 * np.arange(RATE) / RATE)
    assert np.abs(load({"array": high, "sampling_rate": RATE}, rate=8000)[500:-500]).max() < 1e-3


def test_a_longer_sound_is_refused_or_cut():
    refused(encoded(), "a sound given as bytes is 1 seconds long; `most_seconds` of the sound encoder is 0.5: raise that, "
                       "or cut with `encoder.audio.cut=true`.", most=0.5)  # fmt: skip
    refused({"array": SECOND, "sampling_rate": RATE}, "a sound is 1 seconds long; .*", most=0.5)
    for item in (encoded(), {"array": SECOND, "sampling_rate": RATE}):
        assert np.allclose(load(item, most=0.5, cut=True), SECOND[: RATE // 2], atol=1e-4)


def test_a_small_file_cannot_fill_the_memory():
    import tracemalloc

    hour = encoded(np.zeros(8000 * 3600, dtype=np.int16), 8000, "FLAC")
    assert len(hour) < 200_000
    tracemalloc.start()
    refused(hour, ".* is 3,600 seconds long; .*")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8000 * 60 * 4


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (b"", "a sound given as bytes is empty: zero bytes."),
        (b"no sound at all", "a sound given as bytes cannot be read as a sound: .*"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a sound given as bytes cannot be read as a sound: .*"),
        (wav_bytes(np.zeros(0), 8000), "a sound given as bytes has no samples: a sound of zero seconds."),
        ({"array": np.zeros(0), "sampling_rate": 8000}, "a sound has no samples: a sound of zero seconds."),
        ({"array": np.zeros((0, 2)), "sampling_rate": 8000}, "a sound has no samples: a sound of zero seconds."),
        ({"array": [0.0, float("nan"), float("inf")], "sampling_rate": 2},
         "a sound has 2 of 3 samples that are not finite; the first at 0.500 seconds."),
        ({"array": np.zeros((2, 100)), "sampling_rate": 8000},
         r"a sound must have the shape \[samples\] or \[samples, channels\], not 2 x 100. Transposed, it has."),
        ({"array": 3.0, "sampling_rate": 8000}, r"a sound must have the shape .*, not that of a number."),
        ({"array": ["a", "b"], "sampling_rate": 8000}, "a sound must hold real numbers, not the type .*"),
        ({"array": [[1.0], [1.0, 2.0]], "sampling_rate": 8000}, "a sound cannot be read as an array: .*"),
        ({"array": SECOND}, "`sampling_rate` of a sound must be a whole number of samples per second, not None."),
        ({"array": SECOND, "sampling_rate": 0}, "`sampling_rate` of a sound must be a whole number .*, not 0."),
        ({"array": SECOND, "sampling_rate": float("nan")}, "`sampling_rate` of a sound must be .*, not nan."),
        ({"sampling_rate": 8000}, "A sound must be a path, bytes, or a mapping .*, not dict."),
        ({"bytes": None, "path": None}, "A sound must be a path, bytes, .*, not NoneType."),
        (3.5, "A sound must be a path, bytes, or a mapping with `array` and `sampling_rate`, not float."),
        ("nowhere/a.wav", "`nowhere/a.wav` cannot be opened: No such file or directory."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_gives_one_clear_error(item, message):
    refused(item, message)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "FLAC", "OGG"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.98])
def test_a_truncated_file_is_told_wherever_it_ends(kind, share):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE)
    content = encoded(noise, kind=kind)
    assert len(load(content)) == RATE
    refused(
        content[: int(len(content) * share)], "a sound given as bytes (is truncated: .*|cannot be read as a sound: .*)"
    )


def test_a_wav_that_was_streamed_and_does_not_know_its_length_is_read():
    content = encoded()
    place = content.index(b"data") + 4
    streamed = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
    assert np.array_equal(load(streamed), load(content))


def test_a_float_file_with_samples_that_are_no_numbers_is_refused():
    samples = SECOND.copy()
    samples[8000] = np.nan
    refused(
        encoded(samples, subtype="FLOAT"), ".* has 1 of 16,000 samples that are not finite; the first at 0.500 seconds."
    )
