"""Error rates of transcripts, by jiwer."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_writing.metrics.agreement import mean

__all__ = ["transcript_metrics"]


def transcript_metrics(transcripts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return all metrics of a split; nothing where it has no rows.

    - `wer`, `cer`: jiwer's word and character error rates over the whole split; 0 is best, and more than 1 is possible;
      a word is what spaces separate, so that `cer` is the figure for Chinese and Japanese;
    - `exact_match`: the share of transcripts that equal their reference but for spaces.

    Args:
        transcripts: One a row.
        references: One a row, not blank.
    """
    if not transcripts:
        return {}
    import jiwer

    given, wanted = list(transcripts), list(references)
    same = [one.split() == other.split() for one, other in zip(given, wanted, strict=True)]
    return {"wer": float(jiwer.wer(wanted, given)), "cer": float(jiwer.cer(wanted, given)), "exact_match": mean(same)}
