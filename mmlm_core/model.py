"""The whole architecture on one screen: encode, fuse with the head's queries, backbone, head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from torch import nn

from mmlm_core.interfaces import Backbone, Between, Encoder, Fusion, Head, Processor, Projection
from mmlm_core.types import Batch, Features, Loss, Memory, arrange

__all__ = ["Model"]


class Model(nn.Module):
    """A composed model.

    Args:
        encoders: One for each modality that is read.
        projections: One for each encoder, by the same names.
        fusion: Joins inputs and queries.
        backbone: Reads the sequence.
        head: Reads out.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        projections: Mapping[str, Projection],
        fusion: Fusion,
        backbone: Backbone,
        head: Head,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.projections = nn.ModuleDict(projections)
        self.fusion = fusion
        self.backbone = backbone
        self.head = head
        self._frozen: tuple[nn.Module, ...] = ()

    def freeze(self, parts: Iterable[nn.Module | nn.Parameter]) -> None:
        """Leave parts as they are: they get no gradient, and stay in evaluation mode, so that no statistics move."""
        for part in parts:
            part.requires_grad_(False)
            if isinstance(part, nn.Module):
                self._frozen = (*self._frozen, part)
        self.train(self.training)

    def is_frozen(self, part: nn.Module) -> bool:
        """Return whether a part was frozen as a whole."""
        return any(part is frozen for frozen in self._frozen)

    def train(self, mode: bool = True) -> Model:
        """Set the mode of all parts that are not frozen."""
        super().train(mode)
        for frozen in self._frozen:
            frozen.eval()
            for layer in frozen.modules():
                if isinstance(layer, nn.RNNBase) and not layer.dropout:
                    layer.train(mode)  # the same in either mode, but a GPU goes back through it in training mode alone
        return self

    def encode(self, batch: Batch) -> dict[str, Features]:
        """Return each modality's features at the backbone's width, arranged by row.

        Shape: values [B, T, D].
        """
        inputs = {}
        for modality in sorted(self.encoders):
            items = batch.inputs[modality]
            features = self.encoders[modality](items.tensors) if items.features is None else items.features
            inputs[modality] = arrange(self.projections[modality](features), items.rows, batch.size, items.places)
        return inputs

    def forward(self, batch: Batch) -> dict[str, Features]:
        """Return the backbone's output at each segment of the sequence, and what was encoded of the inputs beside it.

        Shape: values [B, S, D] of each segment.
        """
        inputs = self.encode(batch)
        between = self.between(self.fusion.remember(inputs))
        read = self.fusion.gather(
            [
                sequence.read(self.backbone(sequence.features, between))
                for sequence in self.fusion.join(inputs, self.head.queries(batch))
            ]
        )
        return {**inputs, **read}

    def between(self, memory: Memory) -> Between | None:
        """Return what the backbone calls after each layer, or None where the fusion does nothing there."""
        return partial(_between, self.fusion, memory) if self.fusion.acts_between else None

    def loss(self, batch: Batch) -> Loss:
        """Return the head's loss over a batch with targets."""
        return self.head.loss(self(batch), batch)

    def predict(self, batch: Batch) -> list[dict[str, Any]]:
        """Return the head's predictions in one pass, one a row (generated text: see `mmlm_core.generation`)."""
        return self.head.predict(self(batch), batch)

    def processors(self) -> dict[str, Processor]:
        """Return each modality's processor of raw items, as the fusion lets them read a row."""
        return self.fusion.processors({name: encoder.processor() for name, encoder in sorted(self.encoders.items())})  # type: ignore[operator]


def _between(fusion: Fusion, memory: Memory, layer: int, hidden: Any) -> Any:
    return fusion.between(layer, hidden, memory)
