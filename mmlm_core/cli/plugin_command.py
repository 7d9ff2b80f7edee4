"""`mmlm plugin new NAME --kind KIND`: a whole distribution with one component that works, to be changed."""

from __future__ import annotations

import keyword
import re
import shlex
import unicodedata
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.templates import render, values_of
from mmlm_core.errors import MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.plugins import load_plugins
from mmlm_core.registry import KINDS, NONE, check_kind

__all__ = ["run"]

PREFIX = "mmlm-"
EXAMPLE = "mmlm plugin new point_net --kind encoder/pointcloud"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
TAKEN = {
    "core": "that is the core itself",
    "conf": "that is the package of YAML files of every plugin",
    "plugin": "that is the module of declarations of every plugin",
    "reading": "that is a module of the template",
    "samples": "that is a module of the template",
    NONE: "that is the choice that leaves a part out",
}
"""Names that stand for something else, each with what."""


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Everything that is wrong with the arguments.
    """
    parser = Parser(
        "plugin",
        "Begin a plugin: a distribution with one component that installs, passes its\ntests and trains at once. "
        f"For example:\n\n    {EXAMPLE}",
    )
    parser.add_argument("what", nargs="*", metavar="new NAME", help="the component's name: lower case, `_` in it")
    kinds = ", ".join("encoder/MODALITY" if kind == "encoder" else kind for kind in KINDS)
    parser.add_argument("--kind", help=f"one of: {kinds}")
    parser.add_argument("--folder", type=Path, help="where to write it; without it: `mmlm-NAME`, here")
    args = parser.read(argv)
    _check_words(args.what)
    name = _name(args.what[1])
    problems: list[MmlmError] = []
    for check, given in ((_check_name, args.what[1]), (_check_asked_kind, args.kind)):
        try:
            check(given)
        except MmlmError as error:
            problems.append(error)
    usual = Path(f"{PREFIX}{name.replace('_', '-')}")
    folder = args.folder or usual
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        other = f"{usual}-2" if usual.exists() else usual
        problems.append(OptionError(f"`{folder}` is there already: give another folder, as `--folder {other}`."))
    if problems:
        raise gather(problems)
    _warn(args.kind, name)
    _write(folder, render(args.kind, name))
    _tell(folder, args.kind, name)


def _check_words(what: Sequence[str]) -> None:
    """Check that the words are `new NAME`."""
    if not what:
        raise OptionError(f"`mmlm plugin` must say what to do, as `{EXAMPLE}`.")
    if what[0] != "new":
        elsewhere = " Did you mean `mmlm plugins check`?" if what[0] == "check" else did_you_mean(what[0], ["new"])
        raise UnknownChoiceError(f"`{what[0]}` is no command of `mmlm plugin`.{elsewhere}{one_of(['new'])}")
    if len(what) != 2:
        given = f", not {len(what) - 1}" if len(what) > 2 else ""
        raise OptionError(f"`mmlm plugin new` must name one component{given}: `{EXAMPLE}`.")


def _name(given: str) -> str:
    """Return the component's name, also where its distribution's is given: `mmlm-point-net` means `point_net`."""
    return given.removeprefix(PREFIX).replace("-", "_")


def _check_name(given: str) -> None:
    """Check that a name can be that of a component, of a module and of a distribution."""
    name = _name(given)
    rule = "a name begins with a lower case letter, and has lower case letters, digits, and single underscores in it"
    if not NAME.fullmatch(name):
        bare = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
        near = re.sub(r"[^a-z0-9]+", "_", apart).rstrip("_").lstrip("_0123456789")
        meant = f" Did you mean `{near}`?" if NAME.fullmatch(near) else ""
        raise OptionError(f"`{given}` cannot name a plugin: {rule}.{meant}")
    if keyword.iskeyword(name):
        raise OptionError(f"`{given}` cannot name a plugin: it is a word of Python. Did you mean `my_{name}`?")
    if name in TAKEN:
        raise OptionError(f"`{given}` cannot name a plugin: {TAKEN[name]}. Did you mean `my_{name}`?")


def _check_asked_kind(kind: str | None) -> None:
    if kind is None:
        raise OptionError(f"`--kind` must say what the component is, as `{EXAMPLE}` does.{one_of(list(KINDS))}")
    check_kind(kind)


def _warn(kind: str, name: str) -> None:
    """Note where something installed has the name already."""
    distribution = values_of(kind, name)["DISTRIBUTION"]
    registry = load_plugins().registry
    if name in registry.names(kind):
        say.note(f"`{kind}={name}` is given by {registry.giver(kind, name)} already: with both installed, neither "
                 "can be chosen.")  # fmt: skip
    try:
        say.note(f"{distribution} {version(distribution)} is installed already: this plugin would take its place.")
    except PackageNotFoundError:
        return


def _write(folder: Path, files: dict[str, str]) -> None:
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _tell(folder: Path, kind: str, name: str) -> None:
    """Print what was written, and what to type next."""
    values = values_of(kind, name)
    package = values["PACKAGE"]
    told = {
        f"{package}/plugin.py": "the options, and what the component provides and needs",
        f"{package}/{name}.py": "the class",
        f"{package}/conf/": f"the preset `{name}_{values['PRESET']}`",
        "tests/test_contracts.py": "what mmlm asks of every component of this kind",
        "README.md": "how to train with it, change it and publish it",
        "pyproject.toml, LICENSE, .github/": "the distribution, its licence (Apache-2.0), its tests on GitHub",
    }
    say.out(f"wrote {folder}, which gives `{kind}={name}`:")
    say.out(say.definitions(told.items(), column=max(map(len, told)) + 4))
    say.out("\nnext:")
    for command in (f"pip install --editable {shlex.quote(str(folder))}", f"mmlm plugins check {name}",
                    values["COMMAND"]):  # fmt: skip
        say.out(f"  {command}")
