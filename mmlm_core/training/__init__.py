"""Training through Lightning."""

from mmlm_core.training.fit import resume, train

__all__ = ["resume", "train"]
