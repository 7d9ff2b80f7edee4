"""`mmlm doctor`: what this environment has, what is wrong with it, and what to do about that."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from mmlm_core import machine
from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.plugins import Plugin, load_plugins
from mmlm_core.settings import RunOptions

__all__ = ["run"]

GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """What one examination found.

    Attributes:
        what: What was examined.
        told: What it is like.
        remedy: What to do about it; empty where all is well.
        fault: Whether commands will fail on it; else it is only worth knowing.
    """

    what: str
    told: str
    remedy: str = ""
    fault: bool = False


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        SystemExit: Something is wrong: the code is 1.
    """
    Parser("doctor", "Examine this environment, and say what to do about what is wrong.").read(argv)
    found = [finding for examine in EXAMINATIONS for finding in examine()]
    width = max(len(finding.what) for finding in found) + 2
    for finding in found:
        mark = "FAULT" if finding.fault else "note" if finding.remedy else "ok"
        say.out(f"{mark:5}  {finding.what:<{width}}{finding.told}")
        if finding.remedy:
            say.out(say.wrapped(finding.remedy, " " * (7 + width)))
    faults = sum(finding.fault for finding in found)
    say.out()
    say.out("All is well." if not faults else f"{faults} {'fault' if faults == 1 else 'faults'}: see above.")
    if faults:
        sys.exit(1)


def _python() -> Iterator[Finding]:
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")


def _packages() -> Iterator[Finding]:
    """Compare the installed versions with what mmlm-core asks for."""
    yield from _required("mmlm-core")


def _required(distribution: str) -> Iterator[Finding]:
    """Compare the installed versions with what a distribution asks for; one that is not installed asks for nothing."""
    from packaging.requirements import Requirement

    try:
        asks = requires(distribution) or []
    except PackageNotFoundError:  # a plugin that the environment names is a module alone
        return
    for asked in map(Requirement, asks):
        if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
            continue
        remedy = f"`pip install '{asked.name}{asked.specifier}'`"
        try:
            installed = version(asked.name)
        except PackageNotFoundError:
            yield Finding(asked.name, "is not installed", remedy, fault=True)
            continue
        if asked.specifier.contains(installed, prereleases=True):
            yield Finding(asked.name, installed)
        else:
            yield Finding(asked.name, f"{installed}, and {asked.specifier} is needed", remedy, fault=True)


def _torch() -> Iterator[Finding]:
    """Say where torch computes; a torchvision of another build than torch's breaks on import."""
    try:
        torch = import_module("torch")
    except (ImportError, OSError) as error:
        yield Finding(
            "torch", f"cannot be imported: {_line(error)}", "Install it anew, as `pip install torch`.", fault=True
        )
        return
    kinds = "bf16 natively" if machine.computes_bf16() else "float32; it has no arithmetic for bf16"
    yield Finding("processor", f"{machine.describe()['cpu']}, {machine.cores()} cores; computes {kinds}")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        yield Finding("GPU", ", ".join(names))
    else:
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        yield Finding("GPU", f"none is found, so models train on the processor; {built}")
    try:
        version("torchvision")
    except PackageNotFoundError:
        return
    try:
        import_module("torchvision")
    except Exception as error:  # it fails in several ways where it was built for another torch
        yield Finding("torchvision", f"cannot be imported: {_line(error)}",
                      f"Install the one that was built for torch {torch.__version__}; `encoder/image=timm` needs it.",
                      fault=True)  # fmt: skip


def _plugins() -> Iterator[Finding]:
    plugins = load_plugins()
    if not plugins.found:
        yield Finding(
            "plugins", "none is installed", "Install some, as `pip install mmlm-text mmlm-image`.", fault=True
        )
    for plugin in plugins.found:
        name = f"plugin {plugin.name}"
        if plugin.fault or plugin.warning:
            state = "set aside" if plugin.fault else "in use, with a warning"
            yield Finding(name, f"{plugin.distribution} {plugin.version}, {state}", _remedy(plugin),
                          fault=bool(plugin.fault))  # fmt: skip
        else:
            parts = len(plugin.components)
            told = f"{plugin.distribution} {plugin.version}".strip()
            yield Finding(name, f"{told}, {parts} component{'' if parts == 1 else 's'}")
        for finding in _required(plugin.distribution):
            if finding.fault:
                yield replace(finding, what=f"{name} needs", told=f"{finding.what} {finding.told}")
    for kind, name, givers in plugins.registry.conflicts():
        yield Finding(f"{kind}={name}", f"is given by {' and '.join(givers)}",
                      "Neither can be chosen: uninstall one of them.", fault=True)  # fmt: skip


def _remedy(plugin: Plugin) -> str:
    """Return what is wrong with a plugin, and what its user can do about it: all else is its author's to mend."""
    told = plugin.fault or plugin.warning
    if not plugin.fault or not plugin.version:
        return told
    return (f"{told.rstrip('.')}. Bring it up to date, as `pip install --upgrade {plugin.distribution}`, or leave it "
            f"out, as `pip uninstall {plugin.distribution}`.")  # fmt: skip


def _folders() -> Iterator[Finding]:
    """See whether runs can be written where they go by default."""
    folder = Path(RunOptions().folder)
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free / GIB
    if not os.access(there, os.W_OK):
        yield Finding("run folder", f"`{folder}` cannot be written", "Set another by `run.folder=...`.", fault=True)
    elif free < 1:
        yield Finding("run folder", f"`{folder}`: {free:.2f} GiB are free", "Checkpoints may not fit: set another by "
                      "`run.folder=...`.")  # fmt: skip
    else:
        yield Finding("run folder", f"`{folder}`: {free:.0f} GiB are free")


def _tracker() -> Iterator[Finding]:
    if machine.has_wandb_account():
        yield Finding("tracker", "wandb has an account: runs are sent to it")
    else:
        yield Finding("tracker", "wandb has no account: runs are kept offline until `wandb login`")


EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _packages, _torch, _plugins, _folders, _tracker)


def _line(error: BaseException) -> str:
    return re.sub(r"\s+", " ", str(error))[:200]
