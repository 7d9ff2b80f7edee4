"""The Transformer against a naive one, written here with plain sums and complex numbers."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from mmlm_core.errors import MmlmError, OptionError
from mmlm_core.types import Features
from mmlm_transformer.options import Activation, Norm, Positions, TransformerOptions
from mmlm_transformer.positions import prepare, rotate, rotations
from mmlm_transformer.transformer import Transformer

CHOICES = list(itertools.product(Positions, Norm, Activation))


def make(causal: bool = True, **options) -> Transformer:
    torch.manual_seed(0)
    backbone = Transformer(TransformerOptions(**{"width": 16, "depth": 2, "heads": 4, **options}), causal=causal)
    with torch.no_grad():  # far from its first values, so that every term of the sum counts
        for parameter in backbone.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return backbone.eval()


def numbers(batch: int, time: int, width: int = 16) -> Tensor:
    return torch.randn(batch, time, width, generator=torch.Generator().manual_seed(7))


def prefix_mask(lengths: list[int], time: int) -> Tensor:
    return torch.arange(time) < torch.tensor(lengths).unsqueeze(1)


def naive_norm(norm: torch.nn.Module, x: Tensor) -> Tensor:
    if isinstance(norm, torch.nn.RMSNorm):
        return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight
    centred = x - x.mean(-1, keepdim=True)
    normal = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight
    return normal if norm.bias is None else normal + norm.bias


def naive_map(linear: torch.nn.Linear, x: Tensor) -> Tensor:
    mapped = torch.einsum("...i,oi->...o", x, linear.weight)
    return mapped if linear.bias is None else mapped + linear.bias


def naive_turn(x: Tensor, positions: list[int]) -> Tensor:
    """Turn neighbours as complex numbers. Shape: [T, H, D]."""
    width = x.shape[-1]
    turned = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    waves = torch.tensor([10000.0 ** (-2 * i / width) for i in range(width // 2)], dtype=torch.float64)
    angles = torch.tensor(positions, dtype=torch.float64)[:, None, None] * waves
    return torch.view_as_real(turned * torch.exp(1j * angles)).flatten(-2).float()


def naive_row(backbone: Transformer, x: Tensor, sees: Tensor, positions: list[int]) -> Tensor:
    """Read one row of valid positions. Shape: x [T, D], sees [T, T] -> [T, D]."""
    options = backbone.options
    width, heads, groups = options.width, options.heads, options.kv_heads or options.heads
    size = width // heads
    if options.positions is Positions.learned:
        x = x + backbone.position_table.weight[positions]
    if options.positions is Positions.sinusoidal:
        x = x + torch.tensor(
            [[(math.sin, math.cos)[i % 2](p / 10000 ** ((i - i % 2) / width)) for i in range(width)] for p in positions]
        )
    for block in backbone.blocks:
        qkv = naive_map(block.qkv, naive_norm(block.attention_norm, x)).view(len(x), -1, size)
        q, k, v = qkv[:, :heads], qkv[:, heads : heads + groups], qkv[:, heads + groups :]
        if options.positions is Positions.rotary:
            q, k = naive_turn(q, positions), naive_turn(k, positions)
        k, v = (part.repeat_interleave(heads // groups, 1) for part in (k, v))
        scores = torch.einsum("qhd,khd->hqk", q, k) / size**0.5
        weights = scores.exp() * sees
        weights = weights / weights.sum(-1, keepdim=True)
        x = x + naive_map(block.attention_out, torch.einsum("hqk,khd->qhd", weights, v).flatten(1))
        inner = naive_map(block.up, naive_norm(block.feed_forward_norm, x))
        if options.activation is Activation.swiglu:
            gate, inner = inner.split(inner.shape[-1] // 2, -1)
            inner = gate * torch.sigmoid(gate) * inner
        else:
            inner = inner * (1 + torch.erf(inner / 2**0.5)) / 2
        x = x + naive_map(block.down, inner)
    return naive_norm(backbone.final_norm, x)


def order(causal: bool, time: int) -> Tensor:
    return torch.ones(time, time).tril() if causal else torch.ones(time, time)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("positions", "norm", "activation"), CHOICES)
def test_each_row_equals_a_naive_transformer_over_its_valid_positions(positions, norm, activation, causal):
    backbone = make(causal, positions=positions, norm=norm, activation=activation, bias=True, kv_heads=2)
    x, lengths = numbers(3, 6), [6, 4, 1]
    read = backbone(Features(x, prefix_mask(lengths, 6)))
    for row, length in enumerate(lengths):
        naive = naive_row(backbone, x[row, :length], order(causal, length), list(range(length)))
        torch.testing.assert_close(read[row, :length], naive, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kv_heads", [None, 1, 2, 4])
def test_without_a_mask_it_equals_the_naive_one_for_every_grouping(kv_heads, causal):
    backbone = make(causal, kv_heads=kv_heads)
    x = numbers(2, 5)
    naive = torch.stack([naive_row(backbone, row, order(causal, 5), list(range(5))) for row in x])
    torch.testing.assert_close(backbone(Features(x)), naive, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("positions", Positions)
def test_a_packed_row_equals_its_documents_read_apart(positions, causal):
    backbone = make(causal, positions=positions)
    x = numbers(2, 6)
    documents = torch.tensor([[0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 0]])
    mask = prefix_mask([6, 4], 6)
    packed = backbone(Features(x, mask, documents=documents))
    for row, begin, end in ((0, 0, 3), (0, 3, 5), (0, 5, 6), (1, 0, 1), (1, 1, 4)):
        apart = backbone(Features(x[row : row + 1, begin:end]))
        torch.testing.assert_close(packed[row, begin:end], apart[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("positions", "norm", "activation"), CHOICES)
def test_a_causal_position_does_not_change_with_later_ones(positions, norm, activation):
    backbone = make(positions=positions, norm=norm, activation=activation)
    x = numbers(1, 6)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(backbone(Features(changed))[:, :4], backbone(Features(x))[:, :4])


@pytest.mark.parametrize("causal", [True, False])
def test_a_batch_padded_further_changes_no_valid_output(causal):
    backbone = make(causal, positions="learned", max_positions=5)
    x, lengths = numbers(2, 5), [5, 3]
    padded = torch.cat([x, numbers(2, 4) * 50], 1)
    narrow = backbone(Features(x, prefix_mask(lengths, 5)))
    wide = backbone(Features(padded, prefix_mask(lengths, 9)))
    mask = prefix_mask(lengths, 5)
    torch.testing.assert_close(wide[:, :5][mask], narrow[mask])


@pytest.mark.parametrize("documents", [False, True])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("positions", "norm", "activation"), CHOICES)
def test_every_parameter_has_a_finite_gradient_where_a_row_is_empty(positions, norm, activation, causal, documents):
    backbone = make(causal, positions=positions, norm=norm, activation=activation, bias=True).train()
    x = numbers(3, 4).requires_grad_()
    mask = prefix_mask([4, 0, 2], 4)
    read = backbone(Features(x, mask, documents=torch.zeros(3, 4, dtype=torch.long) if documents else None))
    assert read.isfinite().all()
    (read * numbers(3, 4))[mask].sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()
    assert x.grad[1].eq(0).all() and x.grad[2, 2:].eq(0).all()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kv_heads", [None, 2])
@pytest.mark.parametrize("positions", Positions)
def test_reading_piece_by_piece_equals_reading_at_once(positions, kv_heads):
    backbone = make(positions=positions, kv_heads=kv_heads)
    x = numbers(2, 9)
    state = backbone.start(2, 9, x.device, x.dtype)
    pieces = [backbone(Features(piece), state=state) for piece in x.split((3, 1, 1, 3, 1), 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), backbone(Features(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kv_heads", [None, 1])
@pytest.mark.parametrize("positions", Positions)
def test_rows_of_different_length_step_as_each_would_alone(positions, kv_heads):
    backbone = make(positions=positions, kv_heads=kv_heads)
    lengths, later = [4, 0, 2], [1, 1, 3, 1]
    x, steps = numbers(3, 5), numbers(3, sum(later)) + 1
    state = backbone.start(3, 10, x.device, x.dtype)
    begun = backbone(Features(x, prefix_mask(lengths, 5)), state=state)
    stepped = torch.cat([backbone(Features(step), state=state) for step in steps.split(later, 1)], 1)
    for row, length in enumerate(lengths):
        alone = backbone(Features(torch.cat([x[row, :length], steps[row]]).unsqueeze(0)))[0]
        torch.testing.assert_close(begun[row, :length], alone[:length], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(stepped[row], alone[length:], rtol=1e-4, atol=1e-5)
    assert begun.isfinite().all()


def test_rows_may_read_on_with_padding():
    backbone = make()
    x, further = numbers(2, 4), numbers(2, 3) + 1
    state = backbone.start(2, 7, x.device, x.dtype)
    backbone(Features(x[:, :3]), state=state)
    backbone(Features(further, prefix_mask([1, 3], 3)), state=state)
    last = backbone(Features(x[:, 3:]), state=state)
    for row, length in enumerate([1, 3]):
        alone = backbone(Features(torch.cat([x[row, :3], further[row, :length], x[row, 3:]]).unsqueeze(0)))
        torch.testing.assert_close(last[row, 0], alone[0, -1], rtol=1e-4, atol=1e-5)


def test_a_prompt_padded_beyond_the_capacity_is_read():
    backbone = make()
    x, step = numbers(2, 6), numbers(2, 1)
    state = backbone.start(2, 4, x.device, x.dtype)
    backbone(Features(x, prefix_mask([3, 2], 6)), state=state)
    alone = backbone(Features(torch.cat([x[:1, :3], step[:1]], 1)))[:, -1:]
    torch.testing.assert_close(backbone(Features(step), state=state)[:1], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [[3, 3, 3], [3, 1, 2]])
def test_selected_rows_read_on_each_by_itself(lengths):
    backbone = make()
    x, step = numbers(3, 3), numbers(4, 1) + 1
    state = backbone.start(3, 6, x.device, x.dtype)
    backbone(Features(x, prefix_mask(lengths, 3)), state=state)
    rows = [2, 0, 0, 1]
    read = backbone(Features(step), state=state.select(torch.tensor(rows)))
    for place, row in enumerate(rows):
        alone = backbone(Features(torch.cat([x[row, : lengths[row]], step[place]]).unsqueeze(0)))
        torch.testing.assert_close(read[place, 0], alone[0, -1], rtol=1e-4, atol=1e-5)


def test_a_selected_state_leaves_the_first_one_alone():
    backbone = make()
    x = numbers(2, 4)
    state = backbone.start(2, 4, x.device, x.dtype)
    backbone(Features(x[:, :3]), state=state)
    backbone(Features(x[:, 3:] + 1), state=state.select(torch.tensor([0, 1])))
    torch.testing.assert_close(backbone(Features(x[:, 3:]), state=state), backbone(Features(x))[:, 3:])


def test_between_acts_after_each_layer_and_before_the_final_norm():
    backbone = make(depth=3)
    x, calls = numbers(1, 2), []

    def zero(layer: int, hidden: Tensor) -> Tensor:
        calls.append((layer, tuple(hidden.shape)))
        return torch.zeros_like(hidden)

    assert backbone(Features(x), zero).eq(0).all()
    assert calls == [(0, (1, 2, 16)), (1, (1, 2, 16)), (2, (1, 2, 16))]


def test_a_table_grown_in_a_generation_serves_a_later_training_step():
    backbone = make()
    with torch.inference_mode():
        backbone(Features(numbers(1, 100)))
    backbone.train()(Features(numbers(1, 100))).sum().backward()


def test_turning_by_real_numbers_equals_turning_by_complex_ones():
    x, turns = numbers(2, 5).view(2, 5, 2, 8), rotations(5, 8, 10000.0, torch.device("cpu"))
    torch.testing.assert_close(rotate(x, turns.unsqueeze(1)), rotate(x, prepare(turns)))


def test_bfloat16_stays_bfloat16():
    for positions in Positions:
        backbone = make(positions=positions).to(torch.bfloat16)
        assert backbone(Features(numbers(1, 3).bfloat16())).dtype is torch.bfloat16


def test_autocast_agrees_with_float32():
    backbone = make()
    with torch.autocast("cpu", torch.bfloat16):
        near = backbone(Features(numbers(1, 3)))
    torch.testing.assert_close(near.float(), backbone(Features(numbers(1, 3))), rtol=0.1, atol=0.1)


def test_dropout_acts_in_training_only():
    backbone = make(dropout=0.5)
    x = Features(numbers(1, 3))
    assert backbone(x).equal(backbone(x))
    assert not backbone.train()(x).equal(backbone(x))


def test_the_first_values_are_those_of_gpt_2():
    torch.manual_seed(0)
    backbone = Transformer(TransformerOptions(width=128, depth=2, positions="learned", bias=True), causal=True)
    block = backbone.blocks[0]
    for weight, std in (
        (backbone.position_table.weight, 0.02),
        (block.qkv.weight, 0.02),
        (block.up.weight, 0.02),
        (block.attention_out.weight, 0.01),  # 0.02 / sqrt(2 * 2)
        (block.down.weight, 0.01),
    ):
        assert weight.std().item() == pytest.approx(std, rel=0.05)
    assert block.qkv.bias.eq(0).all()


@pytest.mark.parametrize(
    ("width", "activation", "expansion", "hidden"),
    [(256, "gelu", None, 1024), (384, "swiglu", None, 1024), (256, "swiglu", None, 704), (16, "swiglu", None, 48),
     (16, "gelu", 1.5, 24)],
)  # fmt: skip
def test_the_feed_forward_layers_are_as_wide_as_said(width, activation, expansion, hidden):
    assert (
        TransformerOptions(width=width, activation=Activation(activation), expansion=expansion).hidden_width == hidden
    )


def test_a_sequence_longer_than_the_learned_positions_is_refused():
    backbone = make(positions="learned", max_positions=4)
    with pytest.raises(
        OptionError, match=r"^`max_positions` must be at least 5, the positions of this sequence, not 4\.$"
    ):
        backbone(Features(numbers(1, 5)))
    state = backbone.start(1, 8, torch.device("cpu"), torch.float32)
    backbone(Features(numbers(1, 4)), state=state)
    with pytest.raises(
        OptionError, match=r"^`max_positions` must be at least 5, the positions of this sequence, not 4\.$"
    ):
        backbone(Features(numbers(1, 1)), state=state)


def test_a_full_state_is_refused():
    backbone = make()
    state = backbone.start(1, 3, torch.device("cpu"), torch.float32)
    with pytest.raises(MmlmError, match=r"^`capacity` of a state must be at least 4, the positions to read, not 3\.$"):
        backbone(Features(numbers(1, 4)), state=state)


def test_documents_are_refused_where_a_state_is_read():
    backbone = make()
    state = backbone.start(1, 3, torch.device("cpu"), torch.float32)
    with pytest.raises(
        MmlmError, match=r"^A Transformer with a state reads one document in each row; `documents` must be None\.$"
    ):
        backbone(Features(numbers(1, 2), documents=torch.zeros(1, 2, dtype=torch.long)), state=state)


def test_a_bidirectional_one_reads_with_no_state():
    backbone = make(causal=False)
    state = backbone.start(1, 3, torch.device("cpu"), torch.float32)
    with pytest.raises(MmlmError, match=r"^A Transformer reads with a state only where it is causal"):
        backbone(Features(numbers(1, 2)), state=state)
