"""Presets and experiments, as YAML files."""
