"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from mmlm_contrastive.options import ContrastiveOptions
from mmlm_core import ALL, Component, Need, Traits, hookimpl

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the head."""
    return [
        Component(
            kind="head",
            name="contrastive",
            options=ContrastiveOptions,
            target="mmlm_contrastive.contrastive:Contrastive",
            traits=Traits(
                provides=frozenset({"pairs"}),
                needs=(
                    Need("encoder", "brings two modalities together", count=2),
                    Need("fusion", "compares inputs that have not seen each other", frozenset({"apart"})),
                ),
                reads=ALL,
            ),
            tiny={"width": 8},
        )
    ]
