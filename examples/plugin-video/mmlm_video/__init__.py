"""Video for mmlm: the encoder `frames`, and `motions`, clips made by code to train it on."""

__version__ = "0.1.0"
