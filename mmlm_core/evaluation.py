"""Evaluates a run on a split: metrics, beside what two controls reach that have not looked. Light: no Lightning."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from mmlm_core import generation, machine
from mmlm_core.data import BatchLoader, Prepared, Rows, choose_workers, collate_examples, has_length, make_loaders
from mmlm_core.data.excess import Excess
from mmlm_core.data.readable import targets_of
from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.files import read_json, write_json, write_lines
from mmlm_core.interfaces import Stream
from mmlm_core.judging import continuation, judge, writes_freely
from mmlm_core.prediction import Predictor, loaded
from mmlm_core.preparation import STREAMED, make_source
from mmlm_core.report import write_report
from mmlm_core.run_reader import RunRecord, find_data, read_run
from mmlm_core.runs import RunFolder
from mmlm_core.samples import prediction_row, sample, with_shown_target
from mmlm_core.settings import OnError
from mmlm_core.types import QUERIES, Example

__all__ = ["COMMON", "SHUFFLED", "derangement", "evaluate", "most_common"]

_log = logging.getLogger(__name__)

COMMON = "most frequent answer"
SHUFFLED = "shuffled inputs"
GROUPS = 20
"""Groups that are told apart at most."""

SHOWN = 24
"""Rows that the report shows, drawn at random."""


@dataclass
class Judged:
    """A split's rows with their predictions, and its loss."""

    examples: list[Example] = field(default_factory=list)
    predictions: list[dict[str, Any]] = field(default_factory=list)
    total: float = 0.0
    count: float = 0.0
    skipped: dict[str, str] = field(default_factory=dict)


def evaluate(
    run: str | PathLike[str] | RunRecord,
    *,
    split: str = "test",
    overrides: Sequence[str] = (),
    controls: bool = True,
    progress: bool = True,
) -> dict[str, float]:
    """Predict a whole split, measure it, and write the predictions, the metrics and the report into the run folder.

    Each split has files of its own. What is measured with overrides goes into a folder below it, `RunFolder.changed`:
    the run's own figures stay. So do those of a split that gave others before, as its data was changed.

    Controls say what the metrics are worth: the most frequent answer of the training rows, given to everything; and the
    same model, fed the inputs of other rows, where it reads several modalities also those of one modality alone. Where
    the head compares the inputs of a row, all that makes sense is to leave one of the modalities as it is.

    Args:
        run: The run folder; or the run, as it was read with the same overrides.
        split: Of the run's data.
        overrides: Values that replace the run's own, as `decoding.beams=4` or `data.path=more.csv`.
        controls: Whether to measure the controls too.
        progress: Whether to show a progress bar on a terminal.

    Returns:
        The metrics, `loss` first.

    Raises:
        RunError: The run cannot be read.
        DataError: There is no such split, or a row cannot be used.
    """
    began = time.monotonic()
    record = run if isinstance(run, RunRecord) else read_run(Path(run), overrides)
    find_data(record, "evaluate it there, or say where the data is, as `data.path=...`.")
    predictor = loaded(record)
    settings = predictor.composition.settings
    machine.set_threads(settings.trainer.threads)
    source = make_source(predictor.composition)
    if split not in source.splits():
        raise DataError(f"The data has no split `{split}`.{did_you_mean(split, source.splits())}"
                        f"{one_of(source.splits())}")  # fmt: skip
    judged = _judge(predictor, source.read(split), progress, f"evaluating on {split}")
    metrics = _metrics(predictor, judged)
    told = _controls(predictor, judged, _targets(source), progress) if controls else {}
    folder = record.folder.changed(overrides)
    folder.path.mkdir(parents=True, exist_ok=True)
    shown = [with_shown_target(example, predictor.model.head) for example in judged.examples]
    _keep_earlier(folder, split, metrics)
    write_lines(folder.predictions(split), map(prediction_row, shown, judged.predictions))
    write_json(folder.samples(split), {"split": split, "rows": _shown(predictor, judged)})
    write_json(
        folder.evaluation(split),
        {
            "split": split,
            "rows": len(judged.examples),
            "skipped": judged.skipped,
            "cut": Excess(predictor.model.processors(), judged.examples).told(f"of `{split}`"),
            "metrics": metrics,
            "ranges": {name: ends for name, ends in predictor.model.head.metric_ranges.items() if name in metrics},
            "controls": told,
            "groups": _groups(predictor, judged),
            "overrides": list(overrides),
            "seconds": round(time.monotonic() - began, 1),
        },
    )
    write_report(record.folder, folder)
    return metrics


