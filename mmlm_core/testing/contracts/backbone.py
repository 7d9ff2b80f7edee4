"""What a backbone keeps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmlm_core.interfaces import Backbone
from mmlm_core.testing.contracts.common import ComponentContract, features, missing_gradients, same
from mmlm_core.types import Features

__all__ = ["BackboneContract"]


class BackboneContract(ComponentContract):
    """A sequence model of one width, which calls the fusion after each layer, and may step."""

    def backbone(self, causal: bool) -> Backbone:
        """Return the backbone in evaluation mode, or skip where it cannot read that way."""
        word = "causal" if causal else "bidirectional"
        if word not in self.component.traits_for(self.options).provides:
            pytest.skip(f"does not provide `{word}`")
        return self.make(causal=causal).eval()  # type: ignore[no-any-return]

    @pytest.mark.parametrize("causal", [True, False])
    def test_it_keeps_the_shape_and_calls_between_once_a_layer(self, causal: bool) -> None:
        """[B, T, D] to [B, T, D]; `between` sees layers 0, 1, ... and its output goes on."""
        backbone = self.backbone(causal)
        sequence = features(2, 5, backbone.width)
        layers: list[int] = []

        def between(layer: int, hidden: Tensor) -> Tensor:
            layers.append(layer)
            return hidden

        out = backbone(sequence, between)
        assert out.shape == sequence.values.shape and out.isfinite().all()
        assert layers == list(range(backbone.depth))
        zeroed = backbone(sequence, lambda layer, hidden: hidden * 0 if layer == 0 else hidden)
        assert not same(out, zeroed), "what `between` returns is not used"

    @pytest.mark.parametrize("causal", [True, False])
    def test_padding_changes_no_valid_output(self, causal: bool) -> None:
        """Rows of length 5, 2 and 0 in a batch padded to 5 or to 9 give what they give alone."""
        backbone = self.backbone(causal)
        lengths = [5, 2, 0]
        short = features(3, 5, backbone.width, lengths)
        padding = torch.full((3, 4, backbone.width), 50.0)
        long = Features(
            torch.cat([short.values, padding], 1), torch.cat([short.valid, torch.zeros(3, 4, dtype=torch.bool)], 1)
        )
        ours, theirs = backbone(short), backbone(long)
        assert ours.isfinite().all() and theirs.isfinite().all()
        for row, length in enumerate(lengths):
            assert same(ours[row, :length], theirs[row, :length])
            if length:
                alone = backbone(Features(short.values[row : row + 1, :length]))
                assert same(ours[row, :length], alone[0])

    def test_a_causal_backbone_never_looks_ahead(self) -> None:
        """Changing position 3 changes nothing before it, and something from it on."""
        backbone = self.backbone(causal=True)
        sequence = features(2, 6, backbone.width)
        changed = sequence.values.clone()
        changed[:, 3] *= -1.0  # a shift of all features would pass a LayerNorm unseen
        before, after = backbone(sequence), backbone(sequence.with_values(changed))
        assert same(before[:, :3], after[:, :3])
        assert not same(before[:, 3:], after[:, 3:])

    def test_a_bidirectional_backbone_looks_both_ways(self) -> None:
        """Changing the last position changes the first output."""
        backbone = self.backbone(causal=False)
        sequence = features(2, 6, backbone.width)
        changed = sequence.values.clone()
        changed[:, 5] *= -1.0
        assert not same(backbone(sequence)[:, 0], backbone(sequence.with_values(changed))[:, 0])

    @pytest.mark.parametrize("causal", [True, False])
    def test_packed_documents_do_not_see_each_other(self, causal: bool) -> None:
        """Three documents in a row of 7 give what each gives alone."""
        backbone = self.backbone(causal)
        values = features(1, 7, backbone.width).values
        packed = backbone(Features(values, documents=torch.tensor([[0, 0, 0, 1, 1, 2, 2]])))
        for start, stop in ((0, 3), (3, 5), (5, 7)):
            assert same(packed[:, start:stop], backbone(Features(values[:, start:stop])))

    def test_steps_equal_the_whole(self) -> None:
        """Rows of length 4, 2 and 1, then two chunks more, with the state; the same tokens without it."""
        backbone = self.backbone(causal=True)
        lengths, width = [4, 2, 1], backbone.width
        start = features(3, 4, width, lengths)
        steps = [features(3, 1, width, seed=seed).values for seed in (1, 2, 3)]
        state = backbone.start(3, 8, torch.device("cpu"), torch.float32)
        outs = [backbone(start, state=state)]
        outs += [backbone(Features(step), state=state) for step in steps]
        for row, length in enumerate(lengths):
            whole = torch.cat([start.values[row, :length], *[step[row] for step in steps]]).unsqueeze(0)
            expected = backbone(Features(whole))[0]
            assert same(outs[0][row, :length], expected[:length])
            for index in range(3):
                assert same(outs[index + 1][row, 0], expected[length + index])

    def test_a_states_rows_can_change_places(self) -> None:
        """After `select([1, 1, 0])` a step continues rows 1, 1 and 0."""
        backbone = self.backbone(causal=True)
        start, step = features(2, 3, backbone.width, [3, 2]), features(2, 1, backbone.width, seed=5).values
        rows = torch.tensor([1, 1, 0])
        state = backbone.start(2, 8, torch.device("cpu"), torch.float32)
        backbone(start, state=state)
        plain = backbone.start(2, 8, torch.device("cpu"), torch.float32)
        backbone(start, state=plain)
        expected = backbone(Features(step), state=plain)[rows]
        assert same(backbone(Features(step[rows]), state=state.select(rows)), expected)

    @pytest.mark.parametrize("causal", [True, False])
    def test_gradients_reach_every_parameter(self, causal: bool) -> None:
        """Nothing is built that is not used, and an empty row gives no NaN."""
        backbone = self.backbone(causal).train()
        sequence = features(3, 5, backbone.width, [5, 2, 0])
        out = backbone(sequence)
        assert not missing_gradients(backbone, (out * sequence.valid.unsqueeze(-1)).square().sum())
        assert all(p.grad.isfinite().all() for p in backbone.parameters() if p.grad is not None)
