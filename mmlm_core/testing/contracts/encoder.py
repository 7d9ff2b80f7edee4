"""What a modality encoder and its processor keep."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Encoder
from mmlm_core.testing.contracts.common import TEXTS, ComponentContract, missing_gradients, pictures, same
from mmlm_core.types import Features

__all__ = ["EncoderContract"]


class EncoderContract(ComponentContract):
    """Items to features, each item apart from the others."""

    def items(self) -> list[Any]:
        """Return raw items of the encoder's modality."""
        modality = self.component.kind.partition("/")[2]
        known: dict[str, list[Any]] = {"text": TEXTS, "image": pictures(), **self.given_items}
        if modality not in known:
            pytest.fail(f"give the contracts items to try: contracts(..., items={{{modality!r}: [...]}})")
        return list(known[modality])

    def encode(self, encoder: Encoder, items: list[Any], seed: int | None = None) -> Features:
        """Return the features of raw items."""
        processor = encoder.processor()
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return encoder(processor.collate([processor.process(item) for item in items], generator))  # type: ignore[no-any-return]

    def test_its_features_have_its_width(self) -> None:
        """One vector of `width` a position, and a mask of the same positions where there is one."""
        encoder, items = self.make().eval(), self.items()
        features = self.encode(encoder, items)
        assert features.values.shape[0] == len(items) and features.values.shape[2] == encoder.width
        assert features.values.isfinite().all()
        if features.mask is not None:
            assert features.mask.shape == features.values.shape[:2] and features.mask.dtype == torch.bool
        if features.grid is not None:
            assert features.grid[0] * features.grid[1] == features.values.shape[1]

    def test_an_item_does_not_depend_on_its_neighbours(self) -> None:
        """In evaluation, a batch gives each item what it gets alone; padding changes nothing."""
        encoder, items = self.make().eval(), self.items()
        together = self.encode(encoder, items)
        for index, item in enumerate(items):
            alone = self.encode(encoder, [item])
            assert same(together.values[index][together.valid[index]], alone.values[0][alone.valid[0]])

    def test_gradients_reach_every_parameter(self) -> None:
        """Nothing is built that is not used."""
        encoder = self.make().train()
        trainable = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
        if trainable:
            features = self.encode(encoder, self.items())
            assert not missing_gradients(encoder, (features.values * features.valid.unsqueeze(-1)).square().sum())

    def test_a_blank_item_goes_through(self) -> None:
        """A batch without any item still runs."""
        encoder = self.make().eval()
        processor = encoder.processor()
        features = encoder(processor.collate([processor.blank()], None))
        assert features.values.isfinite().all() and features.values.shape[0] == 1

    def test_its_processor_pickles_and_repeats_itself(self) -> None:
        """Data workers are other processes; what is random is drawn from the generator alone."""
        processor, items = self.make().processor(), self.items()
        copied = pickle.loads(pickle.dumps(processor))
        ours = [processor.process(item) for item in items]
        theirs = [copied.process(item) for item in items]
        for seed in (None, 3):
            generators = [None if seed is None else torch.Generator().manual_seed(seed) for _ in range(2)]
            left, right = processor.collate(ours, generators[0]), copied.collate(theirs, generators[1])
            assert left.keys() == right.keys()
            assert all(torch.equal(left[name], right[name]) for name in left)

    def test_an_unusable_item_is_an_error_of_ours(self) -> None:
        """A number is neither a text nor a picture nor a sound."""
        with pytest.raises(DataError):
            self.make().processor().process(3.5)

    def test_what_is_saved_loads_the_same(self) -> None:
        """Another encoder with the same weights gives the same features."""
        encoder, other = self.make().eval(), self.make().eval()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.add_(1.0)
        other.load_state_dict(encoder.state_dict())
        items = self.items()
        assert torch.equal(self.encode(encoder, items).values, self.encode(other, items).values)
