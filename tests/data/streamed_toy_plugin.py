"""Declares the toys of `tests/training` with a data source that streams."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import training_toy_plugin as toys

from mmlm_core import Component, Traits, hookimpl

MMLM_API = 1


@dataclass
class StreamedPointsOptions(toys.PointsOptions):
    """Points in space, in shards of 7 rows."""

    counted: bool = False
    """Whether shards say their sizes."""


@hookimpl
def mmlm_components() -> list[Component]:
    streamed: Iterator[Component] = (
        replace(toy, options=StreamedPointsOptions, target="streamed_toy_parts:StreamedPoints",
                traits=Traits(frozenset({"input:point", "target"}))) if toy.kind == "data" else toy
        for toy in toys.mmlm_components()
    )  # fmt: skip
    return list(streamed)
