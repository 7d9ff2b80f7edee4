import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmlm_core.both_ways import read_both_ways


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_it_gives_what_torch_gives_for_packed_rows_and_the_same_gradients(cell):
    torch.manual_seed(0)
    layer = cell(5, 4, batch_first=True, bidirectional=True)
    values, lengths = torch.randn(4, 7, 5), torch.tensor([3, 7, 1, 6])
    valid = torch.arange(7) < lengths.unsqueeze(1)
    reads, slopes = [], []
    for packs in (True, False):
        hidden = values.clone().requires_grad_()
        if packs:
            packed = pack_padded_sequence(hidden, lengths, batch_first=True, enforce_sorted=False)
            read = pad_packed_sequence(layer(packed)[0], batch_first=True)[0]
        else:
            read = read_both_ways(layer, hidden, lengths)
        reads.append(read[valid])
        slopes.append(torch.autograd.grad(read[valid].square().sum(), [hidden, *layer.parameters()]))
    torch.testing.assert_close(*reads)
    torch.testing.assert_close(*slopes)


def test_a_row_of_nothing_stays_finite_and_rows_of_one_length_need_no_lengths():
    layer = nn.GRU(5, 4, batch_first=True, bidirectional=True)
    values = torch.randn(2, 3, 5)
    assert read_both_ways(layer, values, torch.tensor([0, 3])).isfinite().all()
    torch.testing.assert_close(read_both_ways(layer, values, None), read_both_ways(layer, values, torch.tensor([3, 3])))


def test_another_layer_is_refused():
    with pytest.raises(TypeError, match=r"must be an nn\.GRU or nn\.LSTM, not RNN"):
        read_both_ways(nn.RNN(5, 4), torch.zeros(1, 1, 5), None)
