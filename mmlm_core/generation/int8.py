"""Linear maps in int8, for prediction on a CPU: a quarter of the weights' bytes, which is what a step is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmlm_core.model import Model
from mmlm_core.tokens import TokenTable

__all__ = ["Int8Linear", "Int8Table", "to_int8"]

LEAST = 2**16
"""Weights of a map from which on int8 is faster: below, rounding the inputs takes longer than the product saves."""


def to_int8(model: Model) -> Model:
    """Replace the linear maps of the fusion, the backbone and the head, and the logits of their token tables, in place.

    The encoders, which read once what is then written about at length, stay as they are.

    Args:
        model: In evaluation mode, on a CPU. It cannot be trained or saved afterwards.

    Returns:
        The same model.
    """
    made: dict[nn.Module, nn.Module] = {}
    for part in (model.fusion, model.backbone, model.head):
        for parent in list(part.modules()):
            for name, child in list(parent.named_children()):
                if child not in made:
                    made[child] = _converted(child)
                setattr(parent, name, made[child])
    return model


def _converted(module: nn.Module) -> nn.Module:
    if type(module) is nn.Linear and module.weight.numel() >= LEAST:
        return Int8Linear(module.weight, module.bias)
    if type(module) is TokenTable:
        return Int8Table(module)
    return module


class Int8Linear(nn.Module):
    """A linear map whose weights are rounded once, each output by its own scale, and whose inputs as they come.

    Each position has its own scale too (as in LLM.int8(), Dettmers et al. 2022), so that no row depends on another.

    Args:
        weight: Shape: [outputs, inputs].
        bias: Shape: [outputs]. None: there is none.
    """

    rounded: Tensor
    scales: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        rounded, scales = _round(weight.detach())
        self.register_buffer("rounded", rounded)
        self.register_buffer("scales", scales.squeeze(1))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, values: Tensor) -> Tensor:
        """Return the map's output.

        Shape: [..., inputs] -> [..., outputs].
        """
        rounded, scales = _round(values.reshape(-1, self.rounded.shape[1]))
        mapped = (torch._int_mm(rounded, self.rounded.t()) * scales).mul_(self.scales)
        if self.bias is not None:
            mapped.add_(self.bias)
        return mapped.view(*values.shape[:-1], len(self.rounded)).to(values.dtype)


class Int8Table(TokenTable):
    """A token table whose logits are computed in int8; the vectors are looked up as they are.

    Args:
        table: The table.
    """

    def __init__(self, table: TokenTable) -> None:
        nn.Module.__init__(self)
        self.embedding = table.embedding
        self.output = Int8Linear(table.embedding.weight)

    def logits(self, hidden: Tensor) -> Tensor:
        """See `TokenTable.logits`."""
        return self.output(hidden)  # type: ignore[no-any-return]


def _round(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows as integers from -127 to 127, and what these count in. Shape: [N, K] -> [N, K], [N, 1]."""
    scales = torch.linalg.vector_norm(values, torch.inf, -1, keepdim=True).div_(127).clamp_(min=1e-12)
    return (values / scales).round_().to(torch.int8), scales
