"""Composing from Python, as `mmlm train` does; imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.composition import Composition

__all__ = ["compose"]


def compose(overrides: Sequence[str] = ()) -> Composition:
    """Compose and check what `mmlm train` would train with these overrides.

    Hydra's global state is as it was afterwards, so this also works inside an application of Hydra.

    Args:
        overrides: As on the command line.

    Raises:
        MmlmError: Everything that is wrong with the overrides, or every reason why the parts do not fit.

    Example:
        >>> mmlm_core.compose(["backbone=gru", "backbone.width=64"])["backbone"].options.width  # doctest: +SKIP
        64
    """
    from mmlm_core import compat
    from mmlm_core.cli import composing
    from mmlm_core.cli.menu import Menu
    from mmlm_core.plugins import load_plugins

    menu = Menu(load_plugins())
    with composing.session(menu) as application:
        composition = composing.to_composition(composing.compose(application, menu, overrides), menu)
    compat.check(composition, menu.registry)
    return composition
