"""Every error of mmlm: what is wrong, the value, what was meant, and where it comes from.

One grammar for all messages: the offending name in backquotes, what must hold, what was given, the nearest valid
choice, and the place that the value came from. Messages are composed here, so that all of them read alike.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from reprlib import Repr

__all__ = [
    "CompositionError",
    "ConflictError",
    "DataError",
    "MissingPluginError",
    "MmlmError",
    "OptionError",
    "PluginError",
    "RunError",
    "UnknownChoiceError",
    "did_you_mean",
    "gather",
    "one_of",
    "quoted",
    "run_all",
    "system_trouble",
]


class MmlmError(Exception):
    """The base of every error that mmlm raises on a user's input; its text is meant to be read by that user.

    Attributes:
        problems: The errors that this one tells together; empty where it is one.
    """

    problems: tuple[MmlmError, ...] = ()


class UnknownChoiceError(MmlmError):
    """A name that is no choice where it stands: a group, a component, an option, a command, a run."""


class ConflictError(MmlmError):
    """A name that two plugins give: neither wins."""


class OptionError(MmlmError):
    """An option whose value has the wrong type or lies outside its range."""


class CompositionError(MmlmError):
    """Parts that do not fit together; the message lists every misfit."""


class PluginError(MmlmError):
    """A plugin that cannot be used, with the reason."""


class MissingPluginError(MmlmError):
    """A run or a configuration that names a component whose plugin is not installed."""


class DataError(MmlmError):
    """A file or a row that cannot be used; the message names the file and the row."""


class RunError(MmlmError):
    """A run folder that is missing, incomplete, or not to be trusted."""


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """Return `" Did you mean `x`?"` for the choice nearest to `given`; nothing where none is near, or it is one itself.

    Args:
        given: The name that was given.
        choices: The valid names.
    """
    near = get_close_matches(given, list(choices), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near and near[0] != given else ""


def one_of(choices: Sequence[str]) -> str:
    """Return the choices as a sentence, `" Choices: `a`, `b`."`, sorted; or that there are none."""
    listed = ", ".join(f"`{choice}`" for choice in sorted(choices))
    return f" Choices: {listed}." if listed else " There are no choices: no installed plugin gives one."


def quoted(value: object) -> str:
    """Return a value as a message quotes it: as Python writes it, without the middle of what is long.

    Args:
        value: What stands in a file or was given by a user: anything of any size.
    """
    short = Repr()
    short.maxstring = short.maxlong = short.maxother = 100
    return short.repr(value)


def system_trouble(error: Exception) -> str | None:
    """Return what a user is told of a folder that cannot be written or a full disk; None for any other error.

    Args:
        error: Whatever was raised.
    """
    if not isinstance(error, OSError):
        return None
    if error.filename is not None:
        return f"`{os.fspath(error.filename)}` cannot be used: {error.strerror}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return f"What was to be written could not be: {error.strerror}."
    return None


def gather(problems: Sequence[MmlmError]) -> MmlmError:
    """Return one error that tells all of several, one a line, so that a user mends them in one go.

    Args:
        problems: At least one error.
    """
    flat = [part for problem in problems for part in problem.problems or (problem,)]
    if len(flat) == 1:
        return flat[0]
    kinds = {type(problem) for problem in flat}
    kind = kinds.pop() if len(kinds) == 1 else MmlmError
    told = kind(f"{len(flat)} things are wrong:" + "".join(f"\n- {problem}" for problem in flat))
    told.problems = tuple(flat)
    return told


def run_all(checks: Iterable[Callable[[], object]]) -> None:
    """Run every check, whatever those before it say.

    Args:
        checks: Each raises where something is wrong.

    Raises:
        MmlmError: With all that is wrong, one a line.
    """
    problems: list[MmlmError] = []
    for check in checks:
        try:
            check()
        except MmlmError as error:
            problems.append(error)
    if problems:
        raise gather(problems)
