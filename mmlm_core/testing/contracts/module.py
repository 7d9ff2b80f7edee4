"""What every component with weights keeps: what it learns, what it saves, and how it repeats itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.testing.contracts.checks import difference, telling
from mmlm_core.testing.contracts.common import ComponentContract
from mmlm_core.types import Features
from mmlm_core.weights import load_weights, save_weights

__all__ = ["ModuleContract", "pull"]

SEED = 3
STATE = (int, float, str, list, tuple, dict, Tensor)


class ModuleContract(ComponentContract):
    """A part of a model: an encoder, a projection, a fusion, a backbone, a head.

    Each kind says how it is built (`modules`) and what it makes of made-up inputs (`results`); what holds for all kinds
    is tried with these.
    """

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """Return the component, built under a seed in each way that the kind knows, by a word for the way."""
        raise NotImplementedError

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """Return what a built component makes of inputs that follow from a seed, at valid positions alone."""
        raise NotImplementedError

    def named(self, way: str) -> str:
        """Return what messages call the component that was built in this way."""
        return f"{self.called} ({way})" if way else self.called

    def valid(self, features: Features) -> Tensor:
        """Return the values of the valid positions. Shape: [N, D]."""
        shape, mask = tuple(features.values.shape), features.mask
        assert mask is None or (tuple(mask.shape), mask.dtype) == (shape[:2], torch.bool), (
            f"{self.called} gives a mask of shape {tuple(mask.shape)} and type {mask.dtype} for values of shape "
            f"{shape}: it must be a truth value for each position; where their number changes, it must change too."
        )
        return features.values[features.valid]

    def practised(self, way: str = "", seed: int = 0, steps: int = 2) -> Any:
        """Return the component after a few steps of training, in evaluation mode.

        A gate or an output layer that begins at zero would hide what lies behind it.
        """
        module = self.modules(seed)[way]
        torch.manual_seed(seed)
        module.train()
        for step in range(steps):
            module.zero_grad()
            loss = pull(self.results(module, seed + step))
            if not loss.requires_grad:  # nothing to learn
                break
            loss.backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                for parameter in module.parameters():
                    if parameter.grad is not None:
                        # Of what begins at zero too; half as far each time, so that no step takes one back whole.
                        size = 0.05 * 0.5**step * _size(parameter).clamp(min=0.5)
                        parameter.sub_(size * parameter.grad / _size(parameter.grad).clamp(min=1e-8))
        module.zero_grad()
        return module.eval()

    def made(self) -> Any:
        """Return the weights of each way to build it."""
        return {way: dict(module.state_dict()) for way, module in self.modules(SEED).items()}

    def test_building_repeats_itself_under_a_seed(self) -> None:
        """The run's seed decides every weight, and whatever else is drawn when the component is built."""
        for way in self.modules():
            left, right = self.modules(SEED)[way], self.modules(SEED)[way]
            where = difference(dict(left.state_dict()), dict(right.state_dict()))
            pair = [self.results(built.eval()) for built in self._twins(way)]
            assert where is None and difference(pair[0], pair[1]) is None, (
                f"{self.named(way)} is built differently twice under one seed ({where or 'its results'}): draw what is "
                "random from torch's own generator (`torch.nn.init`, `torch.randn`), and not from `random`, numpy, the "
                "clock, or a generator of its own."
            )

    def test_training_repeats_itself_under_a_seed(self) -> None:
        """Dropout and noise come from torch's generator too."""
        for way in self.modules():
            pair = []
            for built in self._twins(way):
                torch.manual_seed(SEED)
                pair.append([*self.results(built.train()), *self.results(built, 1)])
            assert difference(pair[0], pair[1]) is None, (
                f"{self.named(way)} trains differently twice under one seed: draw dropout and noise from torch's own "
                "generator (`torch.rand_like`, `nn.Dropout`), and not from `random`, numpy or the clock."
            )

    def test_evaluation_repeats_itself(self) -> None:
        """In evaluation the same inputs give the same, whatever came between, and nothing is learnt."""
        for way in self.modules():
            module = self.practised(way)
            before = {name: value.clone() for name, value in module.state_dict().items()}
            with torch.no_grad():
                first, _, again = (self.results(module, seed) for seed in (0, 1, 0))
            assert difference(first, again) is None, (
                f"{self.named(way)} gives two results for the same inputs in evaluation: what is random, and what "
                "follows the batches (running statistics), must do so only `if self.training`."
            )
            where = difference(before, dict(module.state_dict()))
            assert where is None, (
                f"{self.named(way)} changes its state {where} in evaluation: bring statistics up to date only "
                "`if self.training`."
            )

    def test_gradients_reach_every_parameter(self) -> None:
        """Nothing is built that is not used, and a row without a valid position gives no NaN."""
        for way, module in self.modules().items():
            wanted = {name: p for name, p in module.named_parameters() if p.requires_grad}
            if not wanted:
                continue
            loss = pull(self.results(module.train()))
            assert loss.requires_grad, (
                f"{self.named(way)} sends no gradient to any of its parameters: let `forward` use them, and leave out "
                "`detach`, `no_grad`, `argmax`, numpy and plain numbers on the way."
            )
            loss.backward()  # type: ignore[no-untyped-call]
            missing = [name for name, parameter in wanted.items() if parameter.grad is None]
            assert not missing, (
                f"{self.named(way)} has parameters that no gradient reaches: {', '.join(missing)}. Use them in every "
                "`forward`, or do not build them (training on several devices waits for all); mark what is frozen "
                "with `requires_grad_(False)`."
            )
            wild = [name for name, p in wanted.items() if p.grad is not None and not p.grad.isfinite().all()]
            assert not wild, (
                f"{self.named(way)} sends a gradient to {', '.join(wild)} that is not finite: a row without a valid "
                "position must give zeros (no softmax over nothing, no division by its number of positions)."
            )

    def test_what_is_saved_loads_the_same(self, tmp_path: Path) -> None:
        """With the saved weights, a new component and one that was trained otherwise predict and train on the same."""
        path = tmp_path / "model.safetensors"
        for way in self.modules():
            module = self.practised(way, seed=0, steps=3)
            with telling(f"{self.named(way)} cannot be saved: hold what it learns in parameters and buffers"):
                save_weights(module, path)
            expected = self._both(module)
            others = {"a new one": self.modules(1)[way], "one trained otherwise": self.practised(way, seed=2, steps=1)}
            for told, other in others.items():
                with telling(
                    f"{self.named(way)}: {told} cannot load what was saved. Make every parameter and buffer in "
                    "`__init__`, of a size that follows from the options and what is wired"
                ):
                    load_weights(other, path)
                assert difference(expected, self._both(other)) is None, (
                    f"{self.named(way)} loses state when it is saved: {told} gives other results with the same "
                    f"weights.{_suspects(module, other)} Hold state in parameters and persistent buffers "
                    "(`self.register_buffer`), and none in plain attributes, on the class or in the module's globals."
                )

    def _both(self, module: nn.Module) -> list[Tensor]:
        """Return what a component gives in evaluation, and then in training."""
        with torch.no_grad():
            evaluated = self.results(module.eval())
            torch.manual_seed(SEED)
            return [*evaluated, *self.results(module.train())]

    def _twins(self, way: str) -> list[nn.Module]:
        """Return two that were built under one seed, with the same weights, in which nothing is zero any more."""
        weights = self.practised(way).state_dict()
        twins = [self.modules(SEED)[way] for _ in range(2)]
        for twin in twins:
            twin.load_state_dict(weights, strict=False)  # what is missing, saving tells of
        return twins


def pull(results: list[Tensor]) -> Tensor:
    """Return a loss that pulls at every number of some results, each with a weight of its own."""
    weights = [torch.cos(torch.arange(r.numel()) * 1.7 + 0.3).view_as(r) for r in results]
    return torch.stack([(r * weight).sum() for r, weight in zip(results, weights, strict=True)]).sum()


def _size(tensor: Tensor) -> Tensor:
    return tensor.square().mean().sqrt()


def _suspects(saved: nn.Module, loaded: nn.Module) -> str:
    """Return a sentence that names the attributes beside the weights in which two modules differ, or nothing."""
    names = []
    for (path, left), (_, right) in zip(saved.named_modules(), loaded.named_modules(), strict=False):
        prefix = f"{path}." if path else ""
        kept = left.state_dict().keys()
        beside = {**vars(left), **dict(left.named_buffers(recurse=False))}
        for name, value in beside.items():
            if name in ("_parameters", "_buffers", "_modules", "training") or name in kept:
                continue
            if isinstance(value, STATE) and difference(value, getattr(right, name, None)) is not None:
                names.append(f"`{prefix}{name}`")
    return f" Look at {', '.join(names)}." if names else ""
