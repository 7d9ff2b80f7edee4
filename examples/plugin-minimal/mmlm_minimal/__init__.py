"""The smallest useful plugin of mmlm."""
