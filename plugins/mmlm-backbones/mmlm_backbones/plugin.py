"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_backbones.options import CnnOptions, NoneOptions
from mmlm_core import Component, Need, Traits, hookimpl

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_ALONE = "lets no position read another"


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the backbones."""
    return [
        Component(
            kind="backbone",
            name="none",
            options=NoneOptions,
            target="mmlm_backbones.none:NoBackbone",
            traits=Traits(
                provides=frozenset({"causal"}),
                needs=(
                    Need("fusion", "has no layers to act between", frozenset({"between"}), absent=True),
                    Need("head", _ALONE, frozenset({"queries", "generates"}), absent=True),
                    Need("encoder", _ALONE, unread=True, absent=True),
                ),
            ),
            tiny={"width": 16},
        ),
        Component(
            kind="backbone",
            name="cnn",
            options=CnnOptions,
            target="mmlm_backbones.cnn:CnnBackbone",
            traits=Traits(provides=frozenset({"causal", "bidirectional", "cache"})),
            tiny={"width": 16, "depth": 2, "kernel": 5},
        ),
    ]
