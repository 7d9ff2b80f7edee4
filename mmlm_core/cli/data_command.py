"""`mmlm data check` and `mmlm data preview`: what is in the rows of a composition, before it is trained."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.menu import Menu
from mmlm_core.errors import DataError, OptionError, UnknownChoiceError, did_you_mean, one_of
from mmlm_core.plugins import load_plugins

if TYPE_CHECKING:
    from argparse import Namespace

    from mmlm_core.preparation import Preparation

__all__ = ["COMMANDS", "run"]

COMMANDS = ("check", "preview")


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: What is wrong with the arguments, or with all of the rows.
        SystemExit: Something is wrong with some of the rows: the code is 1.
    """
    parser = Parser("data", "See what is in the rows of a composition, before it is trained.\n\n"
                    "`check` reads every row once, as a training would: what cannot be used and why, lengths, labels,\n"
                    "rows that stand in two splits. It ends with 1 where something is wrong.\n"
                    "`preview` writes a page with some rows as the model gets them: pictures after augmentation,\n"
                    "texts cut into tokens, those that the loss counts coloured; sounds can be heard.\n\n"
                    "Examples:\n"
                    "  mmlm data check experiment=spam_classification\n"
                    "  mmlm data check data=table data.path=mine.csv data.inputs.text=review data.target=stars "
                    "encoder/text=embedding\n"
                    "  mmlm data preview experiment=emoji_captioning --rows 24")  # fmt: skip
    parser.add_argument("what", metavar="check | preview", help="what to do")
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="the composition, as for `mmlm train`")
    parser.add_argument("--split", help="this split alone; `preview` shows `train` where none is named")
    parser.add_argument("--json", action="store_true", help="`check` prints what it found as JSON")
    parser.add_argument("--rows", type=int, default=12, help="rows that `preview` shows (default: 12)")
    parser.add_argument("--out", type=Path, default=Path("preview.html"),
                        help="the page that `preview` writes (default: preview.html)")  # fmt: skip
    parser.add_argument("--config-dir", "-cd", type=Path, help="a folder of your own YAML files")
    args = parser.read(argv)
    if args.what not in COMMANDS:
        raise UnknownChoiceError(f"`{args.what}` is no command of `mmlm data`.{did_you_mean(args.what, COMMANDS)}"
                                 f"{one_of(COMMANDS)}")  # fmt: skip
    if args.rows < 1:
        raise OptionError(f"`--rows` must be at least 1, not {args.rows}.")
    preparation = _prepared(args)
    if args.what == "check":
        _check(preparation, args)
    else:
        _preview(preparation, args)


def _prepared(args: Namespace) -> Preparation:
    """Return the composition that the arguments describe, with its rows and processors."""
    menu = Menu(load_plugins(), args.config_dir)

    from mmlm_core.cli import composing

    with composing.session(menu) as application:
        composition = composing.to_composition(composing.compose(application, menu, args.overrides), menu)
    composing.check(composition, menu.registry)

    from mmlm_core.preparation import prepare
    from mmlm_core.settings import OnError

    composition.settings.loader.on_error = OnError.SKIP  # what cannot be read is to be told, and not to stop

    return prepare(composition)


def _check(preparation: Preparation, args: Namespace) -> None:
    from dataclasses import asdict

    from mmlm_core.cli.data_check import print_examination
    from mmlm_core.examination import examine

    known = preparation.source.splits()
    found = examine(preparation, [_known(args.split, known)] if args.split else known, _shown)
    if args.json:
        say.out(json.dumps({**asdict(found), "wrong": found.wrong}, ensure_ascii=False))
    else:
        print_examination(found)
    if found.wrong:
        sys.exit(1)


def _preview(preparation: Preparation, args: Namespace) -> None:
    from mmlm_core.report.preview import write_preview

    split = _known(args.split or "train", preparation.source.splits())
    write_preview(args.out, preparation, split, args.rows, " ".join(args.overrides))
    say.out(f"preview: {args.out}")


def _known(split: str, known: Sequence[str]) -> str:
    if split not in known:
        raise DataError(f"The data has no split `{split}`.{did_you_mean(split, known)}{one_of(known)}")
    return split


def _shown(rows: Iterable[Any], name: str, size: int | None) -> Iterable[Any]:
    """Return the rows, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(rows, f"reading {name}", total=size, console=console, transient=True) if console.is_terminal else rows
