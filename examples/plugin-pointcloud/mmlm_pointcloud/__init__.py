"""Point clouds for mmlm: the encoder `pointnet`, and `shapes`, solids made by code to train it on."""

__version__ = "0.1.0"
