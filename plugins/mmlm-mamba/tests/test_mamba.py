import pytest
import torch
from transformers import Mamba2Model

from mmlm_core.errors import OptionError
from mmlm_core.types import Features
from mmlm_mamba.mamba import Mamba
from mmlm_mamba.options import MambaOptions

OPTIONS = MambaOptions(width=16, depth=2, head_width=8, state=8, chunk=4)


def test_it_is_the_model_of_transformers_but_for_the_embedding() -> None:
    torch.manual_seed(0)
    ours = Mamba(OPTIONS, causal=True).eval()
    theirs = Mamba2Model(ours.config).eval()
    theirs.norm_f.weight.data.copy_(ours.final.weight)
    for block, layer, norm in zip(theirs.layers, ours.layers, ours.norms, strict=True):
        block.mixer.load_state_dict(layer.state_dict())
        block.norm.weight.data.copy_(norm.weight)
    values = torch.randn(3, 11, 16)
    with torch.no_grad():
        expected = theirs(inputs_embeds=values, use_cache=False).last_hidden_state
        torch.testing.assert_close(ours(Features(values)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bf16", [False, True])
def test_rows_of_different_length_leave_the_states_that_each_leaves_alone(bf16: bool) -> None:
    torch.manual_seed(0)
    backbone = Mamba(OPTIONS, causal=True).eval()
    values, lengths = torch.randn(4, 6, 16), torch.tensor([6, 2, 0, 2])
    mask = torch.arange(6) < lengths.unsqueeze(1)
    state = backbone.start(4, 0, values.device, values.dtype)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        backbone(Features(values, mask), state=state)
        for row, length in enumerate(lengths.tolist()):
            alone = backbone.start(1, 0, values.device, values.dtype)
            backbone(Features(values[row : row + 1, :length]), state=alone)
            torch.testing.assert_close(state.inputs[:, row], alone.inputs[:, 0])
            torch.testing.assert_close(state.spaces[:, row], alone.spaces[:, 0])


def test_a_head_that_looks_both_ways_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Mamba reads forwards: build it with `causal=True`\.$"):
        Mamba(OPTIONS, causal=False)


def test_heads_must_fill_the_width_inside_a_layer() -> None:
    with pytest.raises(OptionError, match=r"^`head_width` must divide `expand` times `width`, 200; 64 does not\.$"):
        MambaOptions(width=100)
