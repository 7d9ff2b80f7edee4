"""A plugin that does not say what it was written for."""
