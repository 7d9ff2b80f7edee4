"""The options of the data source `tones`. Imports neither torch nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["CHORDS", "LETTERS", "TONES", "TonesOptions"]

TONES = "abcdefgh"
"""The letters of single tones: C major from middle C to the C above."""

CHORDS = "mnop"
"""The letters of chords: C major, D minor, F major, G major."""

LETTERS = TONES + CHORDS
"""All letters, which are what a sound is to be transcribed to."""


@dataclass
class TonesOptions:
    """Sounds made by code: sequences of tones and chords at any speed, with noise; the target is their letters."""

    rows: int = 2000
    """Training rows; validation and test have a tenth as many each."""
    least: int = 3
    """Tones of a sound at least."""
    most: int = 8
    """Tones of a sound at most."""
    detune: float = 30.0
    """Cents by which a whole sound is played higher or lower at most; neighbouring letters are 100 or 200 apart."""
    noise: float = 0.3
    """Loudness of the noise at most, as a share of the tones'."""
    seed: int = 0
    """Another number makes other sounds."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rows", 10)  # so that every split has one
        check_range(self, "least", 1)
        check_range(self, "most", 1, 200)
        check_range(self, "detune", 0, 50)
        check_range(self, "noise", 0, 10)
        check_range(self, "seed", 0, 2**32 - 1)  # what NumPy takes
        if self.least > self.most:
            raise OptionError(f"`least` must be at most `most`, which is {self.most}, not {self.least}.")
