"""Task heads of mmlm: classification, language modelling, captioning, and their metrics."""

__all__: list[str] = []
