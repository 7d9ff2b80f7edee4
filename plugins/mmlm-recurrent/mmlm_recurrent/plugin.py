"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core import Component, Traits, hookimpl
from mmlm_recurrent.options import GruOptions, LstmOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


def _traits(options: GruOptions | LstmOptions) -> Traits:
    both = {"bidirectional"} if options.bidirectional else set()
    return Traits(provides=frozenset({"causal", "cache"} | both))


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the recurrent backbones."""
    tiny = {"width": 16, "depth": 2}
    return [
        Component("backbone", "gru", GruOptions, "mmlm_recurrent.gru:GruBackbone", traits=_traits, tiny=tiny),
        Component("backbone", "lstm", LstmOptions, "mmlm_recurrent.lstm:LstmBackbone", traits=_traits, tiny=tiny),
    ]
