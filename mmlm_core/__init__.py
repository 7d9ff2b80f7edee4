"""mmlm: multimodal language models, composed from parts. This is the public face; see the README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmlm_core.hookspecs import API, hookimpl
from mmlm_core.registry import Component, Need, Traits

if TYPE_CHECKING:
    from mmlm_core.api import build, compose, load

__all__ = ["API", "Component", "Need", "Traits", "__version__", "build", "compose", "hookimpl", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs torch or Hydra when it is first used."""
    if name in ("build", "compose", "load"):
        from mmlm_core import api

        return getattr(api, name)
    raise AttributeError(f"module `mmlm_core` has no attribute `{name}`")
