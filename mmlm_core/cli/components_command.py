"""`mmlm components`: what can be chosen, a line each; of a kind also who gives it; `show backbone/gru`: one in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mmlm_core import compat
from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.composition import Choice, kind_of
from mmlm_core.errors import MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.plugins import load_plugins
from mmlm_core.registry import KINDS, Component, Registry, Traits

__all__ = ["run"]

Found = TypeVar("Found")


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Every kind and every component that there is not.
    """
    parser = Parser("components", "List what can be chosen, a line each; of a kind also who gives it.")
    told = "a kind, as `backbone` or `encoder/image`; or `show backbone/gru`: its options"
    parser.add_argument("what", nargs="*", metavar="KIND | show KIND/NAME", help=told)
    what = parser.read(argv).what
    registry = load_plugins().registry
    if what[:1] == ["show"]:
        if len(what) == 1:
            raise OptionError("`mmlm components show` must name components, as `backbone/gru`.")
        say.out("\n\n".join(_shown(registry, component) for component in _each(_named, registry, what[1:])))
        return
    kinds = list(dict.fromkeys(kind for found in _each(_kinds, registry, what) for kind in found))
    if not registry.kinds():
        say.out(f"No installed plugin gives a component.{registry.asides()}")
    elif not what:
        say.out("\n".join(_overview(registry)))
    elif rows := [
        (f"{kind}={name}", registry.giver(kind, name), _line(registry.get(kind, name)))
        for kind in kinds
        for name in registry.names(kind)
    ]:
        say.table(("choice", "package", "what it is"), rows)
    else:
        say.out(f"No installed plugin gives a component of that kind.{registry.asides()}")
    for kind, name, givers in registry.conflicts():
        say.out(f"conflict: `{kind}={name}` is given by {' and '.join(givers)}; neither can be chosen.")


def _overview(registry: Registry) -> Iterator[str]:
    """Yield the kinds with their choices, a line each, as wide as the terminal."""
    for kind in registry.kinds():
        what = "raw items of this modality to features" if kind.startswith("encoder/") else KINDS[kind]
        yield f"{say.bold(kind)}: {say.cut(what, say.width() - len(kind) - 2)}"
        column = max(len(name) for name in registry.names(kind) or [""]) + len(kind) + 5
        for name in registry.names(kind):
            doc = say.cut(registry.get(kind, name).doc, say.width() - column)
            yield f"  {f'{kind}={name}':<{column - 2}}{doc}".rstrip()
    yield ""
    yield "More: `mmlm components backbone`, or `mmlm components show backbone/gru`."


def _each(find: Callable[[Registry, str], Found], registry: Registry, words: Sequence[str]) -> list[Found]:
    """Return what each word means.

    Raises:
        MmlmError: With every word that means nothing.
    """
    found, problems = [], list[MmlmError]()
    for word in words:
        try:
            found.append(find(registry, word))
        except MmlmError as error:
            problems.append(error)
    if problems:
        raise gather(problems)
    return found


def _kinds(registry: Registry, name: str) -> list[str]:
    """Return the kinds that a word means: `encoder` means every modality's, `projection/image` the projections."""
    if name in (f"projection/{modality}" for modality in registry.modalities()):
        name = kind_of(name)
    kinds = [kind for kind in registry.kinds() if kind == name or kind.startswith(f"{name}/")]
    if not kinds and name not in KINDS:
        names = sorted({*KINDS, *registry.kinds()})
        raise UnknownChoiceError(f"`{name}` is no kind of component.{did_you_mean(name, names)}{one_of(names)}")
    return kinds


def _line(component: Component) -> str:
    """Return what a component is, provides and needs."""
    traits = component.traits_for(component.options())
    parts = [component.doc]
    if traits.provides:
        parts.append(f"Provides {', '.join(sorted(traits.provides))}.")
    if needs := _needs(traits):
        parts.append(f"Needs {'; '.join(needs)}.")
    return " ".join(parts)


def _misfits(registry: Registry, kind: str, component: Component) -> list[str]:
    """Return why other components do not fit with one, each as it is by default.

    Data whose columns are options says nothing before it is chosen, and is left out.
    """
    one, found = Choice(kind, component, component.options()), []
    for other in registry:
        if other.kind != kind and not (other.kind == "data" and callable(other.traits)):
            name = f"`{other.kind}={other.name}`"
            reasons = compat.pair(one, Choice(other.kind, other, other.options()), registry)
            found += [reason if name in reason else f"{name}: {reason}" for reason in reasons]
    return found


def _needs(traits: Traits) -> list[str]:
    needs = [str(need) for need in traits.needs]
    return list(dict.fromkeys([*needs, *(["tokenizer"] if traits.uses_tokenizer else [])]))


def _named(registry: Registry, path: str) -> Component:
    """Return the component that a word names, as `backbone/gru`, or as a command line chooses it."""
    kind, _, name = path.replace("=", "/").rpartition("/")
    if path in (*registry.kinds(), *KINDS) or not (kind and name):
        paths = [f"{component.kind}/{component.name}" for component in registry]
        words = path.strip("/")
        near = [known for known in paths if words and f"/{words}/" in f"/{known}/"]
        names = [component.name for component in registry]
        meant = f" Did you mean {', '.join(f'`{known}`' for known in near)}?" if near else did_you_mean(path, names)
        raise OptionError(f"`{path}` must name a component with its kind, as `backbone/gru`.{meant}")
    if kind_of(kind) not in registry.kinds():
        kinds = registry.kinds()
        raise UnknownChoiceError(f"`{kind}` is no kind of component.{did_you_mean(kind, kinds)}{one_of(kinds)}")
    return registry.get(kind_of(kind), name)


def _shown(registry: Registry, component: Component) -> str:
    """Return one component with its options."""
    from mmlm_core.cli.train_help import option_lines
    from mmlm_core.options import plain

    kind, name = component.kind, component.name
    traits = component.traits_for(component.options())
    lines = [say.bold(f"{kind}={name}"), say.wrapped(component.doc, "  "),
             f"  package   {registry.giver(kind, name)}", f"  class     {component.target}"]  # fmt: skip
    if traits.provides:
        lines.append(f"  provides  {', '.join(sorted(traits.provides))}")
    for need in traits.needs:
        plain_has = need.has and not need.absent
        what = f"{' or '.join(sorted(need.has))} of {need.of}" if plain_has else str(need)
        lines.append(say.wrapped(f"needs     {what}: it {need.because}", "  "))
    misfits = _misfits(registry, kind, component)
    lines.append("  fits      every installed choice of the other parts" + (", but not" if misfits else ""))
    lines += [say.wrapped(f"- {misfit}", "    ") for misfit in misfits]
    lines += ["  options", *option_lines(component.options, plain(component.options()))]
    return "\n".join(lines)
