"""What an optimizer keeps."""

from __future__ import annotations

import copy

import torch
from torch import nn

from mmlm_core.testing.contracts.common import ComponentContract

__all__ = ["OptimizerContract"]


class OptimizerContract(ComponentContract):
    """Updates parameters, and continues exactly from its state."""

    def model(self) -> nn.Module:
        """Return a small model with matrices, vectors, an embedding, a convolution, and a frozen part."""
        torch.manual_seed(0)
        model = nn.ModuleDict(
            {"e": nn.Embedding(5, 4), "a": nn.Linear(4, 4), "n": nn.LayerNorm(4), "c": nn.Conv1d(4, 2, 3, padding=1)}
        )
        model["f"] = nn.Linear(4, 4).requires_grad_(False)
        return model

    def step(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Make one update towards smaller outputs."""
        hidden = model["n"](model["a"](model["e"](torch.tensor([[0, 1, 2, 3, 4]]))))  # type: ignore[index]
        model["c"](model["f"](hidden).transpose(1, 2)).square().sum().backward()  # type: ignore[index]
        optimizer.step()
        optimizer.zero_grad()

    def test_it_updates_every_parameter_and_no_frozen_one(self) -> None:
        """All that require a gradient, once each."""
        model = self.model()
        before = copy.deepcopy(model.state_dict())
        optimizer = self.make().build(model)
        self.step(model, optimizer)
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert changed == {name for name, parameter in model.named_parameters() if parameter.requires_grad}

    def test_it_continues_exactly_from_its_state(self) -> None:
        """Two steps equal one step, a save and a load, and another."""
        model = self.model()
        optimizer = self.make().build(model)
        self.step(model, optimizer)
        other = copy.deepcopy(model)
        again = self.make().build(other)
        again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        self.step(model, optimizer)
        self.step(other, again)
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
