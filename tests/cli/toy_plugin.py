"""A plugin of declarations only, under the names that the defaults have; its classes are never built."""

from dataclasses import dataclass, field, replace
from enum import Enum

import mmlm_core
from mmlm_core import Component, Need, Traits
from mmlm_core.ranges import check_range

MMLM_API = 1


@dataclass
class Empty:
    """Nothing to set."""


@dataclass
class Cnn:
    """A small CNN."""

    width: int = 8
    """Width of the features."""
    path: str = ""
    """Weights to start from."""


class Cell(Enum):
    """What a step computes."""

    PLAIN = "plain"
    GATED = "gated"


@dataclass
class Recurrent:
    """Reads from left to right, a step at a time."""

    width: int = 16
    """Width of the state."""
    layers: int = 1
    """Layers above one another."""
    dropout: float = 0.0
    """Share of values that are dropped between the layers."""
    cell: Cell = Cell.GATED
    """What a step computes."""
    reverse: bool = False
    """Read from right to left."""

    def __post_init__(self) -> None:
        check_range(self, "layers", 1)


@dataclass
class Table:
    """Rows of a file."""

    path: str = ""
    """The file."""
    inputs: dict[str, str] = field(default_factory=dict)
    """The column of each modality."""
    encoding: str = "utf-8"
    """Of a text file."""

    def __post_init__(self) -> None:
        self.guessed: dict[str, str] = {}  # as the options of mmlm-data note it, whose source opens the files


SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
CAUSAL = Need("backbone", "writes one token after another", frozenset({"causal"}))


def columns(options: Table) -> Traits:
    return Traits(frozenset({"target", *(f"input:{name}" for name in options.inputs)}))


@mmlm_core.hookimpl
def mmlm_components() -> list[Component]:
    def component(kind: str, name: str, options: type = Empty, *provides: str, **traits: object) -> Component:
        doc = "" if options is not Empty else f"A toy {name}."
        return Component(kind, name, options, "no_module:Nothing", doc,
                         Traits(frozenset(provides), **traits))  # type: ignore[arg-type]  # fmt: skip

    return [
        component("tokenizer", "bpe"),
        component("tokenizer", "char"),
        replace(component("encoder/image", "cnn", Cnn, "sequence", "grid"), suffixes=(".raw",)),
        component("encoder/text", "embedding", Empty, "sequence", uses_tokenizer=True),
        component("projection", "linear"),
        component("fusion", "concat"),
        component("backbone", "gru", Recurrent, "causal"),
        component("backbone", "lstm", Recurrent, "causal"),
        component("backbone", "transformer", Empty, "causal", "bidirectional"),
        component("backbone", "bert", Empty, "bidirectional"),
        component("head", "captioning", Empty, "generates", needs=(CAUSAL,), uses_tokenizer=True),
        component("head", "classification"),
        component("data", "emoji", Empty, "input:image", "target"),
        Component("data", "table", Table, "mmlm_data.table:TableSource", traits=columns, suffixes=SUFFIXES),
        component("optimizer", "adamw"),
        component("schedule", "cosine"),
    ]
