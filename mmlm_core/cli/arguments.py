"""The commands' arguments: argparse, with its errors said as all of ours are."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from mmlm_core.errors import OptionError, UnknownChoiceError, did_you_mean, one_of

__all__ = ["Parser", "word_of"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose flags may stand anywhere and are never abbreviated.

    Args:
        command: The command, as `train`.
        description: What it does.
        add_help: Whether argparse gives the help.
    """

    def __init__(self, command: str, description: str, add_help: bool = True) -> None:
        super().__init__(
            prog=f"mmlm {command}", description=description, add_help=add_help, allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Return the arguments.

        Raises:
            UnknownChoiceError: A flag that there is not.
            OptionError: Anything else that is wrong with them.
        """
        arguments, unknown = self.parse_known_intermixed_args(list(argv))
        if unknown:
            flag = unknown[0].partition("=")[0]
            if not flag.startswith("-"):
                raise OptionError(f"`{self.prog}` takes no `{unknown[0]}`. See `{self.prog} --help`.")
            flags = [option for action in self._actions for option in action.option_strings if option[:2] == "--"]
            raise UnknownChoiceError(f"`{flag}` is no flag of `{self.prog}`.{did_you_mean(flag, flags)}{one_of(flags)}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without those that it calls required and that may be left out."""
        for action in self._actions:
            if action.nargs == "*":
                message = message.replace(f", {action.metavar}", "")
        raise OptionError(f"`{self.prog}`: {message}. See `{self.prog} --help`.")


def word_of(flag: str, words: Sequence[str]) -> Callable[[str], str]:
    """Return the `type` of a flag that takes one of some words; argparse's own `choices` know no nearest one.

    Args:
        flag: The flag, as `--cfg`.
        words: What it takes.
    """

    def word(given: str) -> str:
        if given not in words:
            raise UnknownChoiceError(f"`{given}` is no value of `{flag}`.{did_you_mean(given, words)}{one_of(words)}")
        return given

    return word
