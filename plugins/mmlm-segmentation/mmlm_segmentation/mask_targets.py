"""The processor that brings masks to the pixels of processed pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmlm_core.errors import DataError
from mmlm_core.geometry import EXTENT, FRAME, MOTION, PLACEMENT, follow
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.targets import IGNORED, has_targets
from mmlm_core.types import Example, Items
from mmlm_segmentation.classes import Classes
from mmlm_segmentation.masks import load_mask

__all__ = ["MaskTargets"]


class MaskTargets(TargetProcessor):
    """Places a mask as its picture was placed: fitted or cropped in `process`, moved at random in `collate`.

    Args:
        classes: What the numbers of a mask mean.
        modality: The input that the masks belong to.
    """

    def __init__(self, classes: Classes, modality: str) -> None:
        self._classes = classes
        self._modality = modality

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `mask`, each pixel's class by its place among the classes, `IGNORED` where none is scored.

        Raises:
            DataError: The row has not exactly one picture, its processor does not tell where pixels come from, or the
                mask cannot be read, has another size than its picture, or a number that is no class.

        Shape: mask [height, width] of the processed picture, int16.
        """
        items = inputs.get(self._modality) or []
        if len(items) != 1:
            raise DataError(
                f"The row must have one `{self._modality}`, whose pixels have classes; it has {len(items)}."
            )
        picture = items[0]
        if not {PLACEMENT, EXTENT, FRAME} <= picture.keys():
            raise DataError(f"A mask cannot follow its `{self._modality}`: the encoder's processor does not say where "
                            "its pixels come from (`mmlm_core.geometry`). Choose another encoder.")  # fmt: skip
        if example.target is None:
            return {}
        numbers = load_mask(example.target)
        height, width = picture[EXTENT].tolist()
        if numbers.shape != (height, width):
            raise DataError(f"The mask has {numbers.shape[1]} x {numbers.shape[0]} pixels, and its `{self._modality}` "
                            f"{width} x {height}: every pixel must have its class.")  # fmt: skip
        places = torch.from_numpy(self._classes.places(numbers))
        down, across = picture[FRAME].tolist()
        return {"mask": follow(places[None], picture[PLACEMENT][None], (down, across), IGNORED)[0].short()}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the masks, and move them as their pictures were moved.

        Returns:
            `mask` [B, height, width]; nothing in prediction.

        Raises:
            DataError: Some rows have a mask and some have none.
        """
        if not has_targets(targets, "mask"):
            return {}
        masks = torch.stack([target["mask"] for target in targets])
        moved = inputs[self._modality].tensors.get(MOTION)
        return {"mask": masks if moved is None else follow(masks, moved, (masks.shape[1], masks.shape[2]), IGNORED)}
