"""A trained run that predicts: light (neither Lightning nor wandb is imported), batched, streaming."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from mmlm_core import generation
from mmlm_core.boxes import count, short
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import Collator, Fault, Prepared, Row, collate_examples
from mmlm_core.data.excess import Excess
from mmlm_core.errors import CompositionError, DataError, OptionError, did_you_mean, one_of
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.preparation import make_tokenizer
from mmlm_core.run_reader import RunRecord, read_run
from mmlm_core.settings import OnError
from mmlm_core.types import Batch, Example
from mmlm_core.weights import load_weights

__all__ = ["Predictor", "load", "loaded"]

_log = logging.getLogger(__name__)


def load(run: str | PathLike[str], overrides: Sequence[str] = (), device: str = "auto") -> Predictor:
    """Load a run folder for prediction. No code out of the folder is run.

    Args:
        run: The run folder, as `runs/x`.
        overrides: Changes of its configuration, as `decoding.beams=4`.
        device: `cpu`, `cuda`, ...; `auto` takes a GPU where there is one.

    Raises:
        RunError: The run cannot be read.
        OptionError: An override is wrong, there is no such device, or `decoding.int8` meets one that is no CPU.

    Example:
        >>> mmlm_core.load("runs/x").generate(image="cat.png")  # doctest: +SKIP
        'cat face'
    """
    if isinstance(overrides, str):
        raise OptionError(f'`overrides` must be a list of texts, as `["{overrides}"]`, not one text.')
    _device(device)
    return loaded(read_run(Path(run), overrides), device)


def loaded(record: RunRecord, device: str = "auto") -> Predictor:
    """Return what `load` does, of a run that was read."""
    where = _device(device)
    tokenizer = make_tokenizer(record.composition)
    if tokenizer is not None:
        tokenizer.load(record.tokenizer_folder)
    model = build(record.composition, tokenizer=tokenizer, facts=record.facts)
    load_weights(model, record.weights, record.edits())
    if record.composition.settings.decoding.int8:
        if where.type != "cpu":
            raise OptionError(f"`decoding.int8` is for a CPU, not for `{where}`: leave it out, or load on the `cpu`.")
        model = generation.to_int8(model)
    return Predictor(record.composition, model.to(where))


def _device(name: str) -> torch.device:
    """Return a device by its name.

    Raises:
        OptionError: There is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch's ways to say so
        raise OptionError(f"`device` must be one that torch has here, as `cpu` or `auto`, not `{name}`.") from error
    return device


