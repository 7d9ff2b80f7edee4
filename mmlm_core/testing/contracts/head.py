"""What a task head and its target processor keep."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.interfaces import GenerativeHead, Head
from mmlm_core.testing.contracts.common import TEXTS, ComponentContract, features, missing_gradients, same
from mmlm_core.types import QUERIES, Batch, Example, Features, Items

__all__ = ["HeadContract"]


class HeadContract(ComponentContract):
    """Queries, loss, predictions, metrics."""

    def targets(self) -> list[Any]:
        """Return training targets of the head's task."""
        return self.given_targets or TEXTS[:3]

    def head(self) -> Head:
        """Return the head for a backbone of width 16 over one modality, `text`."""
        facts = self.component.load().facts(self.options, self.targets())  # type: ignore[attr-defined]
        assert json.loads(json.dumps(facts)) == facts, "facts must be plain JSON values"
        return self.make(width=16, modalities=("text",), facts=facts).eval()  # type: ignore[no-any-return]

    def batch(self, head: Head, targets: list[Any]) -> Batch:
        """Return a batch of rows with these targets."""
        processor = head.target_processor()
        examples = [Example(f"row {index}", {"text": ["x"]}, target) for index, target in enumerate(targets)]
        inputs: dict[str, Items] = {}
        rows = [processor.process(example, {"text": [{"ids": torch.tensor([1, 2])}]}) for example in examples]
        return Batch(len(targets), inputs, processor.collate(rows, inputs, None), examples)

    def outputs(self, head: Head, batch: Batch) -> dict[str, Features]:
        """Return what a backbone that does nothing gives the head, with a text of 4 positions."""
        queries = head.queries(batch)
        outputs = {"text": features(batch.size, 4, 16)}
        if queries is not None:
            outputs[QUERIES] = queries.with_values(queries.values + outputs["text"].values.mean(1, keepdim=True))
        return outputs

    def test_its_loss_is_a_sum_over_rows(self) -> None:
        """The loss of a batch is the sum of its rows' losses: padding to the longest changes nothing."""
        head, targets = self.head(), self.targets()
        batch = self.batch(head, targets)
        outputs = self.outputs(head, batch)
        loss = head.loss(outputs, batch)
        assert loss.total.isfinite() and loss.count > 0
        totals = torch.tensor(0.0)
        for row, target in enumerate(targets):
            alone = self.batch(head, [target])
            queries = head.queries(alone)
            single = {"text": features(len(targets), 4, 16)}
            single = {"text": Features(single["text"].values[row : row + 1])}
            if queries is not None:
                single[QUERIES] = queries.with_values(queries.values + single["text"].values.mean(1, keepdim=True))
            totals = totals + head.loss(single, alone).total
        assert same(loss.total, totals)

    def test_gradients_reach_every_parameter(self) -> None:
        """Nothing is built that is not used."""
        head = self.head().train()
        batch = self.batch(head, self.targets())
        assert not missing_gradients(head, head.loss(self.outputs(head, batch), batch).mean)

    def test_its_predictions_are_plain_values_and_can_be_measured(self) -> None:
        """One prediction a row, JSON, and metrics over them are finite numbers, also when all is right."""
        head, targets = self.head(), self.targets()
        batch = self.batch(head, targets)
        if isinstance(head, GenerativeHead):
            predictions = [{"prediction": target} for target in targets]
        else:
            predictions = head.predict(self.outputs(head, batch), batch)
        assert len(predictions) == len(targets)
        assert json.loads(json.dumps(predictions)) == predictions
        measured = head.metrics(predictions, targets)
        assert all(isinstance(value, float) and value == value for value in measured.values())

    def test_it_predicts_without_targets(self) -> None:
        """In prediction no row has a target."""
        head = self.head()
        batch = self.batch(head, [None, None])
        if isinstance(head, GenerativeHead):
            ids, lengths = head.prompt(batch)
            assert ids.shape[0] == 2 and (lengths >= 1).all() and (lengths <= ids.shape[1]).all()
            assert head.logits(head.embed(ids)).shape[:2] == ids.shape
            assert isinstance(head.decode([0, 1, head.end]), str)
        else:
            assert len(head.predict(self.outputs(head, batch), batch)) == 2

    def test_its_target_processor_pickles(self) -> None:
        """Data workers are other processes."""
        processor = self.head().target_processor()
        copied = pickle.loads(pickle.dumps(processor))
        for target in self.targets():
            ours, theirs = (p.process(Example("row", {}, target), {}) for p in (processor, copied))
            assert all(torch.equal(ours[name], theirs[name]) for name in ours)

    def test_an_unusable_target_is_an_error_of_ours(self) -> None:
        """An object is neither a text nor a label."""
        with pytest.raises(DataError):
            self.head().target_processor().process(Example("row", {}, object()), {})
