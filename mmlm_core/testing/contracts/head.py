"""What a task head and its target processor keep."""

from __future__ import annotations

import json
import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmlm_core.errors import DataError
from mmlm_core.geometry import EXTENT, FRAME, PLACEMENT, boxed
from mmlm_core.interfaces import GenerativeHead, Head, TargetProcessor
from mmlm_core.registry import ALL
from mmlm_core.testing.contracts.checks import difference, refuses, same, telling
from mmlm_core.testing.contracts.common import TEXTS, features
from mmlm_core.testing.contracts.materials import padded
from mmlm_core.testing.contracts.module import SEED, ModuleContract, pull
from mmlm_core.testing.contracts.processing import check_collate, check_pickling, check_process
from mmlm_core.types import QUERIES, Batch, Example, Features, Items

__all__ = ["HeadContract"]

WIDTH = 16
IDS = torch.tensor([1, 2])
SIDE = 8
"""Height and width of a picture, in pixels: masks that `contracts` is given have them too."""
GRID = (2, 2)
ROUNDING = 1e-6
"""How far a metric may lie beyond its range: sacreBLEU gives 100.00000000000004."""


class HeadContract(ModuleContract):
    """Queries, loss, predictions, metrics."""

    def targets(self) -> list[Any]:
        """Return training targets of the head's task: those that are given, or that it declares, or else texts."""
        return self.given_targets or self.component.load_samples() or TEXTS[:3]

    def facts(self) -> dict[str, Any]:
        """Return what the head must know of them."""
        with self.trying_texts():
            return self.component.load().facts(self.options, self.targets())  # type: ignore[attr-defined, no-any-return]

    def trying_texts(self) -> AbstractContextManager[None]:
        """Tell an author whose head takes no texts as targets how to give others."""
        if self.given_targets or self.component.samples:
            return nullcontext()
        return telling(
            f"{self.called} is tried on texts as targets. If its targets are something else, declare `samples`, or "
            f"write contracts(..., targets={{{self.key()!r}: [...]}})"
        )

    def pairs(self) -> bool:
        """Whether the head compares the inputs of a row with each other, and with those of other rows."""
        return "pairs" in self.component.traits_for(self.options).provides

    def modalities(self) -> tuple[str, ...]:
        """Return what the head is built for: those that it names; two where it compares them; else a text."""
        if self.pairs():
            return "image", "text"
        read = self.component.traits_for(self.options).reads
        return tuple(sorted(read)) if read and read != ALL else ("text",)

    def example(self, index: int, target: Any) -> Example:
        """Return a row."""
        text = f"x {index}" if self.pairs() else "x"
        inputs = {name: [text if name == "text" else f"{index}.png"] for name in self.modalities()}
        return Example(f"row {index}", inputs, target)

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """Return the head for a backbone over its modalities."""
        return {"": self.make(seed=seed, width=WIDTH, modalities=self.modalities(), facts=self.facts())}

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """Return the loss, and in evaluation the numbers of the predictions. See `ModuleContract.results`.

        Another seed leaves out the first targets.
        """
        assert isinstance(module, Head)
        targets = self.targets()
        batch = self.batch(module, targets[seed % len(targets) :])
        outputs = self.outputs(module, batch, features(batch.size, 4, WIDTH, seed=seed))
        loss = module.loss(outputs, batch).total
        return [loss] if module.training else [loss, torch.tensor(_numbers(module.predict(outputs, batch)))]

    def made(self) -> Any:
        """Return the weights, the facts, and the targets as they are collated in training."""
        _, processor = self.processor()
        targets = self.collate(processor, self.process(processor), torch.Generator().manual_seed(SEED))
        return {"weights": super().made(), "facts": self.facts(), "targets": targets}

    def batch(self, head: Head, targets: list[Any]) -> Batch:
        """Return a batch of rows with these targets."""
        processor = head.target_processor()
        examples = [self.example(index, target) for index, target in enumerate(targets)]
        rows = [processor.process(example, self.tensors()) for example in examples]
        inputs = self.inputs(len(targets))
        return Batch(len(targets), inputs, processor.collate(rows, inputs, None), examples)

    def outputs(self, head: Head, batch: Batch, read: Features) -> dict[str, Features]:
        """Return what a backbone that adds a row's mean to its queries gives the head; a picture has a grid."""
        queries = head.queries(batch)
        outputs = {
            name: read if name == "text" else Features(read.values.flip(-1), read.mask, grid=GRID)
            for name in self.modalities()
        }
        if queries is not None:
            valid = read.valid.unsqueeze(-1)
            mean = (read.values * valid).sum(1, keepdim=True) / valid.sum(1, keepdim=True).clamp(min=1)
            outputs[QUERIES] = queries.with_values(queries.values + mean)
        return outputs

    def test_its_loss_is_a_sum_over_rows(self) -> None:
        """The loss of a batch is the sum of its rows' losses: padding to the longest target changes nothing."""
        if self.pairs():
            pytest.skip("compares the rows with each other")
        head, targets = self.practised(), self.targets()
        batch, text = self.batch(head, targets), features(len(targets), 4, WIDTH)
        loss = head.loss(self.outputs(head, batch, text), batch)
        assert loss.total.isfinite() and loss.count > 0, (
            f"{self.called} gives a loss of {loss.total.item()} over {loss.count.item()}: it must be a finite sum over "
            "what is counted, at least one."
        )
        alone = []
        for row, target in enumerate(targets):
            single = self.batch(head, [target])
            alone.append(head.loss(self.outputs(head, single, Features(text.values[row : row + 1])), single))
        total, count = torch.stack([each.total for each in alone]).sum(), sum(int(each.count) for each in alone)
        assert same(loss.total, total), (
            f"{self.called} gives a batch a loss of {loss.total.item():.4f} and its rows alone {total.item():.4f}: "
            "`total` must be the sum of the rows' losses. Leave padded targets out of it (`ignore_index`), and take "
            "the sum and not the mean."
        )
        assert int(loss.count) == count, (
            f"{self.called} counts {int(loss.count)} in a batch and {count} in its rows alone: `count` must leave out "
            "padded targets, or the mean loss changes with padding."
        )

    def test_its_loss_does_not_depend_on_the_order_of_the_rows(self) -> None:
        """Also where it compares them."""
        head, targets = self.practised(), self.targets()
        batch, text = self.batch(head, targets), features(len(targets), 4, WIDTH)
        order = list(reversed(range(len(targets))))
        examples = [batch.examples[place] for place in order]
        rows = torch.tensor(order)
        turned = Batch(batch.size, batch.inputs, {name: each[rows] for name, each in batch.targets.items()}, examples)
        loss = head.loss(self.outputs(head, batch, text), batch)
        other = head.loss(self.outputs(head, turned, Features(text.values[rows])), turned)
        assert loss.total.isfinite() and loss.count > 0, (
            f"{self.called} gives a loss of {loss.total.item()} over {loss.count.item()}: it must be a finite sum over "
            "what is counted, at least one."
        )
        assert same(loss.total, other.total) and int(loss.count) == int(other.count), (
            f"{self.called} gives a batch a loss of {loss.total.item():.4f}, and {other.total.item():.4f} with its "
            "rows in another order: keep targets and outputs of a row together, and treat all rows alike."
        )

    def test_masked_positions_reach_neither_loss_nor_predictions(self) -> None:
        """What stands where a mask is False, and a segment's padding, changes nothing that the head says."""
        head, targets = self.practised(), self.targets()
        batch = self.batch(head, targets)
        some = 2 if "text" in self.modalities() else 4  # a picture is there whole or not at all
        text = features(len(targets), 4, WIDTH, [4, *[some] * (len(targets) - 2), 0])
        outputs = self.outputs(head, batch, text)
        noisy = {name: replace(padded(part, 0), grid=part.grid) for name, part in outputs.items()}
        longer = {**noisy, "text": padded(text, 2)} if "text" in self.modalities() else noisy
        ours = self._said(head, outputs, batch)
        assert ours[0].isfinite(), (
            f"{self.called} gives a loss that is not finite for a row whose `{self.modalities()[-1]}` has no valid "
            "position: a mean or a softmax over nothing must give zeros."
        )
        for other in (noisy, longer):
            where = difference(ours, self._said(head, other, batch))
            assert where is None, (
                f"{self.called} ignores a mask: what stands where the mask of a segment is False reaches its loss or "
                "its predictions. Pool and score the positions alone that `outputs[name].valid` marks."
            )

    def test_gradients_reach_what_came_before(self) -> None:
        """The backbone learns through every segment that the head reads."""
        head = self.practised()
        batch = self.batch(head, self.targets())
        outputs = self.outputs(head, batch, features(batch.size, 4, WIDTH))
        leaves = {name: part.with_values(part.values.detach().requires_grad_()) for name, part in outputs.items()}
        loss = pull([head.loss(leaves, batch).total])
        for name in head.reads:
            reached = loss.requires_grad and torch.autograd.grad(
                loss, leaves[name].values, retain_graph=True, allow_unused=True
            )[0] is not None  # fmt: skip
            assert reached, (
                f"{self.called} says that it reads `{name}` and sends no gradient back to it: leave out `detach`, "
                "`no_grad` and `argmax` on its way to the loss, or the name out of `reads`."
            )

    def test_it_declares_whose_positions_it_reads(self) -> None:
        """Compositions are checked by the declaration, before the head is built."""
        head, declared = self.modules()[""], self.component.traits_for(self.options).reads
        assert isinstance(head, Head)
        read = set(head.reads) - {QUERIES}
        assert read == (set(self.modalities()) if declared == ALL else declared & set(self.modalities())), (
            f"{self.called} reads {f'the positions of {_listed(read)}' if read else 'its queries alone'}, and declares "
            f"`reads={set(declared) or '{}'}`: let `Traits(reads=...)` name the modalities whose positions it reads "
            "(`mmlm_core.ALL`: all of them), as the attribute `reads` of the head does."
        )

    def test_its_facts_are_plain(self) -> None:
        """They are kept in the run folder."""
        facts = self.facts()
        with telling(f"{self.called} has facts that JSON cannot hold: return plain values"):
            again = json.loads(json.dumps(facts))
        assert again == facts, (
            f"{self.called} has facts that JSON changes ({difference(facts, again)}): return lists for tuples, and "
            "text for the keys of dicts."
        )

    def test_its_predictions_are_plain_values_and_can_be_measured(self) -> None:
        """One prediction a row, JSON, and metrics over them are finite numbers, also when all is right."""
        head, targets = self.practised(), self.targets()
        batch = self.batch(head, targets)
        if isinstance(head, GenerativeHead):
            predictions = [{"prediction": target} for target in targets]
        else:
            predictions = head.predict(self.outputs(head, batch, features(batch.size, 4, WIDTH)), batch)
        self._check_predictions(predictions, len(targets))
        measured = head.metrics(predictions, targets)
        wrong = [name for name, value in measured.items() if not isinstance(value, float) or not math.isfinite(value)]
        assert not wrong, (
            f"{self.called} measures {', '.join(f'`{name}` as {measured[name]!r}' for name in wrong)}: every metric "
            "must be a finite float."
        )
        outside = [name for name, (low, high) in head.metric_ranges.items()
                   if name in measured and not low - ROUNDING <= measured[name] <= high + ROUNDING]  # fmt: skip
        assert not outside, (
            f"{self.called} measures {', '.join(f'`{name}` as {measured[name]!r}' for name in outside)}, outside of "
            "its `metric_ranges`: name the least and the greatest value that each metric can have."
        )

    def test_it_predicts_without_targets(self) -> None:
        """In prediction no row has a target."""
        head = self.practised()
        with telling(f"{self.called} cannot make a batch of rows whose target is None, as in prediction"):
            batch = self.batch(head, [None, None])
        if isinstance(head, GenerativeHead):
            ids, lengths = head.prompt(batch)
            assert ids.shape[0] == 2 and (lengths >= 1).all() and (lengths <= ids.shape[1]).all(), (
                f"{self.called} begins with prompts of the lengths {lengths.tolist()} out of {tuple(ids.shape)} ids: "
                "each row needs one at least."
            )
            assert head.logits(head.embed(ids)).shape[:2] == ids.shape, f"{self.called} must score every position."
            assert isinstance(head.decode([0, 1, head.end]), str), f"{self.called} must decode ids to a text."
        else:
            predictions = head.predict(self.outputs(head, batch, features(2, 4, WIDTH)), batch)
            self._check_predictions(predictions, 2)

    def processor(self) -> tuple[str, TargetProcessor]:
        """Return what messages call the target processor, and the target processor."""
        head: Head = self.modules()[""]  # type: ignore[assignment]
        return f"The target processor of {self.called}", head.target_processor()

    def process(self, processor: TargetProcessor) -> list[dict[str, Tensor]]:
        """Return the processed targets."""
        examples = [self.example(index, target) for index, target in enumerate(self.targets())]
        with self.trying_texts():
            return [processor.process(example, self.tensors()) for example in examples]

    def collate(
        self, processor: TargetProcessor, rows: list[dict[str, Tensor]], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Return the collated targets."""
        return processor.collate(rows, self.inputs(len(rows)), generator)

    def tensors(self) -> dict[str, list[dict[str, Tensor]]]:
        """Return what the processors make of a row's items: a text of two tokens, a picture of 8 x 8 pixels."""
        return {name: [_text() if name == "text" else _picture()] for name in self.modalities()}

    def inputs(self, rows: int) -> dict[str, Items]:
        """Return the tensors of so many rows, collated."""
        return {
            name: Items({key: torch.stack([each] * rows) for key, each in items[0].items()})
            for name, items in self.tensors().items()
        }

    def test_its_target_processor_pickles(self) -> None:
        """Data workers are other processes."""
        check_pickling(*self.processor(), self.process)

    def test_its_target_processor_repeats_itself(self) -> None:
        """One target always becomes the same tensors."""
        check_process(*self.processor(), self.process)

    def test_its_collate_draws_from_the_generator_alone(self) -> None:
        """What is drawn in training follows its seed, and leaves the targets as they are."""
        check_collate(*self.processor(), self.process, self.collate)

    def test_an_unusable_target_is_an_error_of_ours(self) -> None:
        """An object is neither a text nor a label."""
        named, processor = self.processor()
        example = Example("row", {}, object())
        refuses(
            lambda: processor.process(example, {}), DataError, f"{named} that is given an object, no target of its,"
        )

    def _said(self, head: Head, outputs: dict[str, Features], batch: Batch) -> tuple[Tensor, list[dict[str, Any]]]:
        return head.loss(outputs, batch).total, head.predict(outputs, batch)

    def _check_predictions(self, predictions: list[dict[str, Any]], rows: int) -> None:
        assert len(predictions) == rows, (
            f"{self.called} gives {len(predictions)} predictions for {rows} rows: one each."
        )
        with telling(f"{self.called} gives predictions that JSON cannot hold: return plain values (`tensor.tolist()`)"):
            again = json.loads(json.dumps(predictions))
        assert again == predictions and all("prediction" in each for each in predictions), (
            f"{self.called} gives predictions that JSON changes, or without `prediction`: plain values, with text for "
            "the keys of dicts."
        )


def _numbers(said: Any) -> list[float]:
    """Return the numbers among plain values."""
    if isinstance(said, dict | list | tuple):
        parts = said.values() if isinstance(said, dict) else said
        return [number for part in parts for number in _numbers(part)]
    return [float(said)] if isinstance(said, int | float) else []


def _text() -> dict[str, Tensor]:
    return {"ids": IDS.clone()}


def _picture() -> dict[str, Tensor]:
    placement, size = boxed((SIDE, SIDE), (0, 0, SIDE, SIDE)), torch.tensor([SIDE, SIDE])
    return {**_text(), "pixels": torch.zeros(3, SIDE, SIDE), PLACEMENT: placement, EXTENT: size, FRAME: size}


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
