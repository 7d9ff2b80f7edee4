"""Metrics of texts, each by its published implementation; libraries are imported when they are used."""
