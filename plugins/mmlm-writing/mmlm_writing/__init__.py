"""Task heads of mmlm that write a text token after token, and their metrics."""

__all__: list[str] = []
