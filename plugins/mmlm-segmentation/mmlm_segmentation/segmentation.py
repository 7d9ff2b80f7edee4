"""The head `segmentation`: a class for each pixel of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.errors import CompositionError
from mmlm_core.geometry import EXTENT, FRAME, PLACEMENT, inverse, places
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.media import PNG_URL
from mmlm_core.targets import IGNORED
from mmlm_core.types import Batch, Features, Loss
from mmlm_segmentation.classes import Classes, count_classes
from mmlm_segmentation.decoders import make_decoder
from mmlm_segmentation.losses import cross_entropy, dice
from mmlm_segmentation.mask_targets import MaskTargets
from mmlm_segmentation.masks import load_mask, mask_url
from mmlm_segmentation.metrics import confusion, measured
from mmlm_segmentation.options import SegmentationOptions

__all__ = ["Segmentation"]

AT_ONCE = 1 << 24
"""Scores of pixels that are in memory at once where a large picture is predicted."""
DIGITS = 4


class Segmentation(Head):
    """A light decoder over the places of a picture; the loss is taken at the size that the encoder sees.

    A predicted mask has the size of its picture, whatever the encoder made of it, and so have the metrics.

    Args:
        options: See `SegmentationOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
    """

    monitor = ("mean_iou", "max")

    def __init__(
        self, options: SegmentationOptions, *, width: int, modalities: tuple[str, ...], facts: Mapping[str, Any]
    ) -> None:
        super().__init__()
        del modalities
        self._input = options.input
        self._dice = options.dice
        self._classes = Classes(facts, options.ignore)
        self._usual = self._classes.names[int(np.argmax(facts["counts"]))]
        self.reads = (options.input,)
        self.dropout = nn.Dropout(options.dropout)
        self.decoder = make_decoder(options, width, len(self._classes))

    @classmethod
    def facts(cls, options: SegmentationOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return the `classes` with their `numbers` in a mask and the `counts` of their pixels. See `count_classes`."""
        return count_classes(options, targets)

    def target_processor(self) -> TargetProcessor:
        """Return the processor of the masks."""
        return MaskTargets(self._classes, self._input)

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the picture's own places are read."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the loss, counted by pixels that are scored, with `correct` among the figures."""
        labels = batch.targets["mask"].long()
        logits = self._logits(outputs, (labels.shape[1], labels.shape[2]))
        total = cross_entropy(logits, labels)
        if self._dice:
            total = total + self._dice * dice(logits, labels)
        correct = (logits.detach().argmax(1) == labels).sum()
        return Loss(total, (labels != IGNORED).sum(), {"correct": correct})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return each row's mask as `prediction`, a PNG in a data URL, and `areas`: the share of each class in it."""
        pictures = batch.inputs[self._input].tensors
        frame = pictures[FRAME][0].tolist()
        logits = self._logits(outputs, (frame[0], frame[1]))
        back = inverse(pictures[PLACEMENT].float())
        rows = zip(logits, back, pictures[EXTENT].tolist(), strict=True)
        return [self._said(_enlarged(scores, theta, (height, width))) for scores, theta, (height, width) in rows]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return mean IoU, pixel accuracy and the IoU of each class. See `mmlm_segmentation.metrics.measured`."""
        tables = []
        for prediction, reference in zip(predictions, references, strict=True):
            wanted = self._classes.places(load_mask(reference))
            tables.append(confusion(self._places(prediction["prediction"], wanted.shape), wanted, len(self._classes)))
        return measured(tables, self._classes.names) if tables else {}

    def constant(self) -> str:
        """Return the class that most pixels of the training have; it stands for a mask of nothing else."""
        return self._usual

    def shown(self, target: Any) -> Any:
        """Return a mask as predictions are."""
        return None if target is None else mask_url(load_mask(target))

    def _logits(self, outputs: Mapping[str, Features], size: tuple[int, int]) -> Tensor:
        """Return the scores of the classes at each pixel. Shape: [B, K, height, width]."""
        features = outputs[self._input]
        if features.grid is None:
            raise CompositionError(f"`head=segmentation` reads the grid of `{self._input}`, which has none behind its "
                                   "projection. Choose another `projection`.")  # fmt: skip
        values = features.values if features.mask is None else features.values.masked_fill(
            ~features.mask.unsqueeze(-1), 0.0)  # fmt: skip
        maps = self.dropout(values).transpose(1, 2).unflatten(2, features.grid)
        scores = self.decoder(maps).float()
        return functional.interpolate(scores, size, mode="bilinear", align_corners=False)

    def _said(self, places: NDArray[np.int64]) -> dict[str, Any]:
        shares = np.bincount(places.ravel(), minlength=len(self._classes)) / places.size
        areas = {name: round(float(share), DIGITS) for name, share in zip(self._classes.names, shares, strict=True)}
        return {
            "prediction": mask_url(self._classes.numbers[places]),
            "areas": {name: share for name, share in areas.items() if share},
        }

    def _places(self, prediction: str, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """Return the places of the classes that were predicted: as a mask, or as one class for every pixel."""
        if not prediction.startswith(PNG_URL):
            return np.full(shape, self._classes.names.index(prediction), np.int32)
        return self._classes.places(load_mask(prediction))


def _enlarged(logits: Tensor, theta: Tensor, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the likeliest class at each pixel of the picture itself.

    Args:
        logits: At each pixel of the processed picture. Shape: [K, H, W].
        theta: What maps places of the picture to places of the processed one. Shape: [2, 3].
        size: Height and width of the picture.

    Shape: [height, width].
    """
    grid = places(theta[None], size)
    lines = max(1, AT_ONCE // (len(logits) * size[1]))
    bands = (grid[:, top : top + lines] for top in range(0, size[0], lines))
    return torch.cat([_sampled(logits, band).argmax(0) for band in bands]).cpu().numpy()


def _sampled(logits: Tensor, grid: Tensor) -> Tensor:
    """Return the scores at some places. Shape: [K, H, W] and [1, h, w, 2] -> [K, h, w]."""
    scores = functional.grid_sample(logits[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
    return scores[0]
