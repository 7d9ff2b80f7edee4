import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from mmlm_backbones.cnn import CnnBackbone
from mmlm_backbones.options import CnnOptions
from mmlm_core.errors import OptionError
from mmlm_core.types import Features

CPU = torch.device("cpu")
directions = pytest.mark.parametrize("causal", [True, False], ids=["causal", "both_ways"])


def make(causal, **options):
    torch.manual_seed(0)
    return CnnBackbone(CnnOptions(**{"width": 6, "depth": 3, **options}), causal=causal).eval()


def ragged(values, lengths):
    return Features(values, torch.arange(values.shape[1]) < torch.tensor(lengths)[:, None])


def close(left, right):
    torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-5)


@directions
def test_it_equals_torchs_convolutions(causal):
    backbone, values = make(causal), torch.randn(2, 9, 6)
    hidden = values
    for norm, linear, dilation in zip(backbone.norms, backbone.maps, (1, 2, 4), strict=True):
        kernel = linear.weight.view(12, 3, 6).transpose(1, 2)
        back = 2 * dilation if causal else dilation
        around = functional.pad(norm(hidden).transpose(1, 2), (back, 2 * dilation - back))
        hidden = hidden + functional.glu(functional.conv1d(around, kernel, linear.bias, dilation=dilation), 1).mT
    close(backbone(Features(values)), backbone.final(hidden))


@directions
def test_every_row_of_a_ragged_batch_equals_the_row_alone(causal):
    backbone = make(causal)
    values, lengths = torch.randn(4, 5, 6), [5, 0, 3, 1]
    out = backbone(ragged(values, lengths))
    assert out.isfinite().all()
    for row, length in enumerate(lengths):
        close(out[row, :length], backbone(Features(values[row : row + 1, :length]))[0])


@directions
def test_documents_of_a_packed_row_equal_the_documents_alone(causal):
    backbone, values = make(causal), torch.randn(2, 6, 6)
    documents = torch.tensor([[0, 0, 0, 1, 2, 2], [0, 1, 1, 1, 1, 1]])
    out = backbone(Features(values, torch.arange(6) < torch.tensor([6, 4])[:, None], documents=documents))
    for row, start, stop in [(0, 0, 3), (0, 3, 4), (0, 4, 6), (1, 0, 1), (1, 1, 4)]:
        close(out[row, start:stop], backbone(Features(values[row : row + 1, start:stop]))[0])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_chunks_of_any_lengths_with_a_state_equal_the_whole(data):
    backbone = make(causal=True, kernel=data.draw(st.sampled_from([3, 5])))
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    lengths = [[data.draw(st.integers(0, size)) for _ in range(3)] for size in sizes]
    chunks = [torch.randn(3, size, 6) for size in sizes]
    state = backbone.start(3, 99, CPU, torch.float32)
    outs = [backbone(ragged(chunk, valid), state=state) for chunk, valid in zip(chunks, lengths, strict=True)]
    for row in range(3):
        read = torch.cat([chunk[row, : valid[row]] for chunk, valid in zip(chunks, lengths, strict=True)])
        stepped = torch.cat([out[row, : valid[row]] for out, valid in zip(outs, lengths, strict=True)])
        close(stepped, backbone(Features(read[None]))[0])


def test_the_top_layer_sees_exactly_as_far_as_the_dilations_add_up():
    backbone, values = make(causal=True, depth=3), torch.randn(1, 20, 6)
    outs = []
    for place in (4, 5):  # 2 + 4 + 8 positions back from the last are 5
        changed = values.clone()
        changed[:, place] *= -1
        outs.append(torch.equal(backbone(Features(values))[:, 19], backbone(Features(changed))[:, 19]))
    assert outs == [True, False]


def test_the_positions_lie_side_by_side_again_after_a_cycle():
    assert CnnOptions(depth=6, cycle=4, dilation=3).dilations == [1, 3, 9, 27, 1, 3]
    assert CnnOptions(depth=3, dilation=1).dilations == [1, 1, 1]


def test_an_even_kernel_has_no_middle():
    with pytest.raises(OptionError) as caught:
        CnnOptions(kernel=4)
    assert str(caught.value) == "`kernel` must be odd, so that it has a middle, not 4."


def test_a_state_is_for_one_way_and_one_document():
    with pytest.raises(ValueError, match=r"^A backbone that reads both ways has no state"):
        make(causal=False).start(1, 4, CPU, torch.float32)
    backbone = make(causal=True)
    packed = Features(torch.randn(1, 2, 6), documents=torch.zeros(1, 2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"^Packed documents cannot be read with a state"):
        backbone(packed, state=backbone.start(1, 4, CPU, torch.float32))
