from __future__ import annotations

import pytest
import torch

from mmlm_core.errors import CompositionError, OptionError
from mmlm_core.types import QUERIES, Features
from mmlm_fusion.concat import Concat
from mmlm_fusion.cross_attention import CrossAttention
from mmlm_fusion.late import Late
from mmlm_fusion.linear import Linear
from mmlm_fusion.mlp import Mlp
from mmlm_fusion.options import ConcatOptions, CrossAttentionOptions, LateOptions, LinearOptions, MlpOptions


def cross(reads: tuple[str, ...] = (QUERIES,), **options: object) -> CrossAttention:
    torch.manual_seed(0)
    chosen = CrossAttentionOptions(**{"heads": 2, **options})
    return CrossAttention(chosen, width=8, depth=2, modalities=("image", "text"), reads=reads).eval()


def inputs(rows: int = 2) -> dict[str, Features]:
    generator = torch.Generator().manual_seed(1)
    text = torch.randn(rows, 3, 8, generator=generator)
    return {
        "image": Features(torch.randn(rows, 4, 8, generator=generator)),
        "text": Features(text, torch.tensor([[True, True, True], [True, False, False]])[:rows]),
    }


def test_concat_puts_the_queries_right_behind_each_rows_own_inputs() -> None:
    concat = Concat(ConcatOptions(mark=False), width=1, depth=1, modalities=("text",), reads=(QUERIES,))
    text = Features(torch.tensor([[[1.0], [2.0]], [[3.0], [9.0]]]), torch.tensor([[True, True], [True, False]]))
    (joined,) = concat.join({"text": text}, Features(torch.tensor([[[7.0]], [[8.0]]])))
    assert joined.features.values[..., 0].tolist() == [[1, 2, 7], [3, 8, 9]]
    assert joined.features.valid.tolist() == [[True, True, True], [True, True, False]]


def test_attention_equals_a_naive_one() -> None:
    fusion = cross(positions=False)
    given, hidden = inputs(), torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(2))
    memory = fusion.remember(given)
    for layer in range(2):
        part = fusion.layers[str(layer)]
        expected = hidden.clone()
        for row in range(2):
            rows = [fusion.memory_norms[name](given[name].values[row][given[name].valid[row]]) for name in given]
            both = fusion.keys_values(torch.cat(rows)).view(-1, 2, 2, 2, 4)[:, layer]
            queries = part.query(part.norm(hidden[row])).view(5, 2, 4)
            heads = []
            for head in range(2):
                scores = (queries[:, head] @ both[:, 0, head].T / 4**0.5).softmax(-1)
                heads.append(scores @ both[:, 1, head])
            expected[row] += part.output(torch.cat(heads, -1))
        torch.testing.assert_close(fusion.between(layer, hidden, memory), expected)


def test_closed_gates_leave_the_backbone_as_it_was() -> None:
    fusion = cross(gated=True)
    hidden = torch.randn(2, 5, 8)
    assert torch.equal(fusion.between(0, hidden, fusion.remember(inputs())), hidden)


def test_every_second_layer_ends_with_the_last() -> None:
    assert list(cross(every=2).layers) == ["1"]
    hidden = torch.randn(2, 5, 8)
    fusion = cross(every=2)
    assert fusion.between(0, hidden, fusion.remember(inputs())) is hidden


def test_what_the_head_reads_stays_in_the_sequence() -> None:
    fusion = cross(reads=("text",))
    assert fusion.attended == ("image",)
    (joined,) = fusion.join(inputs(), None)
    assert set(joined.segments) == {"text"}


