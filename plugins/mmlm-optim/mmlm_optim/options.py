"""The options of optimizers and schedules. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range

__all__ = ["AdamWOptions", "ConstantOptions", "CosineOptions", "LinearOptions", "MuonOptions", "SgdOptions"]


@dataclass
class AdamWOptions:
    """AdamW (Loshchilov and Hutter 2019); weight decay on matrices, not on vectors and embeddings."""

    lr: float = 1e-3
    """Peak learning rate."""
    weight_decay: float = 0.1
    """Decay of the matrices, times the learning rate, at each update."""
    beta1: float = 0.9
    """Decay of the mean of gradients."""
    beta2: float = 0.98
    """Decay of the mean of squared gradients."""
    eps: float = 1e-8
    """Added to the root of the squared gradients."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "lr", 0)
        check_range(self, "weight_decay", 0)
        check_range(self, "beta1", 0, 0.99999)
        check_range(self, "beta2", 0, 0.99999)
        check_range(self, "eps", 0)


@dataclass
class MuonOptions:
    """Muon (Jordan et al. 2024) on the matrices and kernels of the layers; AdamW on embeddings and vectors."""

    lr: float = 0.02
    """Peak learning rate of the matrices."""
    momentum: float = 0.95
    """Decay of the matrices' momentum."""
    weight_decay: float = 0.1
    """Decay of matrices, embeddings left out, times the learning rate, at each update."""
    adamw_lr: float = 1e-3
    """Peak learning rate of all other parameters."""
    adamw_beta1: float = 0.9
    """AdamW's decay of the mean of gradients."""
    adamw_beta2: float = 0.98
    """AdamW's decay of the mean of squared gradients."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("lr", "weight_decay", "adamw_lr"):
            check_range(self, name, 0)
        for name in ("momentum", "adamw_beta1", "adamw_beta2"):
            check_range(self, name, 0, 0.99999)


@dataclass
class SgdOptions:
    """Stochastic gradient descent with momentum."""

    lr: float = 0.05
    """Peak learning rate."""
    momentum: float = 0.9
    """Decay of the momentum; 0: none."""
    nesterov: bool = True
    """Look ahead along the momentum; only where there is some."""
    weight_decay: float = 0.0
    """Decay of the matrices, embeddings left out."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "lr", 0)
        check_range(self, "momentum", 0, 0.99999)
        check_range(self, "weight_decay", 0)


@dataclass
class CosineOptions:
    """Warm-up, then a half cosine down to the floor."""

    warmup: float = 0.05
    """Share of the training in which the rate rises to its peak."""
    floor: float = 0.0
    """Factor at the end."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "warmup", 0, 0.99)
        check_range(self, "floor", 0, 1)


@dataclass
class LinearOptions:
    """Warm-up, then a straight line down to the floor."""

    warmup: float = 0.05
    """Share of the training in which the rate rises to its peak."""
    floor: float = 0.0
    """Factor at the end."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "warmup", 0, 0.99)
        check_range(self, "floor", 0, 1)


@dataclass
class ConstantOptions:
    """Warm-up, then the peak to the end."""

    warmup: float = 0.0
    """Share of the training in which the rate rises to its peak."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "warmup", 0, 0.99)
