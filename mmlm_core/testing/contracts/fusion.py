"""What a fusion strategy keeps."""

from __future__ import annotations

import torch

from mmlm_core.interfaces import Fusion
from mmlm_core.testing.contracts.common import ComponentContract, features, missing_gradients, same
from mmlm_core.types import QUERIES, Features

__all__ = ["FusionContract"]


class FusionContract(ComponentContract):
    """Joins inputs and queries, before and between the layers."""

    def fusion(self) -> Fusion:
        """Return the fusion for a backbone of width 16 and depth 2, an image and a text, and a head that queries."""
        return self.make(width=16, depth=2, modalities=("image", "text"), reads=(QUERIES,))  # type: ignore[no-any-return]

    def inputs(self, empty_row: bool = False) -> dict[str, Features]:
        """Return an image of 4 positions and a text of 5, in 3 rows; the last row may have neither."""
        last = [0, 0] if empty_row else [4, 2]
        return {"image": features(3, 4, 16, [4, 4, last[0]], 1), "text": features(3, 5, 16, [5, 3, last[1]], 2)}

    def run(self, fusion: Fusion, inputs: dict[str, Features], queries: Features) -> torch.Tensor:
        """Return what the queries are after joining and both layers, with nothing else in the backbone."""
        read: dict[str, Features] = {}
        memory = fusion.remember(inputs)
        for joined in fusion.join(inputs, queries):
            hidden = joined.features.values
            valid = joined.features.valid
            assert (valid.long().diff(dim=1) <= 0).all(), "padding must only trail"
            for layer in range(2):
                hidden = fusion.between(layer, hidden, memory)
            read |= joined.read(hidden)
        return read[QUERIES].values

    def test_what_the_head_reads_is_in_the_sequence(self) -> None:
        """Queries of every row come out again, also beside ragged inputs."""
        fusion, queries = self.fusion().eval(), features(3, 2, 16)
        assert self.run(fusion, self.inputs(), queries).shape == queries.values.shape

    def test_a_row_without_inputs_stays_finite(self) -> None:
        """Forward and backward: attention over nothing is zero, never NaN."""
        fusion = self.fusion()
        out = self.run(fusion, self.inputs(empty_row=True), features(3, 2, 16))
        assert out.isfinite().all()
        if out.requires_grad:
            out.square().sum().backward()  # type: ignore[no-untyped-call]
            grads = [p.grad for p in fusion.parameters() if p.grad is not None]
            assert all(grad.isfinite().all() for grad in grads)

    def test_no_row_leaks_into_another(self) -> None:
        """Changing the first row's inputs changes no other row."""
        fusion, queries = self.fusion().eval(), features(3, 2, 16)
        inputs = self.inputs()
        changed = {
            name: part.with_values(part.values + torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1))
            for name, part in inputs.items()
        }
        assert same(self.run(fusion, inputs, queries)[1:], self.run(fusion, changed, queries)[1:])

    def test_invalid_positions_of_the_inputs_do_not_matter(self) -> None:
        """What stands where the mask is False changes nothing."""
        fusion, queries = self.fusion().eval(), features(3, 2, 16)
        inputs = self.inputs()
        noisy = {
            name: part.with_values(torch.where(part.valid.unsqueeze(-1), part.values, 100.0))
            for name, part in inputs.items()
        }
        assert same(self.run(fusion, inputs, queries), self.run(fusion, noisy, queries))

    def test_between_acts_on_each_position_alone(self) -> None:
        """A later position changes no earlier one, so that a causal backbone stays causal and steps equal the whole."""
        fusion = self.fusion().eval()
        memory = fusion.remember(self.inputs())
        hidden = features(3, 6, 16).values
        whole = fusion.between(0, hidden, memory)
        assert same(whole[:, 2:3], fusion.between(0, hidden[:, 2:3], memory))

    def test_gradients_reach_every_parameter(self) -> None:
        """Nothing is built that is not used (a gate that begins at zero passes a gradient to itself)."""
        fusion = self.fusion().train()
        if any(True for _ in fusion.parameters()):
            loss = self.run(fusion, self.inputs(), features(3, 2, 16))
            assert not missing_gradients(fusion, loss.square().sum())
