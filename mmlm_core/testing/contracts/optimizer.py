"""What an optimizer keeps."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from mmlm_core.testing.contracts.common import ComponentContract

__all__ = ["OptimizerContract"]


class OptimizerContract(ComponentContract):
    """Updates parameters, and continues exactly from its state."""

    def model(self, seed: int = 0) -> nn.Module:
        """Return a small model: matrices, vectors, a number, an embedding that two parts share, a frozen part."""
        torch.manual_seed(seed)
        model = nn.ModuleDict(
            {"e": nn.Embedding(5, 4), "a": nn.Linear(4, 4), "n": nn.LayerNorm(4), "c": nn.Conv1d(4, 2, 3, padding=1)}
        )
        model["f"] = nn.Linear(4, 4).requires_grad_(False)
        model["t"] = nn.Linear(4, 5, bias=False)
        model["t"].weight = model["e"].weight
        model.register_parameter("gate", nn.Parameter(torch.tensor(0.5)))
        return model

    def step(self, model: Any, optimizer: torch.optim.Optimizer) -> None:
        """Make one update towards smaller outputs."""
        hidden = model["n"](model["a"](model["e"](torch.tensor([[0, 1, 2, 3, 4]])))) * model.gate
        outs = model["c"](model["f"](hidden).transpose(1, 2)), model["t"](hidden)
        (outs[0].square().sum() + outs[1].square().sum()).backward()
        optimizer.step()
        optimizer.zero_grad()

    def made(self) -> Any:
        """Return the parameters after two updates."""
        model = self.model()
        optimizer = self.make().build(model)
        for _ in range(2):
            self.step(model, optimizer)
        return dict(model.state_dict())

    def test_it_updates_every_parameter_and_no_frozen_one(self) -> None:
        """All that require a gradient, once each."""
        model = self.model()
        wanted = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        before = copy.deepcopy(model.state_dict())
        optimizer = self.make().build(model)
        held = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        left_out = sorted(wanted - {names.get(each, "") for each in held})
        assert not left_out, (
            f"{self.called} leaves out parameters: {self._described(model, left_out)}. Give every parameter of "
            "`model.parameters()` that requires a gradient to one of its groups, whatever its shape."
        )
        assert len(set(held)) == len(held), (
            f"{self.called} holds a parameter twice: one that two parts share stands once in `model.parameters()`."
        )
        self.step(model, optimizer)
        changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert wanted <= changed, (
            f"{self.called} leaves out parameters when it steps: {self._described(model, sorted(wanted - changed))} "
            "stay as they were. Update all that have a gradient."
        )
        assert changed <= wanted, (
            f"{self.called} changes frozen parameters: {self._described(model, sorted(changed - wanted))}. Leave out "
            "what does not require a gradient."
        )

    def test_its_groups_have_a_learning_rate(self) -> None:
        """The schedule scales it."""
        groups = self.make().build(self.model()).param_groups
        assert all(group.get("lr", 0) > 0 for group in groups), (
            f"{self.called} has a group without a learning rate above 0: `lr` of each group is its peak, which the "
            "schedule scales."
        )

    def test_it_continues_exactly_from_its_state(self) -> None:
        """Three steps equal two, a save and a load, and another; also where the optimizer made others before."""
        for steps in (0, 2):
            model, other = self.model(), self.model(seed=1)
            optimizer, again = self.make().build(model), self.make().build(other)
            for _ in range(2):
                self.step(model, optimizer)
            for _ in range(steps):
                self.step(other, again)
            other.load_state_dict(model.state_dict())
            again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            self.step(model, optimizer)
            self.step(other, again)
            apart = [
                name for name, value in model.named_parameters() if not torch.equal(value, other.get_parameter(name))
            ]
            assert not apart, (
                f"{self.called} does not continue from its saved state: {self._described(model, apart)} move otherwise "
                "after loading. Keep what it remembers in `self.state[parameter]` and in its groups, which "
                "`state_dict` saves, and not in attributes of its own."
            )

    def _described(self, model: nn.Module, names: list[str]) -> str:
        return ", ".join(f"`{name}` of shape {list(model.get_parameter(name).shape)}" for name in names)
