"""Experiments with point clouds, as YAML files."""
