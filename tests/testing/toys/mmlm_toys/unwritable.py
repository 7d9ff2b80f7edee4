"""Schedules whose options YAML cannot hold, each in its own way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mmlm_core import Component, hookimpl

MMLM_API = 1


@dataclass
class LiteralOptions:
    """A choice of words."""

    shape: Literal["cosine", "linear"] = "cosine"
    """The shape."""


@dataclass
class FunctionOptions:
    """A function."""

    shape: Callable[[float], float] = abs
    """The shape."""


@dataclass
class TupleOptions:
    """A tuple, which comes back as a list."""

    betas: tuple[float, float] = (0.9, 0.95)
    """The betas."""


@dataclass
class SetOptions:
    """A set."""

    skip: set[str] = field(default_factory=set)
    """What to skip."""


@dataclass
class ObjectOptions:
    """An object behind the type that allows all."""

    thing: Any = field(default_factory=object)
    """The thing."""


@dataclass(frozen=True)
class FrozenOptions:
    """A dataclass that no override can change."""

    steps: int = 1
    """The steps."""


@hookimpl
def mmlm_components():
    """Return a schedule with each of them."""
    options = [LiteralOptions, FunctionOptions, TupleOptions, SetOptions, ObjectOptions, FrozenOptions]
    return [
        Component("schedule", each.__name__.removesuffix("Options").lower(), each, "mmlm_toys.schedule:ToySchedule")
        for each in options
    ]
