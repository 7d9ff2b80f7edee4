"""Image encoders for mmlm: `cnn` and `vit`, small ones that train from scratch, and `timm`, every model of timm."""

__version__ = "0.1.0"
