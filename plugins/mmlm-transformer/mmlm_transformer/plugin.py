"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core import Component, Traits, hookimpl
from mmlm_transformer.options import TransformerOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the backbone."""
    return [
        Component(
            kind="backbone",
            name="transformer",
            options=TransformerOptions,
            target="mmlm_transformer.transformer:Transformer",
            traits=Traits(provides=frozenset({"causal", "bidirectional", "cache"})),
            tiny={"width": 16, "depth": 1, "heads": 2},
        )
    ]
