"""`mmlm plugins`: the plugins of this environment, and what is wrong with those that were set aside.

`mmlm plugins check NAME` runs the contracts on them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.errors import OptionError, UnknownChoiceError, did_you_mean, one_of
from mmlm_core.hookspecs import API, GROUP
from mmlm_core.plugins import VARIABLE, Plugin, load_plugins

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: What is wrong with the arguments.
        SystemExit: A contract is not kept: the code is 1.
    """
    parser = Parser("plugins", "List the installed plugins, and what is wrong with those set aside.")
    told = (
        "run the contracts of mmlm on what a plugin gives: its name, or its distribution's; a component, as "
        "`data=table`, where not all are to be checked; and options without which it cannot work, `data.path=rows.csv`"
    )
    parser.add_argument("what", nargs="*", metavar="check NAME", help=told)
    what = parser.read(argv).what
    plugins = load_plugins()
    if what and what[0] != "check":
        named = what[0] in {name for plugin in plugins.found for name in (plugin.name, plugin.distribution)}
        near = f" Did you mean `mmlm plugins check {what[0]}`?" if named else did_you_mean(what[0], ["check"])
        raise UnknownChoiceError(f"`{what[0]}` is no command of `mmlm plugins`.{near}{one_of(['check'])}")
    if what:
        if all("=" in word for word in what[1:]):
            names = one_of([plugin.name for plugin in plugins.found])
            raise OptionError(f"`mmlm plugins check` must name a plugin or more.{names}")
        from mmlm_core.cli.plugins_check import check

        if not check(what[1:], plugins):
            sys.exit(1)
        return
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
