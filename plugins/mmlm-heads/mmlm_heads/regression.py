"""The head `regression`: a number, or several, for a whole row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import Batch, Features, Loss
from mmlm_heads.number_metrics import number_metrics
from mmlm_heads.numbers import NumberTargets, numbers_of
from mmlm_heads.readout import Readout
from mmlm_heads.regression_options import RegressionOptions

__all__ = ["Regression"]


class Regression(Head):
    """A linear layer over one vector of a row, with the squared error in units of the training targets' deviation.

    Args:
        options: See `RegressionOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
    """

    def __init__(
        self, options: RegressionOptions, *, width: int, modalities: tuple[str, ...], facts: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._means: list[float] = list(facts["means"])
        self._deviations: list[float] = list(facts["deviations"])
        self.readout = Readout(
            options.pooling, options.dropout, width=width, outputs=len(self._means), modalities=modalities
        )
        self.reads = self.readout.reads

    @classmethod
    def facts(cls, options: RegressionOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return `means` and `deviations` of the training targets, of each of their numbers.

        A target that is no number is passed over here; its row is refused, by its key, when it is read.

        Raises:
            DataError: No target is a number, or they have different numbers of them, or all are the same.
        """
        rows = [numbers for numbers in map(_numbers_or_none, targets) if numbers is not None]
        counts = sorted({len(numbers) for numbers in rows})
        if len(counts) != 1:
            told = f"some have {counts[0]} and some {counts[-1]}" if counts else "none is a number"
            raise DataError(f"The training targets must be numbers, as many in each row: {told}.")
        columns = list(zip(*rows, strict=True))
        deviations = [pstdev(column) for column in columns]
        if not all(deviations):
            same = columns[deviations.index(0.0)][0]
            raise DataError(f"The training targets must differ; all {len(rows)} rows have {same:g}.")
        return {"means": [fmean(column) for column in columns], "deviations": deviations}

    def target_processor(self) -> TargetProcessor:
        """Return the processor of numbers."""
        return NumberTargets(self._means, self._deviations)

    def queries(self, batch: Batch) -> Features | None:
        """Return the learned position, or None where the inputs are pooled.

        Shape: values [B, 1, D].
        """
        return self.readout.queries(batch)

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the squared error, the mean over a row's numbers, counted by rows."""
        errors = (self.readout(outputs) - batch.targets["numbers"]).square().mean(-1)
        return Loss(errors.sum(), errors.new_tensor(len(errors)))

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return each row's number, or its list of numbers, as `prediction`."""
        rows = self.readout(outputs).tolist()
        return [{"prediction": self._told([mean + deviation * number for number, mean, deviation
                                           in zip(row, self._means, self._deviations, strict=True)])}
                for row in rows]  # fmt: skip

    def constant(self) -> Any:
        """Return the mean of the training targets."""
        return self._told(self._means)

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return those of `number_metrics`."""
        if not predictions:
            return {}
        given = [numbers_of(prediction["prediction"]) for prediction in predictions]
        return number_metrics(given, [numbers_of(reference) for reference in references])

    def _told(self, numbers: list[float]) -> Any:
        return numbers[0] if len(numbers) == 1 else list(numbers)


def _numbers_or_none(target: Any) -> list[float] | None:
    try:
        return numbers_of(target)
    except DataError:
        return None
