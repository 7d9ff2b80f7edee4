import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mmlm_core.errors import OptionError
from mmlm_core.types import Features
from mmlm_recurrent.gru import GruBackbone
from mmlm_recurrent.lstm import LstmBackbone
from mmlm_recurrent.options import GruOptions, LstmOptions

CPU = torch.device("cpu")
BOTH = [(GruBackbone, GruOptions, nn.GRU), (LstmBackbone, LstmOptions, nn.LSTM)]
cells = pytest.mark.parametrize(("backbone_class", "options_class", "torch_class"), BOTH, ids=["gru", "lstm"])
directions = pytest.mark.parametrize("causal", [True, False], ids=["causal", "both_ways"])
stacks = pytest.mark.parametrize("residual", [True, False], ids=["residual", "plain"])


def make(backbone_class, options_class, causal, residual=True, **options):
    torch.manual_seed(0)
    return backbone_class(options_class(width=6, depth=2, residual=residual, **options), causal=causal).eval()


def ragged(values, lengths):
    return Features(values, torch.arange(values.shape[1]) < torch.tensor(lengths)[:, None])


def close(left, right):
    torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)


@cells
@directions
def test_the_plain_stack_equals_torchs_own_of_as_many_layers(backbone_class, options_class, torch_class, causal):
    backbone = make(backbone_class, options_class, causal, residual=False)
    reference = torch_class(6, 6 if causal else 3, num_layers=2, batch_first=True, bidirectional=not causal)
    for number, layer in enumerate(backbone.layers):
        for name, parameter in layer.named_parameters():
            getattr(reference, name.replace("_l0", f"_l{number}")).data.copy_(parameter.data)
    values = torch.randn(3, 5, 6)
    close(backbone(Features(values)), reference(values)[0])


@cells
@directions
@stacks
def test_every_row_of_a_ragged_batch_equals_the_row_alone(backbone_class, options_class, torch_class, causal, residual):
    backbone = make(backbone_class, options_class, causal, residual)
    values, lengths = torch.randn(4, 5, 6), [5, 0, 3, 1]
    out = backbone(ragged(values, lengths))
    assert out.shape == values.shape and out.isfinite().all()
    for row, length in enumerate(lengths):
        if length:
            close(out[row, :length], backbone(Features(values[row : row + 1, :length]))[0])


@cells
@directions
def test_padding_further_changes_nothing_whatever_stands_in_it(backbone_class, options_class, torch_class, causal):
    backbone = make(backbone_class, options_class, causal)
    values, lengths = torch.randn(3, 4, 6), [4, 2, 0]
    longer = torch.cat([values, torch.full((3, 3, 6), 1e4)], dim=1)
    short, long = backbone(ragged(values, lengths)), backbone(ragged(longer, lengths))
    for row, length in enumerate(lengths):
        close(long[row, :length], short[row, :length])


@cells
@directions
@stacks
def test_documents_of_a_packed_row_equal_the_documents_alone(
    backbone_class, options_class, torch_class, causal, residual
):
    backbone = make(backbone_class, options_class, causal, residual)
    values = torch.randn(3, 6, 6)
    documents = torch.tensor([[0, 0, 0, 1, 2, 2], [0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]])
    mask = torch.arange(6) < torch.tensor([6, 4, 0])[:, None]
    out = backbone(Features(values, mask, documents=documents))
    assert out.isfinite().all()
    for row, start, stop in [(0, 0, 3), (0, 3, 4), (0, 4, 6), (1, 0, 1), (1, 1, 4)]:
        close(out[row, start:stop], backbone(Features(values[row : row + 1, start:stop]))[0])


@cells
@directions
def test_packed_rows_without_a_valid_position_give_finite_values(backbone_class, options_class, torch_class, causal):
    backbone = make(backbone_class, options_class, causal)
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    out = backbone(Features(torch.randn(2, 3, 6), nothing, documents=torch.zeros(2, 3, dtype=torch.long)))
    assert out.shape == (2, 3, 6) and out.isfinite().all()


@cells
def test_a_later_position_changes_nothing_before_it_where_causal(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=True)
    values = torch.randn(2, 5, 6)
    changed = values.clone()
    changed[:, 3] *= -1
    before, after = backbone(Features(values)), backbone(Features(changed))
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


@cells
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_chunks_of_any_lengths_with_a_state_equal_the_whole(backbone_class, options_class, torch_class, data):
    backbone = make(backbone_class, options_class, causal=True, residual=data.draw(st.booleans()))
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    lengths = [[data.draw(st.integers(0, size)) for _ in range(3)] for size in sizes]
    chunks = [torch.randn(3, size, 6) for size in sizes]
    state = backbone.start(3, 99, CPU, torch.float32)
    outs = [backbone(ragged(chunk, valid), state=state) for chunk, valid in zip(chunks, lengths, strict=True)]
    for row in range(3):
        read = torch.cat([chunk[row, : valid[row]] for chunk, valid in zip(chunks, lengths, strict=True)])
        stepped = torch.cat([out[row, : valid[row]] for out, valid in zip(outs, lengths, strict=True)])
        if len(read):
            close(stepped, backbone(Features(read[None]))[0])