def _keep_earlier(folder: RunFolder, split: str, metrics: Mapping[str, float]) -> None:
    """Move what was measured on a split before to a folder of its own, where it was something else."""
    path = folder.evaluation(split)
    before = read_json(path).get("metrics") if path.exists() else None
    if before in (None, {name: value if math.isfinite(value) else None for name, value in metrics.items()}):
        return
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(path.stat().st_mtime))
    kept = folder.path / "evaluations" / f"{split}_{stamp}"
    kept.mkdir(parents=True, exist_ok=True)
    for each in (folder.predictions(split), folder.samples(split), path):
        if each.exists():
            each.replace(kept / each.name)
    _log.warning("`%s` gave other figures before: they are in `%s` now.", split, kept)


def derangement(size: int, seed: int = 0) -> list[int]:
    """Return an order of so many rows in which none stands at its own place (but where there is only one)."""
    order = list(range(size))
    random.Random(seed).shuffle(order)
    moved = [0] * size
    for place, row in enumerate(order):
        moved[row] = order[(place + 1) % size]
    return moved


def most_common(targets: Iterable[Any]) -> Any:
    """Return the most frequent answer among targets (the first of those that are); None where they are no answers.

    A list of texts counts as several answers.
    """
    answers = (answer for target in targets for answer in (target if isinstance(target, list | tuple) else [target]))
    counts = Counter(answer for answer in answers if isinstance(answer, str | int))
    return counts.most_common(1)[0][0] if counts else None


def _judge(predictor: Predictor, rows: Rows, progress: bool, title: str, on_error: OnError | None = None) -> Judged:
    settings = predictor.composition.settings
    judged = Judged()
    loader = _loader(predictor, rows, on_error or settings.loader.on_error)
    for batch in _shown_progress(loader, title, progress):
        loss, predictions = judge(predictor.model, batch.to(predictor.device), settings.decoding)
        judged.examples += batch.examples
        judged.predictions += predictions
        judged.total += float(loss.total)
        judged.count += float(loss.count)
    judged.skipped = dict(loader.faults)
    return judged


def _loader(predictor: Predictor, rows: Rows, on_error: OnError) -> BatchLoader:
    composition, model = predictor.composition, predictor.model
    processors, targets = model.processors(), model.head.target_processor()
    options = replace(composition.settings.loader, cache_mib=0, on_error=on_error)
    workers = choose_workers(Prepared(rows, processors, targets, on_error=OnError.SKIP), options)
    return make_loaders(
        {"evaluation": rows},
        processors,
        targets,
        replace(options, workers=workers.count),
        composition.settings.run.seed,
        needs_target=composition["data"].traits.has_target,
        pin=predictor.device.type == "cuda",
    )["evaluation"]


def _metrics(predictor: Predictor, judged: Judged) -> dict[str, float]:
    loss = judged.total / judged.count if judged.count else math.nan
    return {"loss": loss, **_measured(predictor, judged.predictions, judged.examples)}


def _measured(
    predictor: Predictor, predictions: Sequence[Mapping[str, Any]], examples: Sequence[Example]
) -> dict[str, float]:
    metrics = predictor.model.head.metrics(predictions, [example.target for example in examples])
    return {name: float(value) for name, value in metrics.items()}