def test_with_everything_in_the_sequence_there_is_nothing_to_attend_to() -> None:
    with pytest.raises(CompositionError, match="has nothing to attend to: every input stays in the sequence"):
        cross(reads=("text",), keep=["image"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, "`fusion.heads` must divide the backbone's width, 8; 3 does not."),
        (
            {"keep": ["imag"]},
            "`fusion.keep` names `imag`, which is no input. Did you mean `image`? Choices: `image`, `text`.",
        ),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        cross(**options)
    assert str(caught.value) == message


def test_the_order_of_a_text_matters_only_with_positions() -> None:
    hidden, given = torch.randn(1, 2, 8), inputs(1)
    turned = {name: part.with_values(part.values.flip(1)) for name, part in given.items()}
    for positions in (True, False):
        fusion = cross(positions=positions)
        same = torch.allclose(
            fusion.between(0, hidden, fusion.remember(given)),
            fusion.between(0, hidden, fusion.remember(turned)),
            atol=1e-5,
        )
        assert same is not positions


def test_a_linear_projection_of_equal_widths_changes_nothing() -> None:
    features = inputs()["text"]
    projected = Linear(LinearOptions(), input_width=8, output_width=8)(features)
    assert projected.values is features.values and projected.mask is features.mask


def test_a_row_without_inputs_gets_nothing_and_gives_finite_gradients() -> None:
    fusion, given = cross(), inputs()
    hidden = torch.randn(2, 5, 8, requires_grad=True)
    for name, part in given.items():
        values = part.values.clone().requires_grad_()
        given[name] = Features(values, torch.tensor([[True], [False]]).expand(values.shape[:2]))
    read = fusion.between(0, hidden, fusion.remember(given))
    assert torch.equal(read[1], hidden[1]) and not torch.allclose(read[0], hidden[0])
    read.square().sum().backward()
    for part in given.values():
        assert part.values.grad.isfinite().all() and part.values.grad[1].eq(0).all()
    assert all(p.grad.isfinite().all() for p in fusion.layers["0"].parameters())


@pytest.mark.parametrize("gated", [False, True])
def test_inputs_padded_further_change_nothing(gated: bool) -> None:
    fusion, given, hidden = cross(gated=gated), inputs(), torch.randn(2, 5, 8)
    for part in fusion.layers.values():
        if part.gates is not None:
            torch.nn.init.ones_(part.gates)
    text = given["text"]
    wide = Features(
        torch.cat([text.values, torch.full((2, 4, 8), 50.0)], 1),
        torch.cat([text.valid, torch.zeros(2, 4, dtype=torch.bool)], 1),
    )
    torch.testing.assert_close(
        fusion.between(0, hidden, fusion.remember({**given, "text": wide})),
        fusion.between(0, hidden, fusion.remember(given)),
    )


def test_padding_between_two_items_moves_no_position() -> None:
    fusion, hidden, text = cross(), torch.randn(1, 2, 8), torch.randn(1, 4, 8)
    image = {"image": Features(torch.randn(1, 1, 8))}
    close = Features(text, torch.tensor([[True, True, True, False]]))
    apart = Features(text[:, [0, 3, 1, 2]], torch.tensor([[True, False, True, True]]))
    torch.testing.assert_close(
        fusion.between(0, hidden, fusion.remember({**image, "text": close})),
        fusion.between(0, hidden, fusion.remember({**image, "text": apart})),
    )


def test_beams_choose_rows_of_all_that_is_remembered() -> None:
    fusion, rows, hidden = cross(), torch.tensor([1, 0, 1]), torch.randn(3, 1, 8)
    memory = {name: tensor.index_select(0, rows) for name, tensor in fusion.remember(inputs()).items()}
    chosen = {name: Features(part.values[rows], part.valid[rows]) for name, part in inputs().items()}
    torch.testing.assert_close(fusion.between(1, hidden, memory), fusion.between(1, hidden, fusion.remember(chosen)))


def test_a_backbone_without_layers_is_refused() -> None:
    with pytest.raises(CompositionError, match="acts after the layers of the backbone, and this backbone has none"):
        CrossAttention(CrossAttentionOptions(), width=8, depth=0, modalities=("image",), reads=(QUERIES,))


def test_concat_marks_each_input_and_no_query() -> None:
    concat = Concat(ConcatOptions(), width=1, depth=1, modalities=("image", "text"), reads=(QUERIES,))
    with torch.no_grad():
        concat.marks["image"].fill_(10)
        concat.marks["text"].fill_(20)
    one = Features(torch.ones(1, 1, 1))
    (joined,) = concat.join({"text": one, "image": one}, one)
    assert joined.features.values.flatten().tolist() == [11, 21, 1]


def test_an_mlp_projection_maps_gelu_maps_and_keeps_the_positions() -> None:
    mlp = Mlp(MlpOptions(expansion=2.0), input_width=3, output_width=4)
    first, _, second = mlp.maps
    features = Features(torch.randn(2, 6, 3), torch.ones(2, 6, dtype=torch.bool), grid=(2, 3))
    projected = mlp(features)
    inner = features.values @ first.weight.T + first.bias
    expected = inner * (1 + torch.erf(inner / 2**0.5)) / 2 @ second.weight.T + second.bias
    torch.testing.assert_close(projected.values, expected)
    assert first.out_features == 8 and projected.mask is features.mask and projected.grid == (2, 3)


def late(mark: bool) -> Late:
    return Late(LateOptions(mark=mark), width=8, depth=2, modalities=("image", "text"), reads=("image", "text"))


def test_late_gives_each_input_and_the_queries_a_sequence_of_its_own() -> None:
    parts, queries = inputs(), Features(torch.zeros(2, 1, 8))
    sequences = late(mark=False).join(parts, queries)
    assert [list(sequence.segments) for sequence in sequences] == [["image"], ["text"], [QUERIES]]
    for sequence, part in zip(sequences, (parts["image"], parts["text"], queries), strict=True):
        assert torch.equal(sequence.features.values, part.values)
        assert torch.equal(sequence.features.valid, part.valid)
    assert [list(sequence.segments) for sequence in late(mark=False).join(parts, None)] == [["image"], ["text"]]


def test_late_tells_the_backbone_which_modality_it_reads() -> None:
    fusion, parts = late(mark=True), inputs()
    for sequence, name in zip(fusion.join(parts, None), ("image", "text"), strict=True):
        added = sequence.features.values - parts[name].values
        torch.testing.assert_close(added, fusion.marks[name].expand_as(added))
