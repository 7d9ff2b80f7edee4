"""The plugin API: what a plugin may return to the core. Version 1.

A plugin is a module (or any object) behind an entry point of the group `mmlm.plugins`. It states the version of this
API that it was written for, `MMLM_API = 1`, and implements the hooks that it needs with `@mmlm_core.hookimpl`. Hooks
*return* declarations; they register nothing and import no torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from mmlm_core.registry import Component

__all__ = ["API", "GROUP", "hookimpl", "hookspec", "mmlm_components", "mmlm_config_packages"]

API = 1
"""The major version of the plugin API; it rises when a hook or an interface changes in a way that breaks plugins."""

GROUP = "mmlm.plugins"
"""The entry-point group in which distributions name their plugins."""

hookspec = pluggy.HookspecMarker("mmlm")
hookimpl = pluggy.HookimplMarker("mmlm")


@hookspec
def mmlm_components() -> Sequence[Component]:  # type: ignore[empty-body]
    """Return the components that the plugin gives."""


@hookspec
def mmlm_config_packages() -> Sequence[str]:  # type: ignore[empty-body]
    """Return importable packages whose YAML files join Hydra's search path, as `"mmlm_text.conf"`.

    A folder `experiment/` in it holds whole compositions, `scale/gpu/` what `scale=gpu` sets on those of the same
    names, `backbone/` presets of backbones, and so on.
    """