def _groups(predictor: Predictor, judged: Judged) -> dict[str, dict[str, float]]:
    """Return `rows` and the metrics of each of the largest groups that rows are measured under, the largest first."""
    places: dict[str, list[int]] = {}
    for place, example in enumerate(judged.examples):
        if example.group is not None:
            places.setdefault(example.group, []).append(place)
    largest = sorted(places.items(), key=lambda group: -len(group[1]))[:GROUPS]
    return {
        group: {
            "rows": len(of),
            **_measured(predictor, [judged.predictions[i] for i in of], [judged.examples[i] for i in of]),
        }
        for group, of in largest
    }


def _controls(
    predictor: Predictor, judged: Judged, targets: Iterable[Any], progress: bool
) -> dict[str, dict[str, Any]]:
    """Return the metrics of each control that makes sense for the model."""
    told: dict[str, dict[str, Any]] = {}
    model = predictor.model
    examples = judged.examples
    if not predictor.composition.modalities() or not examples or judged.predictions[0].get("prediction") is None:
        return told
    pairs = "pairs" in predictor.composition["head"].traits.provides
    alone = isinstance(judged.predictions[0]["prediction"], str | int | float) or pairs  # one answer for the whole row
    aligned = QUERIES not in model.head.reads and not alone  # a tag for each word: no answer goes for another row
    answer = None if pairs or aligned else model.head.constant()
    if answer is None and not (pairs or aligned):
        answer = most_common(targets)
    if answer is not None:
        told[COMMON] = _measured(predictor, [{"prediction": answer}] * len(examples), examples)
    located = "located" in predictor.composition["head"].traits.provides  # parts of their own row's inputs
    if len(examples) > 1 and not aligned and not located:
        modalities = predictor.composition.modalities()
        others = {SHUFFLED: modalities[1:] if pairs else modalities}  # all of them would still be a pair
        if len(modalities) > 1 and not pairs:
            others |= {f"shuffled {name}": [name] for name in modalities}
        order = derangement(len(examples), predictor.composition.settings.run.seed)
        for title, names in others.items():
            shuffled = [_mixed(example, examples[other], names) for example, other in zip(examples, order, strict=True)]
            # Another row's input may not fit a target that is bound to its positions: such a row has no say.
            with suppress(DataError):  # none fits
                told[title] = _metrics(predictor, _judge(predictor, shuffled, progress, title, OnError.SKIP))
    return told


def _mixed(example: Example, other: Example, modalities: Iterable[str]) -> Example:
    """Return a row with another row's items of some modalities."""
    return replace(example, inputs={**example.inputs, **{name: other.inputs.get(name, ()) for name in modalities}})


def _targets(source: Any) -> Iterable[Any]:
    train: Rows = source.read("train") if "train" in source.splits() else ()
    seen = STREAMED if isinstance(train, Stream) else None
    return islice(targets_of(train, OnError.SKIP), seen)


def _shown(predictor: Predictor, judged: Judged) -> list[dict[str, Any]]:
    """Return some rows for the report, drawn at random: neither the best nor the worst."""
    places = range(len(judged.examples))
    drawn = sorted(random.Random(0).sample(places, min(SHOWN, len(places))))
    rows = [(judged.examples[place], judged.predictions[place]) for place in drawn]
    if writes_freely(predictor.model):
        model = predictor.model
        examples = [continuation(example) for example, _ in rows[: SHOWN // 3]]
        batch = collate_examples(examples, model.processors(), model.head.target_processor()).to(predictor.device)
        rows = list(
            zip(examples, generation.predict(model, batch, predictor.composition.settings.decoding), strict=True)
        )
    processors = predictor.model.processors()
    head = predictor.model.head
    return [sample(with_shown_target(example, head), prediction, processors) for example, prediction in rows]


def _shown_progress(loader: BatchLoader, title: str, progress: bool) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if not progress or not console.is_terminal:
        return loader
    return track(loader, title, total=len(loader) if has_length(loader) else None, console=console, transient=True)
