"""mmlm: multimodal language models, composed from parts. This is the public face; see the README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmlm_core.hookspecs import API, hookimpl
from mmlm_core.registry import ALL, Component, Need, Traits

if TYPE_CHECKING:
    from mmlm_core.api import compose
    from mmlm_core.build import build
    from mmlm_core.prediction import load
    from mmlm_core.training import train

__all__ = ["ALL", "API", "Component", "Need", "Traits", "__version__", "build", "compose", "hookimpl", "load", "train"]

__version__ = "0.1.0"

LAZY = {
    "build": "mmlm_core.build",
    "compose": "mmlm_core.api",
    "load": "mmlm_core.prediction",
    "train": "mmlm_core.training",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch or Hydra when it is first used."""
    if name in LAZY:
        from importlib import import_module

        return getattr(import_module(LAZY[name]), name)
    raise AttributeError(f"module `mmlm_core` has no attribute `{name}`")
