"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core import Component, Traits, hookimpl
from mmlm_mamba.options import MambaOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the backbone."""
    return [
        Component(
            "backbone",
            "mamba",
            MambaOptions,
            "mmlm_mamba.mamba:Mamba",
            traits=Traits(provides=frozenset({"causal", "cache"})),
            tiny={"width": 16, "depth": 2, "head_width": 8, "state": 8, "chunk": 4},
        )
    ]
