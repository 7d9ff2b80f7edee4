"""A trained run that predicts: light (neither Lightning nor wandb is imported), batched, streaming."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from mmlm_core import generation
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.errors import CompositionError, DataError, did_you_mean, one_of
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.preparation import make_tokenizer
from mmlm_core.runs import load_weights, read_run
from mmlm_core.types import Batch, Example

__all__ = ["Predictor", "load"]


def load(run: str | PathLike[str], overrides: Sequence[str] = (), device: str = "auto") -> Predictor:
    """Load a run folder for prediction. No code out of the folder is run.

    Args:
        run: The run folder, as `runs/x`.
        overrides: Changes of its configuration, as `decoding.beams=4`.
        device: `cpu`, `cuda`, ...; `auto` takes a GPU where there is one.

    Example:
        >>> mmlm_core.load("runs/x").generate(image="cat.png")  # doctest: +SKIP
        'cat face'
    """
    record = read_run(Path(run), overrides)
    tokenizer = make_tokenizer(record.composition)
    if tokenizer is not None:
        tokenizer.load(record.tokenizer_folder)
    model = build(record.composition, tokenizer=tokenizer, facts=record.facts)
    load_weights(model, record.weights)
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    return Predictor(record.composition, model.to(where))


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

    def predict(self, rows: Iterable[Mapping[str, Any] | Example]) -> Iterator[dict[str, Any]]:
        """Yield a prediction for each row, in order, as it is known; rows are batched by `loader.batch_size`.

        Args:
            rows: Each gives the item, or the list of items, of each modality (`{"image": "cat.png"}`), and may have
                a `prompt`; or an `Example`.

        Yields:
            Plain JSON values: `key` and what the head says, `prediction` first.

        Raises:
            DataError: A row names a modality that the model does not read, lacks all that it reads, or has an item that
                cannot be used.
        """
        examples = (self._example(row, index) for index, row in enumerate(rows))
        while chunk := list(islice(examples, self.composition.settings.loader.batch_size)):
            predictions = generation.predict(self.model, self.batch(chunk), self.composition.settings.decoding)
            for example, prediction in zip(chunk, predictions, strict=True):
                yield {"key": example.key, **prediction}

    def generate(self, prompt: str | None = None, **inputs: Any) -> Any:
        """Return the prediction of one row: `generate(image="cat.png")`, `generate(prompt="Once")`.

        Args:
            prompt: What the generated text begins with.
            **inputs: The item, or the list of items, of each modality.
        """
        row = dict(inputs) if prompt is None else {**inputs, "prompt": prompt}
        return next(self.predict([row]))["prediction"]

    def stream(self, row: Mapping[str, Any] | Example) -> Iterator[str]:
        """Yield the generated text of one row piece by piece; together the pieces are the whole text.

        Raises:
            CompositionError: The head does not generate.
        """
        head = self.model.head
        if not isinstance(head, GenerativeHead):
            name = self.composition["head"].component.name
            raise CompositionError(f"`head={name}` does not generate text; use `predict`.")
        ids: list[int] = []
        said = ""
        batch = self.batch([self._example(row, 0)])
        for token in generation.stream(self.model, batch, self.composition.settings.decoding):
            ids.append(token)
            text = str(head.decode(ids))
            if text.startswith(said) and not text.endswith("\ufffd"):  # wait for a character's last byte
                yield text[len(said) :]
                said = text
        whole = str(head.decode(ids))
        if whole != said and whole.startswith(said):
            yield whole[len(said) :]

    def batch(self, examples: Sequence[Example]) -> Batch:
        """Return the rows as a batch on the model's device."""
        return collate_examples(examples, self._processors, self._targets).to(self.device)

    def _example(self, row: Mapping[str, Any] | Example, index: int) -> Example:
        if isinstance(row, Example):
            return row
        known = self.composition.modalities()
        items = {name: value for name, value in row.items() if name not in ("prompt", "key")}
        for name in items:
            if name not in known:
                raise DataError(f"row {index + 1} gives `{name}`, which this model does not read."
                                f"{did_you_mean(name, known)}{one_of(known)}")  # fmt: skip
        inputs = {name: _listed(value) for name, value in items.items()}
        if known and not any(inputs.values()):
            raise DataError(f"row {index + 1} gives none of the inputs that this model reads.{one_of(known)}")
        prompt = row.get("prompt")
        return Example(str(row.get("key", index)), inputs, None, None if prompt is None else str(prompt))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
