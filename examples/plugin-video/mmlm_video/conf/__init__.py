"""Experiments with clips, as YAML files."""
