"""Backbones for mmlm that are neither recurrent nor a Transformer."""
