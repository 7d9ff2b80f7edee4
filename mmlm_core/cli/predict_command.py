"""`mmlm predict`: predicts with a trained run, in batches; JSON lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.presets import spelled_out
from mmlm_core.cli.rows import InputReader, add_inputs, split_overrides
from mmlm_core.cli.tables import Tables
from mmlm_core.errors import DataError
from mmlm_core.run_reader import read_run

__all__ = ["run", "write"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: A run or an input that cannot be used, or overrides that are wrong.
    """
    parser = Parser("predict", "Predict with a trained run: a line of JSON for each input.\n\n"
                    "Examples:\n"
                    "  mmlm predict runs/NAME cat.png dogs/ 'more/*.jpg'\n"
                    "  mmlm predict runs/NAME --table data.csv --out predictions.jsonl\n"
                    "  mmlm predict runs/NAME --text 'A fine film.'")  # fmt: skip
    add_inputs(parser)
    args = parser.read(argv)
    inputs, overrides = split_overrides(args.inputs)

    record = read_run(args.run, spelled_out(overrides))
    rows = InputReader(record.composition, Tables(record.composition, record.plugins.registry)).read(args, inputs)

    from mmlm_core.prediction import loaded

    files = [Path(text) for text in inputs] + [args.table] * (args.table is not None)
    write(loaded(record).predict(rows), args.out, files)


def write(predictions: Iterator[Mapping[str, Any]], out: Path | None, inputs: Sequence[Path] = ()) -> None:
    """Write JSON lines, each as it is known.

    A file takes its name when it is complete. Until then, and if something fails, what there is lies beside it under
    the name with `.part`, and what the file held before stays.

    Args:
        predictions: What to write.
        out: The file; None: the standard output.
        inputs: The files that are read, of which it must be none.

    Raises:
        DataError: The file cannot be written, or is one of the inputs.
    """
    count = 0
    with _opened(out, inputs) as file:
        for prediction in predictions:
            file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
            file.flush()
            count += 1
    if out is not None:
        say.note(f"`{out}` has {count:,} prediction{'' if count == 1 else 's'}.")


@contextmanager
def _opened(out: Path | None, inputs: Sequence[Path]) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    if any(path.exists() and out.exists() and path.samefile(out) for path in inputs):
        raise DataError(f"`--out {out}` is one of the inputs: it would be lost. Write to another file.")
    plain = out.is_file() or not out.exists()
    written = out.with_name(f"{out.name}.part") if plain else out  # what is no plain file, as a pipe, is written to
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written.open("w", encoding="utf-8") as file:
            yield file
        if plain:
            written.replace(out)
    except OSError as error:
        raise DataError(f"`--out {out}` cannot be written: {error.strerror or error}.") from error
    finally:
        if plain and written.exists() and not written.stat().st_size:
            written.unlink()