@cells
def test_a_state_is_that_of_torch_at_the_last_valid_position(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=True, residual=False)
    values, lengths = torch.randn(3, 4, 6), [4, 2, 1]
    state = backbone.start(3, 4, CPU, torch.float32)
    backbone(ragged(values, lengths), state=state)
    for row, length in enumerate(lengths):
        _, after = backbone.layers[0](values[row : row + 1, :length])
        for ours, theirs in zip(state.layers[0], after if isinstance(after, tuple) else (after,), strict=True):
            close(ours[:, row], theirs[:, 0])


@cells
def test_a_row_that_reads_nothing_keeps_its_state(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=True)
    state = backbone.start(2, 9, CPU, torch.float32)
    backbone(Features(torch.randn(2, 3, 6)), state=state)
    kept = state.layers[1][-1][:, 1].clone()
    backbone(ragged(torch.randn(2, 1, 6), [1, 0]), state=state)
    backbone(ragged(torch.randn(2, 3, 6), [2, 0]), state=state)
    assert torch.equal(state.layers[1][-1][:, 1], kept)


@cells
def test_select_repeats_and_reorders_rows_and_leaves_the_first_state_alone(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=True)
    state = backbone.start(2, 9, CPU, torch.float32)
    backbone(ragged(torch.randn(2, 3, 6), [3, 1]), state=state)
    rows, step = torch.tensor([1, 0, 1]), torch.randn(2, 1, 6)
    chosen = state.select(rows)
    expected = backbone(Features(step), state=state)
    close(backbone(Features(step[rows]), state=chosen), expected[rows])


@cells
@directions
@stacks
def test_gradients_reach_every_parameter_and_every_valid_input_and_no_other(
    backbone_class, options_class, torch_class, causal, residual
):
    backbone = make(backbone_class, options_class, causal, residual).train()
    values = torch.randn(3, 4, 6, requires_grad=True)
    sequence = ragged(values, [4, 2, 0])
    (backbone(sequence) * sequence.mask[..., None]).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in backbone.parameters())
    assert torch.equal(values.grad.ne(0).any(-1), sequence.mask)


@cells
def test_the_fusion_is_called_after_each_layer_and_what_it_returns_goes_on(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=True, residual=False)
    seen = []

    def between(layer, hidden):
        seen.append((layer, hidden))
        return torch.zeros_like(hidden)

    out = backbone(Features(torch.randn(2, 3, 6)), between)
    assert [layer for layer, _ in seen] == [0, 1]
    close(seen[1][1], backbone.layers[1](torch.zeros(2, 3, 6))[0])
    assert not out.any()


@cells
def test_one_direction_of_the_full_width_where_both_are_switched_off(backbone_class, options_class, torch_class):
    backbone = make(backbone_class, options_class, causal=False, bidirectional=False)
    assert [(layer.hidden_size, layer.bidirectional) for layer in backbone.layers] == [(6, False), (6, False)]
    both = make(backbone_class, options_class, causal=False)
    assert [(layer.hidden_size, layer.bidirectional) for layer in both.layers] == [(3, True), (3, True)]


def test_an_lstms_forget_gates_begin_open():
    backbone = make(LstmBackbone, LstmOptions, causal=False)
    for layer in backbone.layers:
        assert layer.bias_ih_l0[3:6].eq(1).all() and layer.bias_ih_l0_reverse[3:6].eq(1).all()


def test_a_sequence_without_positions_stays_empty():
    backbone = make(GruBackbone, GruOptions, causal=True)
    assert backbone(Features(torch.empty(2, 0, 6))).shape == (2, 0, 6)


def test_an_odd_width_cannot_be_halved():
    with pytest.raises(OptionError) as caught:
        GruOptions(width=7)
    assert str(caught.value) == "`width` must be even where `bidirectional` is true, not 7."
    assert LstmOptions(width=7, bidirectional=False).width == 7


def test_a_state_and_packed_documents_exclude_each_other():
    backbone = make(GruBackbone, GruOptions, causal=True)
    state = backbone.start(1, 4, CPU, torch.float32)
    with pytest.raises(ValueError, match=r"^Packed documents cannot be read with a state"):
        backbone(Features(torch.randn(1, 2, 6), documents=torch.zeros(1, 2, dtype=torch.long)), state=state)


def test_a_backbone_that_reads_both_ways_has_no_state():
    with pytest.raises(ValueError, match=r"^A backbone that reads both ways has no state"):
        make(GruBackbone, GruOptions, causal=False).start(1, 4, CPU, torch.float32)
