"""Declares the smallest components of each kind, for tests of the training: a plugin as any other."""

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl

MMLM_API = 1


@dataclass
class PointsOptions:
    """Points in space, labelled by their sign and size."""

    rows: int = 48
    """Training rows."""
    test: bool = True
    """Whether there is a split `test`."""
    validation: bool = True
    """Whether there is a split `validation`."""


@dataclass
class WidthOptions:
    """A width."""

    width: int = 8
    """D."""
    dropout: float = 0.2
    """Share of the values that are dropped in training."""
    delay: float = 0.0
    """Seconds that each pass is slowed by."""


@dataclass
class NoOptions:
    """Nothing to set."""


@dataclass
class RateOptions:
    """A learning rate."""

    lr: float = 0.05
    """The peak."""


def _toy(kind: str, options: type, name: str, traits: Traits | None = None) -> Component:
    return Component(kind, "toy", options, f"training_toy_parts:{name}", traits=traits or Traits())


@hookimpl
def mmlm_components() -> list[Component]:
    return [
        _toy("data", PointsOptions, "Points", Traits(frozenset({"input:point", "target"}))),
        _toy("encoder/point", WidthOptions, "PointEncoder", Traits(frozenset({"sequence"}))),
        _toy("projection", NoOptions, "ToyProjection"),
        _toy("fusion", NoOptions, "ToyFusion"),
        _toy("backbone", WidthOptions, "ToyBackbone", Traits(frozenset({"bidirectional"}))),
        _toy("head", NoOptions, "Labels", Traits(fits_targets=True)),
        _toy("optimizer", RateOptions, "Adam"),
        _toy("schedule", NoOptions, "Falling"),
    ]
