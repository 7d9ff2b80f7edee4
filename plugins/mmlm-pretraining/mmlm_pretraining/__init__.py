"""Heads of mmlm that learn from texts alone."""

__all__: list[str] = []
