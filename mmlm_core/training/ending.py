"""What follows the training: its summary, the evaluation on held-out rows, the report."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from mmlm_core.composition import Composition
from mmlm_core.evaluation import evaluate
from mmlm_core.files import read_lines, write_json, write_table
from mmlm_core.report import write_report
from mmlm_core.report.closing import print_closing
from mmlm_core.runs import RunFolder
from mmlm_core.training.bar import duration
from mmlm_core.training.session import Outcome

__all__ = ["finish"]


def finish(
    folder: RunFolder, composition: Composition, outcome: Outcome, sizes: Mapping[str, int | None], console: Console
) -> None:
    """Write the summary, evaluate on `test` (or else `validation`), write the report, and print all that.

    Args:
        folder: The run.
        composition: What was trained.
        outcome: How the training ended.
        sizes: Rows of each split; None where it is streamed and does not say.
        console: Where to print.
    """
    write_json(folder.summary, vars(outcome))
    write_table(folder.metrics.with_suffix(".csv"), read_lines(folder.metrics))
    console.print(f"trained {outcome.steps:,} steps in {duration(outcome.seconds)}; kept the weights of step "
                  f"{outcome.best_step:,}", soft_wrap=True)  # fmt: skip
    if outcome.skipped:
        rows = "1 row" if len(outcome.skipped) == 1 else f"{len(outcome.skipped):,} rows"
        console.print(f"{rows} could not be used in training; {folder.summary} lists them", soft_wrap=True)
    split = next((split for split in ("test", "validation") if sizes.get(split, 0) != 0), None)
    if split is None:
        console.print(f"report: {write_report(folder)}", soft_wrap=True)
        return
    evaluate(folder.path, split=split, progress=composition.settings.trainer.progress)
    print_closing(console, folder, split)
