"""What `film` computes."""

from __future__ import annotations

import pytest
import torch

from mmlm_core.errors import CompositionError
from mmlm_core.types import QUERIES, Features
from mmlm_fusion.film import Film
from mmlm_fusion.options import FilmOptions


def film(reads: tuple[str, ...] = (QUERIES,), depth: int = 2, **options: object) -> Film:
    torch.manual_seed(0)
    fusion = Film(FilmOptions(**options), width=8, depth=depth, modalities=("image", "text"), reads=reads)
    torch.nn.init.normal_(fusion.map.weight)
    return fusion


def inputs() -> dict[str, Features]:
    text = torch.randn(3, 3, 8, generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([3, 2, 0])
    image = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(2))
    seen = torch.tensor([[True], [False], [False]]).expand(3, 4)
    return {"image": Features(image, seen), "text": Features(text, torch.arange(3) < lengths.unsqueeze(1))}


def test_it_begins_as_if_it_was_not_there() -> None:
    fusion = Film(FilmOptions(), width=8, depth=1, modalities=("image", "text"), reads=(QUERIES,))
    hidden = torch.randn(3, 5, 8)
    assert torch.equal(fusion.between(0, hidden, fusion.remember(inputs())), hidden)


def test_it_scales_and_shifts_by_the_means_of_what_each_row_has() -> None:
    fusion, given, hidden = film(), inputs(), torch.randn(3, 5, 8)
    memory = fusion.remember(given)
    for layer in range(2):
        expected = []
        for row in range(3):
            means = []
            for name, part in given.items():
                valid = part.values[row][part.valid[row]]
                means.append(fusion.norms[name](valid.mean(0)) if len(valid) else torch.zeros(8))
            scale, shift = fusion.map(torch.cat(means)).view(2, 2, 8)[layer]
            expected.append((1 + scale) * hidden[row] + shift)
        torch.testing.assert_close(fusion.between(layer, hidden, memory), torch.stack(expected))


def test_a_row_without_inputs_passes_as_it_is() -> None:
    fusion, hidden = film(), torch.randn(3, 5, 8)
    modulated = fusion.between(1, hidden, fusion.remember(inputs()))
    assert torch.equal(modulated[2], hidden[2]) and not torch.equal(modulated[1], hidden[1])


def test_what_is_kept_stays_in_the_sequence_and_modulates_nothing() -> None:
    fusion, given, hidden = film(keep=["image"]), inputs(), torch.randn(3, 5, 8)
    (joined,) = fusion.join(given, Features(torch.zeros(3, 1, 8)))
    assert list(joined.segments) == ["image", QUERIES]
    other = {**given, "image": given["image"].with_values(-given["image"].values)}
    assert torch.equal(
        fusion.between(0, hidden, fusion.remember(given)), fusion.between(0, hidden, fusion.remember(other))
    )


def test_every_second_layer_ends_with_the_last() -> None:
    fusion, hidden = film(depth=3, every=2), torch.randn(3, 5, 8)
    assert fusion.layers == [0, 2]
    assert fusion.between(1, hidden, fusion.remember(inputs())) is hidden


def test_with_everything_in_the_sequence_nothing_modulates() -> None:
    with pytest.raises(CompositionError, match="`fusion=film` has nothing to modulate by: every input stays"):
        film(reads=("text",), keep=["image"])
