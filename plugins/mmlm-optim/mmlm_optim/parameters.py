"""Which of a model's parameters are what."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["decayed_groups", "fused", "split"]


def split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """Return the trainable weights of layers: matrices (two axes) and kernels (more axes); and all else.

    All else is vectors, embeddings, and parameters that a module holds under another name than `weight...`, as learned
    positions and queries: their axes do not map anything to anything. A parameter that several modules share stands
    once; a table that is an embedding anywhere is one.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    weights = {id(parameter) for name, parameter in model.named_parameters(remove_duplicate=False)
               if "weight" in name.rpartition(".")[2]} - tables  # fmt: skip
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [p for p in trained if id(p) in weights and p.ndim == 2]
    kernels = [p for p in trained if id(p) in weights and p.ndim > 2]
    others = [p for p in trained if id(p) not in weights or p.ndim < 2]
    return matrices, kernels, others


def decayed_groups(decayed: list[nn.Parameter], others: list[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Return parameter groups with and without weight decay; an empty one is left out."""
    groups = [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def fused(parameters: list[nn.Parameter]) -> bool:
    """Whether torch has one fused kernel for an update of all these parameters."""
    return bool(parameters) and all(torch.is_floating_point(p) and p.device.type in ("cpu", "cuda") for p in parameters)
