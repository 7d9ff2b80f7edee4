"""The head `transcription`: what an input says, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.errors import transcript_metrics
from mmlm_writing.options import TranscriptionOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Transcription"]


class Transcription(TextHead[TranscriptionOptions]):
    """Learns to write transcripts token after token, as Whisper does (Radford et al. 2022), which may be of any length
    and order; `ctc` reads them off the positions of the input.

    A row has one transcript.
    """

    monitor = ("cer", "min")
    several = False

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return the metrics of `mmlm_writing.metrics.errors`."""
        return transcript_metrics(texts, references)
