"""Semantic segmentation for mmlm."""