class Predictor:
    """A model with its processors, from raw items to predictions.

    Args:
        composition: What the model is made of.
        model: With its weights.
    """

    def __init__(self, composition: Composition, model: Model) -> None:
        self.composition = composition
        self.model = model.eval().requires_grad_(False)
        self._processors = model.processors()
        self._targets = model.head.target_processor()

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(iter(self.model.parameters()), torch.empty(0)).device

    def __repr__(self) -> str:
        """Return what the model is made of, its size and where it computes."""
        slots = [f"encoder/{name}" for name in self.composition.modalities()] + ["fusion", "backbone", "head"]
        parts = " ".join(f"{slot}={self.composition[slot].component.name}" for slot in slots)
        return f"Predictor({parts}; {short(count(self.model))} parameters on {self.device})"

    def predict(self, rows: Iterable[Mapping[str, Any] | Example]) -> Iterator[dict[str, Any]]:
        """Return an iterator over the predictions of rows, in order, each as it is known.

        Rows are batched by `loader.batch_size`. For one row, see `generate`.

        Args:
            rows: Each gives the item, or the list of items, of each modality (`{"image": "cat.png"}`), and may have
                a `prompt`; or an `Example`.

        Returns:
            Plain JSON values: `key` and what the head says, `prediction` first. Where `loader.on_error` is `skip`, rows
            that cannot be used are left out, logged and counted.

        Raises:
            DataError: There are no rows but something else; or, while they are read, a row names a modality that the
                model does not read, lacks all that it reads, or has an item that cannot be used.
        """
        if not isinstance(rows, Iterable) or isinstance(rows, Mapping | str | bytes):
            known = self.composition.modalities() or ["prompt"]
            row, one = ", ".join(f'"{name}": ...' for name in known), ", ".join(f"{name}=..." for name in known)
            raise DataError(f"`predict` takes rows, as `predict([{{{row}}}])`; for one row, `generate({one})`.")
        return self._predict(rows)

    def _predict(self, rows: Iterable[Mapping[str, Any] | Example]) -> Iterator[dict[str, Any]]:
        options = self.composition.settings.loader
        faults = 0
        excess = Excess(self._processors)
        examples = (self._example_or_fault(row, index) for index, row in enumerate(rows))
        while chunk := list(islice(examples, options.batch_size)):
            given = Prepared((), self._processors, self._targets, on_error=options.on_error)
            prepared = [given.row(example) for example in chunk if isinstance(example, Example)]
            for fault in [row for row in (*chunk, *prepared) if isinstance(row, Fault)]:
                faults += 1
                _log.warning("Skipped `%s`: %s", fault.key, fault.reason)
            usable = [row for row in prepared if isinstance(row, Row)]
            if usable:
                batch = Collator(self._processors, self._targets)(usable).to(self.device)
                predictions = generation.predict(self.model, batch, self.composition.settings.decoding)
                for example, prediction in zip(batch.examples, predictions, strict=True):
                    excess.count(example)
                    yield {"key": example.key, **prediction}
        if excess.cut:
            _log.warning("%s", excess.told("that were predicted for"))
        if faults:
            _log.warning("%d row%s could not be used.", faults, "" if faults == 1 else "s")

    def generate(self, prompt: str | None = None, **inputs: Any) -> Any:
        """Return the prediction of one row: `generate(image="cat.png")`, `generate(prompt="Once")`.

        A generated text is what comes after the prompt, without it; `mmlm generate` writes the prompt before it, as
        `stream(..., echo=True)` does.

        Args:
            prompt: What the generated text begins with.
            **inputs: The item, or the list of items, of each modality.

        Raises:
            DataError: An input that the model does not read, none that it reads, or one that cannot be used.
        """
        row = dict(inputs) if prompt is None else {**inputs, "prompt": prompt}
        batch = self.batch([self._example(row, 0)])
        return generation.predict(self.model, batch, self.composition.settings.decoding)[0]["prediction"]

    def stream(self, row: Mapping[str, Any] | Example, *, echo: bool = False) -> Iterator[str]:
        """Return an iterator over the generated text of one row, as it comes; the pieces together are the whole text.

        No piece ends within a character. Beams yield the text whole, since until the end it may still lose.

        Args:
            row: As for `predict`.
            echo: Begin with the row's prompt, as `mmlm generate` does: the pieces are then the prompt and what goes on
                from it, with the space between them that the tokenizer puts there. A head that replies, as `dialogue`,
                yields its reply alone.

        Raises:
            CompositionError: The head does not generate.
        """
        if not isinstance(self.model.head, GenerativeHead):
            name = self.composition["head"].component.name
            raise CompositionError(f"`head={name}` does not generate text; use `predict`.")
        batch = self.batch([self._example(row, 0)])
        return generation.stream(self.model, batch, self.composition.settings.decoding, echo=echo)

    def batch(self, examples: Sequence[Example]) -> Batch:
        """Return the rows as a batch on the model's device."""
        return collate_examples(examples, self._processors, self._targets).to(self.device)

    def _example_or_fault(self, row: Mapping[str, Any] | Example, index: int) -> Example | Fault:
        try:
            return self._example(row, index)
        except DataError as error:
            if self.composition.settings.loader.on_error is OnError.RAISE:
                raise
            return Fault(_key(row, index), str(error))

    def _example(self, row: Mapping[str, Any] | Example, index: int) -> Example:
        if isinstance(row, Example):
            return row
        known = self.composition.modalities()
        if not isinstance(row, Mapping):
            first = (known or ["prompt"])[0]
            raise DataError(f"row {index + 1} must give each input by its modality, as `{{{first!r}: ...}}`, not be "
                            f"{type(row).__name__}.{one_of(known)}")  # fmt: skip
        told = f"`{row['key']}`" if "key" in row else f"row {index + 1}"
        items = {name: value for name, value in row.items() if name not in ("prompt", "key")}
        for name in items:
            if name not in known:
                raise DataError(f"{told} gives `{name}`, which this model does not read."
                                f"{did_you_mean(name, known)}{one_of(known)}")  # fmt: skip
        inputs = {name: _listed(value) for name, value in items.items()}
        if known and not any(inputs.values()):
            raise DataError(f"{told} gives none of the inputs that this model reads.{one_of(known)}")
        prompt = row.get("prompt")
        if isinstance(prompt, int) and not isinstance(prompt, bool):
            prompt = str(prompt)  # which is how it was written, unlike a number with a point
        if not (prompt is None or isinstance(prompt, str | list)):
            raise DataError(f"The `prompt` of {told} must be text, not {prompt!r}: put it into quotes.")
        return Example(_key(row, index), inputs, None, prompt)


def _key(row: Any, index: int) -> str:
    return row.key if isinstance(row, Example) else str(row.get("key", index) if isinstance(row, Mapping) else index)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
