"""The Transformer backbone of mmlm."""
