"""Recurrent backbones for mmlm."""
