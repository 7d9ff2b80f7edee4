"""Text for mmlm: tokenizers and text encoders."""
