"""`mmlm eval`: measures a trained run on a split of its data, or of other data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.presets import spelled_out
from mmlm_core.run_reader import read_run

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: A run that cannot be used, or overrides that are wrong.
    """
    parser = Parser("eval", "Measure a trained run on a split of its data.\n\n"
                    "Examples:\n"
                    "  mmlm eval runs/NAME\n"
                    "  mmlm eval runs/NAME --split validation decoding.beams=4\n"
                    "  mmlm eval runs/NAME data=table data.path=other.csv")  # fmt: skip
    parser.add_argument("run", metavar="RUN", type=Path, help="the run's folder")
    told = "changes for this evaluation: `data=...`, `loader.*`, `decoding.*`, `trainer.*`"
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help=told)
    parser.add_argument("--split", default="test", help="the split to measure on (default: test)")
    parser.add_argument("--json", action="store_true", help="print the metrics as one line of JSON")
    args = parser.read(argv)

    overrides = spelled_out(args.overrides)
    record = read_run(args.run, overrides)

    from mmlm_core.evaluation import evaluate
    from mmlm_core.report.closing import make_console, print_closing

    metrics = evaluate(record, split=args.split, overrides=overrides)
    folder = record.folder.changed(overrides)
    if overrides:
        say.note(f"the run's own figures stay; these are in `{folder.path}`.")
    if args.json:
        say.out(json.dumps(metrics, ensure_ascii=False))
    else:
        print_closing(make_console(), folder, args.split)
