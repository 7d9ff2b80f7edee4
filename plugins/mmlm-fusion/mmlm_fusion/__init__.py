"""Fusion strategies and projections."""
