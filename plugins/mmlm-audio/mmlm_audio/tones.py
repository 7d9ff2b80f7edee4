"""The data source `tones`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mmlm_audio.tones_options import CHORDS, LETTERS, TONES, TonesOptions
from mmlm_audio.wav import wav_bytes
from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example

__all__ = ["ToneRows", "TonesSource"]

SPLITS = ("train", "validation", "test")

RATES = (8000, 11025, 16000)
"""Samples per second: a sound has any of these."""

_MIDDLE_C = 440 * 2 ** (-9 / 12)
_SEMITONES = {
    **dict(zip(TONES, ((0,), (2,), (4,), (5,), (7,), (9,), (11,), (12,)), strict=True)),
    **dict(zip(CHORDS, ((0, 4, 7), (2, 5, 9), (5, 9, 12), (7, 11, 14)), strict=True)),
}
"""The notes of each letter, in semitones above middle C."""


class TonesSource(DataSource):
    """Sequences of tones and chords, of any speed, timbre, loudness and sample rate, with noise.

    A row is made when it is read, from the seed, its split and its number alone.

    Args:
        options: The options.
    """

    def __init__(self, options: TonesOptions) -> None:
        self.options = options

    def splits(self) -> list[str]:
        """Return all three."""
        return list(SPLITS)

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split.
        """
        if split not in SPLITS:
            raise DataError(f"`data=tones` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(SPLITS)}")
        return ToneRows(self.options, split, range(self.options.rows // (1 if split == "train" else 10)))


@dataclass(frozen=True)
class ToneRows(Sequence[Example]):
    """Some rows of a split, made as they are asked for."""

    options: TonesOptions
    split: str
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> ToneRows: ...

    def __getitem__(self, place: int | slice) -> Example | ToneRows:
        """Return a row, its sound as the bytes of a WAV file; or, for a slice, some rows."""
        if isinstance(place, slice):
            return replace(self, numbers=self.numbers[place])
        number = self.numbers[place]
        # NumPy promises the same numbers in every later version for this generator alone (NEP 19).
        random = np.random.RandomState([self.options.seed, SPLITS.index(self.split), number])
        count = random.randint(self.options.least, self.options.most + 1)
        letters = "".join(LETTERS[drawn] for drawn in random.randint(len(LETTERS), size=count))
        rate = RATES[random.randint(len(RATES))]
        sound = wav_bytes(_played(letters, rate, self.options, random), rate)
        return Example(f"tones:{self.split}:{number + 1}", {"audio": [sound]}, letters)


def _played(letters: str, rate: int, options: TonesOptions, random: np.random.RandomState) -> NDArray[np.float64]:
    """Return the samples of a sequence of tones, with noise, from -1 to 1."""
    base = _MIDDLE_C * 2 ** (random.uniform(-1, 1) * options.detune / 1200)
    seconds = random.uniform(0.08, 0.2)
    overtones = random.uniform(0, 0.5, size=3)
    parts = [np.zeros(round(rate * random.uniform(0.02, 0.1)))]
    for letter in letters:
        parts.append(_tone(_SEMITONES[letter], base, seconds * random.uniform(0.8, 1.25), rate, overtones))
        parts.append(np.zeros(round(rate * random.uniform(0.0, 0.04))))
    sound = np.concatenate(parts)
    sound += random.standard_normal(len(sound)) * options.noise * random.random_sample() * 0.5
    return sound * (random.uniform(0.1, 0.9) / max(1e-9, float(np.abs(sound).max())))


def _tone(
    semitones: tuple[int, ...], base: float, seconds: float, rate: int, overtones: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return notes that are struck together and fade."""
    time = np.arange(round(rate * seconds)) / rate
    sound = np.zeros(len(time))
    for semitone in semitones:
        frequency = base * 2 ** (semitone / 12)
        for number, loudness in enumerate((1.0, *overtones), start=1):
            sound += loudness * np.sin(2 * np.pi * number * frequency * time)
    envelope = np.minimum(1, time / 0.005) * np.exp(-3 * time / seconds)  # 5 ms to rise, so that it does not click
    faded: NDArray[np.float64] = sound * envelope / len(semitones)
    return faded
