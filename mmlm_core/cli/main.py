"""The command `mmlm`: finds the command that is asked for, and says its errors. Imports next to nothing."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from mmlm_core.cli import say
from mmlm_core.errors import MmlmError, UnknownChoiceError, did_you_mean, one_of, system_trouble
from mmlm_core.runs import is_first_here

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "train": "compose a model, check it and train it",
    "eval": "measure a trained run on a split of its data",
    "predict": "predict for files, folders, a table or standard input; JSON lines out",
    "generate": "write text for an input or a prompt, as it is generated",
    "data": "`check` the rows of a composition before it is trained, or `preview` them as the model gets them",
    "components": "list what can be chosen, and who gives it",
    "compat": "say whether a composition fits together, and why not; which choices fit which",
    "explain": "explain an option: its value, who set it, what it is",
    "doctor": "examine this environment, and say what to do about what is wrong",
    "plugins": "list the installed plugins, and what is wrong with those set aside; `check` one",
    "plugin": "begin a plugin of your own: `mmlm plugin new NAME --kind KIND`",
}
"""The commands, each with what it does; the command `x` is `run` of the module `mmlm_core.cli.x_command`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code: 0, or 2 where the user's input is wrong.

    Args:
        argv: The arguments; None: the process's.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese shows a caption all the same
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except MmlmError as error:
        if is_first_here():  # all processes of a job find the same
            say.error(str(error))
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:  # the reader of a pipe, as `head`, has gone: write no more, also not when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        told = system_trouble(error)
        if told is None:  # a fault of ours
            raise
        say.error(told)
        return 2


def _run(argv: list[str]) -> int:
    command, rest = (argv[0], argv[1:]) if argv else ("--help", [])
    if command in COMMANDS:
        import_module(f"mmlm_core.cli.{command}_command").run(rest)
    elif command in ("--help", "-h", "help"):
        say.out(_help())
    elif command == "--version":
        from importlib.metadata import version

        say.out(f"mmlm {version('mmlm-core')}")
    elif command in ("--completion", "--complete"):
        import_module("mmlm_core.cli.completion").run(command, rest)
    else:
        kind = "flag" if command.startswith("-") else "command"
        names = ["--help", "--version", "--completion"] if kind == "flag" else list(COMMANDS)
        raise UnknownChoiceError(f"`{command}` is no {kind} of `mmlm`.{did_you_mean(command, names)}{one_of(names)}")
    return 0


def _help() -> str:
    return "\n".join([
        "mmlm: multimodal language models, composed from parts.",
        "",
        f"{say.bold('Use:')} mmlm COMMAND ...     mmlm COMMAND --help",
        "",
        say.bold("Commands"),
        say.definitions(COMMANDS.items(), column=14),
        "",
        say.bold("Examples"),
        "  mmlm train experiment=emoji_captioning        train a recipe",
        "  mmlm train backbone=gru backbone.depth=3      swap a part, set an option",
        "  mmlm train --help                             every part that can be swapped",
        "  mmlm predict runs/NAME cat.png                predict with a trained run",
        "",
        say.bold("Flags"),
        say.definitions([
            ("--version", "print the version"),
            ("--completion bash", 'print the completion of bash: eval "$(mmlm --completion bash)"'),
        ], column=22),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
