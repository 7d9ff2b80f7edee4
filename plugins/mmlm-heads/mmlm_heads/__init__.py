"""Task heads of mmlm that read out positions: classification, tagging, CTC, and their metrics."""

__all__: list[str] = []
