"""What a modality encoder and its processor keep."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor
from mmlm_core.testing.contracts.checks import refuses, same
from mmlm_core.testing.contracts.common import TEXTS, pictures
from mmlm_core.testing.contracts.module import SEED, ModuleContract
from mmlm_core.testing.contracts.processing import check_collate, check_pickling, check_process
from mmlm_core.types import Features

__all__ = ["EncoderContract"]


class EncoderContract(ModuleContract):
    """Items to features, each item apart from the others."""

    def items(self) -> list[Any]:
        """Return raw items of the encoder's modality: those that are given, or that it declares."""
        modality = self.component.kind.partition("/")[2]
        known: dict[str, list[Any]] = {"text": TEXTS, "image": pictures()}
        items = self.given_items.get(modality) or self.component.load_samples() or known.get(modality, [])
        assert len(items) >= 3, (
            f"Give the contracts of {self.called} three items to try, or more: declare `samples`, or write "
            f"contracts(..., items={{{modality!r}: [...]}})"
        )
        return list(items)

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """See `ModuleContract.modules`."""
        return {"": self.make(seed=seed)}

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """See `ModuleContract.results`; another seed leaves out the first items."""
        items = self.items()
        features = self.encode(module, items[seed % (len(items) - 1) :])
        return [self.valid(features)]

    def made(self) -> Any:
        """Return the weights, and the items as they are collated in training."""
        processor = self.make().processor()
        items = [processor.process(item) for item in self.items()]
        return {"weights": super().made(), "items": processor.collate(items, torch.Generator().manual_seed(SEED))}

    def encode(self, encoder: Any, items: list[Any]) -> Features:
        """Return the features of raw items."""
        processor = encoder.processor()
        return encoder(processor.collate([processor.process(item) for item in items], None))  # type: ignore[no-any-return]

    def test_its_features_have_its_width(self) -> None:
        """One vector of `width` a position, and a mask of the same positions where there is one."""
        encoder, items = self.practised(), self.items()
        features = self.encode(encoder, items)
        shape = tuple(features.values.shape)
        assert len(shape) == 3 and (shape[0], shape[2]) == (len(items), encoder.width), (
            f"{self.called} gives values of shape {shape} for {len(items)} items: they must be [I, T, D], where D is "
            f"its attribute `width`, {encoder.width}."
        )
        assert features.values.isfinite().all(), f"{self.called} gives values that are not finite; padding counts too."
        grid = features.grid
        assert grid is None or grid[0] * grid[1] == shape[1], (
            f"{self.called} gives a grid of {grid} for {shape[1]} positions: height times width must be their number."
        )
        if "tokens" in self.component.traits_for(self.options).provides:
            assert features.ids is not None and features.ids.shape == shape[:2], (
                f"{self.called} provides `tokens` and does not say them: `Features(..., ids=ids)`, of shape [I, T]."
            )

    def test_an_item_does_not_depend_on_its_neighbours(self) -> None:
        """In evaluation, a batch gives each item what it gets alone; padding changes nothing."""
        encoder, items = self.practised(), self.items()
        together = self.encode(encoder, items)
        for index, item in enumerate(items):
            alone = self.encode(encoder, [item])
            ours, theirs = together.values[index][together.valid[index]], alone.values[0][alone.valid[0]]
            assert len(ours) == len(theirs), (
                f"{self.called} gives item {index} {len(ours)} valid positions in a batch and {len(theirs)} alone: let "
                "`collate` make a mask of what is no padding, and return it (`Features(values, mask)`)."
            )
            assert same(ours, theirs), (
                f"{self.called} gives item {index} other features in a batch than alone: what `collate` pads must be "
                "masked in attention, means and norms, and one item must not be mixed with another."
            )

    def test_its_features_depend_on_the_item(self) -> None:
        """Another item has other features."""
        encoder, items = self.practised(), self.items()
        first, *others = (self.valid(self.encode(encoder, [item])) for item in items)
        shared = (min(len(first), len(other)) for other in others)
        assert not all(same(first[:length], other[:length]) for length, other in zip(shared, others, strict=True)), (
            f"{self.called} gives {len(items)} items the same features: let `forward` read what `collate` made."
        )

    def test_a_blank_item_goes_through(self) -> None:
        """A batch without any item still runs."""
        encoder = self.practised()
        processor = encoder.processor()
        features = encoder(processor.collate([processor.blank()], None))
        assert features.values.isfinite().all() and features.values.shape[0] == 1, (
            f"{self.called} gives values of shape {tuple(features.values.shape)} for the blank item: they must be "
            "finite, of one item; a mean or a softmax over nothing is none."
        )

    def processor(self) -> tuple[str, Processor]:
        """Return what messages call the processor, and the processor."""
        return f"The processor of {self.called}", self.make().processor()

    def process(self, processor: Processor) -> list[dict[str, Tensor]]:
        """Return the processed items."""
        return [processor.process(item) for item in self.items()]

    def test_its_processor_pickles(self) -> None:
        """Data workers are other processes."""
        check_pickling(*self.processor(), self.process)

    def test_its_processor_repeats_itself(self) -> None:
        """One item always becomes the same tensors."""
        check_process(*self.processor(), self.process)

    def test_its_collate_draws_from_the_generator_alone(self) -> None:
        """Augmentation is training's, under its seed, and leaves the items as they are."""
        check_collate(*self.processor(), self.process, lambda processor, items, g: processor.collate(items, g))

    def test_what_its_features_replace_is_all_that_differs_in_shape(self) -> None:
        """Where features are kept, the tensors that `content` names are left out, and the others are stacked."""
        named, processor = self.processor()
        items = [*self.process(processor), processor.blank()]
        missing = [name for name in processor.content if any(name not in item for item in items)]
        assert not missing, f"{named} names `{missing}` in `content`, which `process` or `blank` does not make."
        others = [{name: tensor.shape for name, tensor in item.items() if name not in processor.content}
                  for item in items]  # fmt: skip
        assert not processor.content or all(other == others[0] for other in others), (
            f"{named} makes {others} beside its `content`: name in `content` whatever only the encoder reads, and give "
            "the other tensors one shape."
        )

    def test_its_items_can_be_measured_and_shown(self) -> None:
        """`mmlm data check` and `mmlm data preview` ask for lengths, measures and views, of the blank item too."""
        named, processor = self.processor()
        for item, tensors in zip(self.items(), self.process(processor), strict=True):
            length, measures = processor.length(item), processor.measures(tensors)
            assert length >= 0, f"{named} says that an item is {length} long: it must be 0 or more."
            assert all(math.isfinite(figure) for figure in measures.values()), (
                f"{named} measures {measures} of an item: each must be a number."
            )
        for items in (self.process(processor), [processor.blank()]):
            views = processor.views(processor.collate(items, None))
            assert len(views) in (0, len(items)), (
                f"{named} gives {len(views)} views of {len(items)} items: it must give one of each, or none at all."
            )

    def test_an_unusable_item_is_an_error_of_ours(self) -> None:
        """A number is neither a text nor a picture nor a sound."""
        named, processor = self.processor()
        refuses(lambda: processor.process(3.5), DataError, f"{named} that is given 3.5, no item of its modality,")
