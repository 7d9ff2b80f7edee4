"""Data sources for mmlm: tables."""
