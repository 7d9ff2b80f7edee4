"""What a backbone keeps."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Backbone
from mmlm_core.testing.contracts.checks import same, telling
from mmlm_core.testing.contracts.common import features
from mmlm_core.testing.contracts.module import ModuleContract, pull
from mmlm_core.types import Features

__all__ = ["BackboneContract"]

WAYS = {"causal": True, "bidirectional": False}


class BackboneContract(ModuleContract):
    """A sequence model of one width, which calls the fusion after each layer, and may step."""

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """See `ModuleContract.modules`."""
        provides = self.component.traits_for(self.options).provides
        ways = [way for way in WAYS if way in provides]
        assert ways, f"{self.called} provides neither `causal` nor `bidirectional`: say in its traits how it can read."
        return {way: self.make(seed=seed, causal=WAYS[way]) for way in ways}

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """See `ModuleContract.results`; the last row has no valid position."""
        sequence = features(3, 5, module.width, [5, 2, 0], seed)  # type: ignore[arg-type]
        return [module(sequence)[sequence.valid]]

    def backbone(self, way: str) -> Backbone:
        """Return the backbone in evaluation mode, or skip where it cannot read that way."""
        if way not in self.modules():
            pytest.skip(f"does not provide `{way}`")
        return self.practised(way)  # type: ignore[no-any-return]

    @pytest.mark.parametrize("way", WAYS)
    def test_it_keeps_the_shape_and_calls_between_once_a_layer(self, way: str) -> None:
        """[B, T, D] to [B, T, D]; `between` sees layers 0, 1, ... and its output goes on."""
        backbone = self.backbone(way)
        sequence = features(2, 5, backbone.width)
        layers: list[int] = []

        def between(layer: int, hidden: Tensor) -> Tensor:
            layers.append(layer)
            return hidden

        out = backbone(sequence, between)
        assert out.shape == sequence.values.shape and out.isfinite().all(), (
            f"{self.named(way)} makes {tuple(out.shape)} of {tuple(sequence.values.shape)}: the shape must stay "
            "[B, T, D], and every number must be finite."
        )
        assert layers == list(range(backbone.depth)), (
            f"{self.named(way)} calls `between` for the layers {layers}: it must call it after each of its `depth` "
            f"layers, {list(range(backbone.depth))}, in order."
        )
        zeroed = backbone(sequence, lambda layer, hidden: hidden * 0 if layer == 0 else hidden)
        assert not backbone.depth or not same(out, zeroed), (
            f"{self.named(way)} does not use what `between` returns: go on with it (`hidden = between(layer, hidden)`)."
        )

    @pytest.mark.parametrize("way", WAYS)
    def test_padding_changes_no_valid_output(self, way: str) -> None:
        """Rows of length 5, 2 and 0 in a batch padded to 5 or to 9 give what they give alone."""
        backbone = self.backbone(way)
        lengths = [5, 2, 0]
        short = features(3, 5, backbone.width, lengths)
        padding = torch.full((3, 4, backbone.width), 50.0)
        long = Features(
            torch.cat([short.values, padding], 1), torch.cat([short.valid, torch.zeros(3, 4, dtype=torch.bool)], 1)
        )
        ours, theirs = backbone(short), backbone(long)
        assert ours.isfinite().all() and theirs.isfinite().all(), (
            f"{self.named(way)} gives numbers that are not finite where a row has no valid position: attention "
            "over nothing must give zeros, and a mean over nothing too."
        )
        for row, length in enumerate(lengths):
            alone = backbone(Features(short.values[row : row + 1, :length]))[0] if length else ours[row, :0]
            for padded, batch in ((5, ours), (9, theirs)):
                assert same(batch[row, :length], alone), (
                    f"{self.named(way)} ignores the mask: a row of {length} positions, padded to {padded}, gives "
                    "something else than alone. Let valid positions read those alone where `sequence.valid` is True."
                )

    def test_a_causal_backbone_never_looks_ahead(self) -> None:
        """Changing a position and all behind it changes nothing before, in evaluation and training; and something."""
        backbone = self.backbone("causal")
        sequence = features(2, 6, backbone.width)
        for training in (False, True):
            backbone.train(training)
            for place in (1, 3, 5):
                changed = sequence.values.clone()
                changed[:, place:] *= -1.0  # a shift of all features would pass a LayerNorm unseen
                outs = []
                for values in (sequence.values, changed):
                    torch.manual_seed(0)  # the same dropout
                    outs.append(copy.deepcopy(backbone)(sequence.with_values(values)))  # the same statistics
                before, after = outs
                assert same(before[:, :place], after[:, :place]), (
                    f"{self.called} looks ahead: with `causal=True`, changing position {place} changes what comes out "
                    f"before it{' in training' if training else ''}. Let each position read itself and those before it "
                    "alone, and take no statistics over positions."
                )
                assert not same(before[:, place:], after[:, place:]), (
                    f"{self.called} does not read position {place}: changing it changes nothing that comes out."
                )

    def test_a_bidirectional_backbone_looks_both_ways(self) -> None:
        """Changing the last position changes the first output."""
        backbone = self.backbone("bidirectional")
        sequence = features(2, 6, backbone.width)
        changed = sequence.values.clone()
        changed[:, 5] *= -1.0
        assert not same(backbone(sequence)[:, 0], backbone(sequence.with_values(changed))[:, 0]), (
            f"{self.called} provides `bidirectional`, but with `causal=False` the last position does not reach the "
            "first output: read both ways, or leave the word out of its traits."
        )

    @pytest.mark.parametrize("way", WAYS)
    def test_packed_documents_do_not_see_each_other(self, way: str) -> None:
        """Three documents in a row of 7 give what each gives alone."""
        backbone = self.backbone(way)
        values = features(1, 7, backbone.width).values
        packed = backbone(Features(values, documents=torch.tensor([[0, 0, 0, 1, 1, 2, 2]])))
        for start, stop in ((0, 3), (3, 5), (5, 7)):
            assert same(packed[:, start:stop], backbone(Features(values[:, start:stop]))), (
                f"{self.named(way)} lets packed documents see each other: positions {start} to {stop - 1} give "
                "something else than alone. Keep positions of different `sequence.documents` apart, count their "
                "positions from 0, and begin recurrent states anew."
            )

    def test_it_declares_whether_it_steps(self) -> None:
        """The trait `cache` is for people and for what is checked; generation looks at the attribute."""
        declared = "cache" in self.component.traits_for(self.options).provides
        steps = self.backbone("causal").steps
        assert steps == declared, (
            f"{self.called} {'provides' if declared else 'does not provide'} `cache`, and its `steps` is {steps}: a "
            "backbone that has `start` and reads on with its state says both, another neither (`steps = False`)."
        )

    def stepping(self) -> Backbone:
        """Return the causal backbone, or skip where it keeps no state."""
        backbone = self.backbone("causal")
        if not backbone.steps:
            pytest.skip("keeps no state")
        return backbone

    def test_steps_equal_the_whole(self) -> None:
        """Rows of length 4, 2 and 1, then chunks of one, two at most, and one, with the state; the same without it."""
        backbone = self.stepping()
        start = features(3, 4, backbone.width, [4, 2, 1])
        chunks = [features(3, 1, backbone.width, seed=1), features(3, 2, backbone.width, [2, 1, 0], seed=2)]
        chunks += [features(3, 1, backbone.width, seed=3)]
        state = backbone.start(3, 8, torch.device("cpu"), torch.float32)
        first = backbone(start, _between, state)
        for row, length in enumerate((4, 2, 1)):
            alone = backbone(Features(start.values[row : row + 1, :length]), _between)
            assert same(first[row, :length], alone[0]), (
                f"{self.called} gives something else with a fresh state than without: a fresh state must change "
                "nothing, and padding must not be stored in it."
            )
        outs = [backbone(chunk, _between, state) for chunk in chunks]
        told = "with its state (`start`) than without: store what every layer has read of valid positions, for each row"
        self._equal_the_whole(backbone, outs, start, chunks, [0, 1, 2], told)

    @pytest.mark.parametrize("rows", [[2, 0, 1], [1, 1, 0, 2], [2]], ids=str)
    def test_a_states_rows_can_change_places(self, rows: list[int]) -> None:
        """After `select` each row goes on where the one that it was chosen from stood, whatever the others read."""
        backbone = self.stepping()
        start = features(3, 3, backbone.width, [3, 2, 1])
        state = backbone.start(3, 8, torch.device("cpu"), torch.float32)
        backbone(start, _between, state)
        chunks = [features(len(rows), 1, backbone.width, seed=seed) for seed in (5, 6)]
        told = (
            f"after `select({rows})` of its state than the rows that were chosen. Beams need that: reorder every "
            "tensor of the state along its rows, of each layer and the lengths too, and give each row its own memory"
        )
        with telling(f"{self.called} cannot go on {told}"):
            state = state.select(torch.tensor(rows))
            assert state is not None, "`select` returns nothing"
            outs = [backbone(chunk, _between, state) for chunk in chunks]
        self._equal_the_whole(backbone, outs, start, chunks, rows, told)

    @pytest.mark.parametrize("lengths", [[5, 5, 5, 5], [5, 4, 5, 4]], ids=str)
    def test_beams_can_change_places(self, lengths: list[int]) -> None:
        """After `reorder` each row goes on from the one that it was given, which differs in two positions at most."""
        backbone = self.stepping()
        rows = [2, 3, 2, 1] if lengths[0] != lengths[1] else [1, 1, 3, 0]
        start = features(4, 5, backbone.width, lengths, seed=7)
        for row, length in enumerate(lengths):  # rows that change places have one length, and begin alike
            start.values[row, : length - 2] = start.values[lengths.index(length), : length - 2]
        state = backbone.start(4, 8, torch.device("cpu"), torch.float32)
        backbone(start, _between, state)
        chunks = [features(4, 1, backbone.width, seed=seed) for seed in (8, 9)]
        told = (
            f"after `reorder({rows}, 2)` of its state than the rows that it was given: it may leave in place what lies "
            "before the last 2 valid positions of each row, and must move all else; leave `reorder` out where in doubt"
        )
        with telling(f"{self.called} cannot go on {told}"):
            state = state.reorder(torch.tensor(rows), 2)
            outs = [backbone(chunk, _between, state) for chunk in chunks]
        self._equal_the_whole(backbone, outs, start, chunks, rows, told)

    def test_gradients_reach_what_came_before(self) -> None:
        """Encoders, projections and the head's queries learn through every layer."""
        for way in self.modules():
            backbone = self.practised(way)
            sequence = features(2, 5, backbone.width, [5, 3])
            values = sequence.values.requires_grad_()
            loss = pull([backbone(sequence)[sequence.valid]])
            gradient = torch.autograd.grad(loss, values, allow_unused=True)[0] if loss.requires_grad else None
            assert gradient is not None and gradient[sequence.valid].abs().sum(-1).gt(0).all(), (
                f"{self.named(way)} sends no gradient back to what it reads: leave out `detach` and `no_grad`."
            )

    def _equal_the_whole(
        self,
        backbone: Backbone,
        outs: list[Tensor],
        start: Features,
        chunks: list[Features],
        rows: Sequence[int],
        told: str,
    ) -> None:
        """Check that each row's steps give what its whole sequence gives without a state."""
        for index, row in enumerate(rows):
            read = start.values[row][start.valid[row]]
            for out, chunk in zip(outs, chunks, strict=True):
                new = chunk.values[index][chunk.valid[index]]
                read = torch.cat([read, new])
                expected = backbone(Features(read.unsqueeze(0)), _between)[0, len(read) - len(new) :]
                assert out.shape == chunk.values.shape and same(out[index, : len(new)], expected), (
                    f"{self.called} gives something else {told}. Row {index}, {len(read)} positions read."
                )


def _between(layer: int, hidden: Tensor) -> Tensor:
    """Act on each position alone, as a fusion does."""
    return hidden + (layer + 1) * torch.tanh(hidden)
