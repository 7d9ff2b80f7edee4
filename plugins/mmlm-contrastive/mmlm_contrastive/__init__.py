"""Contrastive learning over two modalities for mmlm."""
