"""`mmlm generate`: writes text for an input or a prompt, as it is generated; for several inputs, JSON lines."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.predict_command import write
from mmlm_core.cli.presets import spelled_out
from mmlm_core.cli.rows import InputReader, add_inputs, split_overrides
from mmlm_core.cli.tables import Tables
from mmlm_core.errors import CompositionError
from mmlm_core.run_reader import read_run

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: A run that does not generate, an input that cannot be used, or overrides that are wrong.
    """
    parser = Parser("generate", "Write text with a trained run: for one input as it is generated, "
                    "for several as JSON lines.\n\n"
                    "Examples:\n"
                    "  mmlm generate runs/NAME cat.png\n"
                    "  mmlm generate runs/NAME --prompt 'Once upon a time' decoding.temperature=0.8")  # fmt: skip
    add_inputs(parser)
    args = parser.read(argv)
    inputs, overrides = split_overrides(args.inputs)

    record = read_run(args.run, spelled_out(overrides))
    composition = record.composition
    head = composition["head"]
    if "generates" not in head.traits.provides:
        raise CompositionError(f"`head={head.component.name}` of {args.run} generates nothing: use `mmlm predict`.")
    rows = InputReader(composition, Tables(composition, record.plugins.registry)).read(args, inputs)

    from mmlm_core.prediction import loaded

    predictor = loaded(record)
    first = list(itertools.islice(rows, 2))
    decoding = composition.settings.decoding
    if len(first) == 1 and args.out is None and decoding.beams == decoding.n_best == 1:
        for piece in predictor.stream(first[0], echo=True):
            sys.stdout.write(piece)
            sys.stdout.flush()
        say.out()
    else:
        write(predictor.predict(itertools.chain(first, rows)), args.out)
