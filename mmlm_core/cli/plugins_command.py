"""`mmlm plugins`: the plugins of this environment, and what is wrong with those that were set aside."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.hookspecs import API, GROUP
from mmlm_core.plugins import VARIABLE, Plugin, load_plugins

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command."""
    Parser("plugins", "List the installed plugins, and what is wrong with those set aside.").read(argv)
    plugins = load_plugins()
    if not plugins.found:
        say.out(f"No plugin is installed: no distribution has an entry point in the group `{GROUP}`, "
                f"and `{VARIABLE}` names no module.")  # fmt: skip
        return
    say.table(
        ("plugin", "distribution", "version", "API", "components", "import ms", "state"),
        [(plugin.name, plugin.distribution, plugin.version or "-", str(plugin.api or "-"), str(len(plugin.components)),
          f"{plugin.seconds * 1000:.0f}", _state(plugin)) for plugin in plugins.found],
    )  # fmt: skip
    for plugin in plugins.found:
        if told := plugin.fault or plugin.warning:
            say.out()
            say.out(say.wrapped(f"{plugin.name} of {plugin.distribution} ({_state(plugin)}): {told}"))
    for kind, name, givers in plugins.registry.conflicts():
        say.out()
        say.out(
            say.wrapped(f"`{kind}={name}` is given by {' and '.join(givers)}: neither wins. Uninstall one of them.")
        )


def _state(plugin: Plugin) -> str:
    """Return the state of a plugin in a word or two."""
    if plugin.fault:
        return "set aside" if plugin.api in (API, None) else "incompatible"
    return "in use, with a warning" if plugin.warning else "in use"
