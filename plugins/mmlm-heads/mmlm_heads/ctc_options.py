"""The options of the head `ctc`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["CtcOptions"]


@dataclass
class CtcOptions:
    """A transcript of one input, read off its positions (connectionist temporal classification)."""

    input: str | None = None
    """The modality whose positions are read; None: the only one."""
    beams: int = 1
    """Prefixes that are kept in decoding; 1: the likeliest token of each position (greedy)."""
    dropout: float = 0.1
    """Dropout before the output layer."""

    def __post_init__(self) -> None:
        """Check the ranges, and that the input can be a modality."""
        check_range(self, "beams", 1, 1000)
        check_range(self, "dropout", 0, 0.999)
        if self.input is not None and not self.input.isidentifier():
            raise OptionError(f"`input` must name a modality, as `audio`, not `{self.input}`.")
