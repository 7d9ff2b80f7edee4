"""YAML files: presets, each in a folder named after its group."""
