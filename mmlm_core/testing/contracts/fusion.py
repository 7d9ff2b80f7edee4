"""What a fusion strategy keeps."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Fusion
from mmlm_core.testing.contracts.checks import same
from mmlm_core.testing.contracts.common import features
from mmlm_core.testing.contracts.materials import padded
from mmlm_core.testing.contracts.module import ModuleContract, pull
from mmlm_core.types import QUERIES, Features

__all__ = ["FusionContract"]

DEPTH = 2
WIDTH = 16


class FusionContract(ModuleContract):
    """Joins inputs and queries, before and between the layers."""

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """Return the fusion for an image and a text, and a head that reads its queries."""
        modalities = ("image", "text")
        return {"": self.make(seed=seed, width=WIDTH, depth=DEPTH, modalities=modalities, reads=(QUERIES,))}

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """See `ModuleContract.results`; the last row has neither an image nor a text."""
        read = self.run(module, self.inputs([0, 0], seed), self.queries(seed))
        return [self.valid(part) for part in read.values()]

    def inputs(self, last: list[int] | None = None, seed: int = 0) -> dict[str, Features]:
        """Return an image of 4 positions and a text of 5, in 3 rows; the last has as many valid ones as is said."""
        last = last or [4, 2]
        return {
            "image": features(3, 4, WIDTH, [4, 4, last[0]], 2 * seed + 1),
            "text": features(3, 5, WIDTH, [5, 3, last[1]], 2 * seed + 2),
        }

    def queries(self, seed: int = 0) -> Features:
        """Return queries, of which the second row has one less."""
        return features(3, 2, WIDTH, [2, 1, 2], seed)

    def run(self, fusion: nn.Module, inputs: dict[str, Features], queries: Features) -> dict[str, Features]:
        """Return what can be read after joining and both layers of a backbone that mixes each row's valid positions."""
        assert isinstance(fusion, Fusion)
        parts = []
        memory = fusion.remember(inputs)
        for joined in fusion.join(inputs, queries):
            hidden, valid = joined.features.values, joined.features.valid
            assert (valid.long().diff(dim=1) <= 0).all(), (
                f"{self.called} leaves padding before valid positions: in each row the valid ones must stand side by "
                "side and padding trail. `mmlm_core.types.join` sees to it."
            )
            for layer in range(DEPTH):
                hidden = fusion.between(layer, _mixed(hidden, valid), memory)
            parts.append(joined.read(hidden))
        read = fusion.gather(parts)
        assert QUERIES in read, (
            f"{self.called} leaves the head's queries out of what the backbone reads: join them under the name "
            f"`mmlm_core.types.QUERIES` ({QUERIES!r})."
        )
        return read

    def test_what_the_head_reads_is_in_the_sequence(self) -> None:
        """Queries of every row come out again, also beside ragged inputs."""
        queries = self.queries()
        out = self.run(self.practised(), self.inputs(), queries)[QUERIES]
        assert out.values.shape == queries.values.shape and torch.equal(out.valid, queries.valid), (
            f"{self.called} gives queries of shape {tuple(queries.values.shape)} back as {tuple(out.values.shape)}, or "
            "with another mask: a segment must name the places of its own positions."
        )

    def test_a_row_without_inputs_stays_finite(self) -> None:
        """Attention over nothing is zero, never NaN."""
        read = self.run(self.practised(), self.inputs([0, 0]), self.queries())
        assert all(part.values.isfinite().all() for part in read.values()), (
            f"{self.called} gives numbers that are not finite for a row without an image and a text: attention over "
            "nothing, and a mean over nothing, must give zeros."
        )

    def test_no_row_leaks_into_another(self) -> None:
        """Changing one row's inputs and queries changes no other row."""
        fusion = self.practised()
        inputs, queries = self.inputs(), self.queries()
        before = self.run(fusion, inputs, queries)[QUERIES].values
        for row in range(3):
            signs = torch.ones(3, 1, 1)
            signs[row] = -1.0  # a shift of all features would pass a LayerNorm unseen
            changed = {name: part.with_values(part.values * signs) for name, part in inputs.items()}
            after = self.run(fusion, changed, queries.with_values(queries.values * signs))[QUERIES].values
            for other in {0, 1, 2} - {row}:
                assert same(before[other], after[other]), (
                    f"{self.called} leaks one sample into another: changing row {row} changes row {other}. Mix along "
                    "positions (axis 1) alone, never along rows (axis 0)."
                )

    def test_masked_positions_of_the_inputs_do_not_matter(self) -> None:
        """What stands where a mask is False, and padding further, changes nothing."""
        fusion, queries, inputs = self.practised(), self.queries(), self.inputs()
        expected = self.run(fusion, inputs, queries)[QUERIES]
        noisy = {name: padded(part, 0) for name, part in inputs.items()}
        longer = {name: padded(part, 3) for name, part in inputs.items()}
        for other in (noisy, longer):
            found = self.run(fusion, other, padded(queries, 0))[QUERIES]
            assert same(expected.values[expected.valid], found.values[found.valid]), (
                f"{self.called} ignores a mask: what stands where the inputs' mask is False reaches the queries. Hand "
                "the masks on in `join` (`mmlm_core.types.join` does), and leave masked positions out of what "
                "`remember` and `between` read."
            )

    def test_the_inputs_reach_what_is_read(self) -> None:
        """Other inputs give other results, or nothing could be learnt of them."""
        fusion, queries, inputs = self.practised(), self.queries(), self.inputs()
        before = self.run(fusion, inputs, queries)
        for name, part in inputs.items():
            after = self.run(fusion, {**inputs, name: part.with_values(-part.values)}, queries)
            assert any(not same(before[read].values, after[read].values) for read in before), (
                f"{self.called} drops the input `{name}`: put it into the sequence (`join`), or attend to it "
                "(`remember` and `between`)."
            )

    def test_between_acts_on_each_position_alone(self) -> None:
        """A later position changes no earlier one, so that a causal backbone stays causal and steps equal the whole."""
        fusion = self.practised()
        memory = fusion.remember(self.inputs())
        hidden = features(3, 6, WIDTH).values
        for layer in range(DEPTH):
            whole = fusion.between(layer, hidden, memory)
            assert same(whole[:, 2:3], fusion.between(layer, hidden[:, 2:3], memory)), (
                f"{self.called} mixes positions in `between`: what it makes of a position must not depend on the "
                "others of `hidden`, or a causal backbone sees what is to come, and steps differ from the whole."
            )

    def test_it_declares_whether_it_acts_between_the_layers(self) -> None:
        """A backbone without layers is refused by the declaration, before the fusion is built."""
        fusion = self.modules()[""]
        assert isinstance(fusion, Fusion)
        declared = "between" in self.component.traits_for(self.options).provides
        assert declared or not fusion.acts_between, (
            f"{self.called} acts between the layers of the backbone, and does not declare it: let "
            '`Traits(provides=frozenset({"between"}))` say so, since some backbones have no layers.'
        )

    def test_memory_follows_its_rows(self) -> None:
        """Beams reorder the memory by its first axis."""
        fusion = self.practised()
        memory, hidden = fusion.remember(self.inputs()), features(3, 6, WIDTH).values
        for name, tensor in memory.items():
            assert tensor.shape[:1] == (3,), (
                f"{self.called} remembers `{name}` of shape {tuple(tensor.shape)} for 3 rows: the first axis of every "
                "tensor that `remember` returns must be the rows, since beams reorder them."
            )
        for layer, order in itertools.product(range(DEPTH), ([2, 0, 1], [2, 0, 0, 1])):
            rows = torch.tensor(order)
            chosen = {name: tensor[rows] for name, tensor in memory.items()}
            assert same(fusion.between(layer, hidden, memory)[rows], fusion.between(layer, hidden[rows], chosen)), (
                f"{self.called} does not follow its memory where beams reorder it: let `between` read of the inputs "
                "what `memory` holds alone, and nothing that it kept itself."
            )

    def test_gradients_reach_what_came_before(self) -> None:
        """Encoders and projections learn."""
        fusion, inputs = self.practised(), self.inputs()
        leaves = {name: part.with_values(part.values.requires_grad_()) for name, part in inputs.items()}
        loss = pull([part.values[part.valid] for part in self.run(fusion, leaves, self.queries()).values()])
        for name, part in leaves.items():
            reached = loss.requires_grad and torch.autograd.grad(
                loss, part.values, retain_graph=True, allow_unused=True
            )[0] is not None  # fmt: skip
            assert reached, (
                f"{self.called} sends no gradient back to `{name}`: leave out `detach` and `no_grad` on its way."
            )


def _mixed(hidden: Tensor, valid: Tensor) -> Tensor:
    """Return hidden states to which a mean of their row's valid positions is added, each weighted by its place."""
    weights = valid * torch.cos(torch.arange(hidden.shape[1]))
    return hidden + (weights.unsqueeze(-1) * hidden).sum(1, keepdim=True) / 4
