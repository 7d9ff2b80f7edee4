"""Sound for mmlm: the encoders `logmel_conv`, `logmel_transformer` and `wave_conv`, and the data source `tones`."""

__version__ = "0.1.0"
