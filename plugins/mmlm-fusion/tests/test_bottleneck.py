"""What `bottleneck` computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmlm_core.errors import CompositionError, OptionError
from mmlm_core.types import QUERIES, Features
from mmlm_fusion.bottleneck import Bottleneck
from mmlm_fusion.options import BottleneckOptions
from mmlm_fusion.reading import sinusoids


def bottleneck(reads: tuple[str, ...] = (QUERIES,), **options: object) -> Bottleneck:
    torch.manual_seed(0)
    chosen = BottleneckOptions(**{"tokens": 2, "heads": 2, **options})
    fusion = Bottleneck(chosen, width=8, depth=2, modalities=("image", "text"), reads=reads).eval()
    torch.nn.init.normal_(fusion.tokens)
    return fusion


def inputs(lengths: tuple[int, int, int] = (4, 4, 0)) -> dict[str, Features]:
    generator = torch.Generator().manual_seed(1)
    image = Features(torch.randn(3, 4, 8, generator=generator), torch.arange(4) < torch.tensor(lengths).unsqueeze(1))
    text = Features(torch.randn(3, 3, 8, generator=generator), torch.arange(3) < torch.tensor([[3], [1], [0]]))
    return {"image": image, "text": text}


def naive_layer(stream: torch.nn.Module, both: Tensor) -> Tensor:
    """Return what torch's own layer makes of one row, with the weights of ours. Shape: [S, D]."""
    layer = torch.nn.TransformerEncoderLayer(8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True)
    layer.load_state_dict({
        "self_attn.in_proj_weight": stream.qkv.weight, "self_attn.in_proj_bias": stream.qkv.bias,
        "self_attn.out_proj.weight": stream.output.weight, "self_attn.out_proj.bias": stream.output.bias,
        "norm1.weight": stream.attention_norm.weight, "norm1.bias": stream.attention_norm.bias,
        "norm2.weight": stream.feed_forward[0].weight, "norm2.bias": stream.feed_forward[0].bias,
        "linear1.weight": stream.feed_forward[1].weight, "linear1.bias": stream.feed_forward[1].bias,
        "linear2.weight": stream.feed_forward[3].weight, "linear2.bias": stream.feed_forward[3].bias,
    })  # fmt: skip
    return layer.train()(both.unsqueeze(0))[0]


def test_the_exchange_equals_a_loop_over_rows_and_inputs() -> None:
    fusion, given, hidden = bottleneck(), inputs(), torch.randn(3, 5, 8)
    memory = fusion.remember(given)
    for row in range(2):
        streams = {name: part.values[row][part.valid[row]].unsqueeze(0) for name, part in given.items()}
        streams = {name: fusion.input_norms[name](values) for name, values in streams.items()}
        streams = {name: (values + sinusoids(values, None))[0] for name, values in streams.items()}
        tokens = fusion.tokens
        for layer in range(2):
            told = []
            for name, stream in fusion.exchanges[layer].items():
                made = naive_layer(stream, torch.cat([streams[name], tokens]))
                streams[name] = made[:-2]
                told.append(made[-2:])
            tokens = torch.stack(told).mean(0)
            reading = fusion.readings[str(layer)]
            both = fusion.keys_values[layer](fusion.token_norms[layer](tokens)).view(2, 2, 2, 4)
            queries = reading.query(reading.norm(hidden[row])).view(5, 2, 4)
            heads = [(queries[:, h] @ both[:, 0, h].T / 2).softmax(-1) @ both[:, 1, h] for h in range(2)]
            expected = hidden[row] + reading.output(torch.cat(heads, -1))
            torch.testing.assert_close(fusion.between(layer, hidden, memory)[row], expected)


def test_one_input_learns_of_another_through_the_tokens_alone() -> None:
    fusion, given = bottleneck(), inputs()
    changed = {**given, "image": given["image"].with_values(-given["image"].values)}
    seen: list[Tensor] = []
    for stream in fusion.exchanges[0]["text"], fusion.exchanges[1]["text"]:
        stream.register_forward_hook(lambda _, __, out: seen.append(out[0]))
    fusion.remember(given)
    fusion.remember(changed)
    first, second, first_changed, second_changed = seen
    assert torch.equal(first, first_changed) and not torch.allclose(second[0], second_changed[0])


def test_a_row_with_one_input_is_told_by_it_alone() -> None:
    fusion, hidden = bottleneck(), torch.randn(3, 5, 8)
    given = inputs(lengths=(4, 0, 0))
    image = given["image"].with_values(given["image"].values * 7)
    before, after = (
        fusion.between(1, hidden, fusion.remember({**given, "image": each})) for each in (given["image"], image)
    )
    assert torch.equal(before[1], after[1]) and not torch.allclose(before[0], after[0])


def test_a_row_without_inputs_gets_nothing() -> None:
    fusion, hidden = bottleneck(), torch.randn(3, 5, 8)
    read = fusion.between(0, hidden, fusion.remember(inputs()))
    assert torch.equal(read[2], hidden[2]) and not torch.allclose(read[1], hidden[1])


def test_it_remembers_tokens_and_no_positions() -> None:
    memory = bottleneck(tokens=3).remember(inputs())
    assert memory["keys"].shape == (3, 2, 2, 3, 4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"heads": 3}, OptionError, "`fusion.heads` must divide the backbone's width, 8; 3 does not."),
        (
            {"keep": ["image", "text"]},
            CompositionError,
            "`fusion=bottleneck` has nothing to exchange: every input stays in the sequence, because the head reads it "
            "or `fusion.keep` names it. Use `fusion=concat`, or add an input.",
        ),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        bottleneck(**options)
    assert str(caught.value) == message
