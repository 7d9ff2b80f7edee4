import math
import pickle

import pytest
import torch

from mmlm_core.errors import DataError, OptionError
from mmlm_core.tokens import TokenTable
from mmlm_text.byte import ByteTokenizer
from mmlm_text.embedding import EmbeddingEncoder
from mmlm_text.options import ByteOptions, EmbeddingOptions, Positions, TransformerOptions
from mmlm_text.transformer import TransformerEncoder

BYTES = ByteTokenizer(ByteOptions())
A, B, C = BYTES.encode("abc")


def embedding(**options):
    torch.manual_seed(0)
    return EmbeddingEncoder(EmbeddingOptions(**options), tokenizer=BYTES, table=TokenTable(BYTES.vocabulary, 8))


def transformer(**options):
    torch.manual_seed(0)
    given = {"depth": 2, "heads": 2, "max_tokens": 12, **options}
    return TransformerEncoder(
        TransformerOptions(**given), tokenizer=BYTES, table=TokenTable(BYTES.vocabulary, 8)
    ).eval()


def collate(encoder, *texts, generator=None):
    processor = encoder.processor()
    return processor.collate([processor.process(text) for text in texts], generator)


def test_texts_of_one_length_have_no_mask():
    assert {k: v.tolist() for k, v in collate(embedding(), "ab", "bc").items()} == {"ids": [[A, B], [B, C]]}


def test_shorter_texts_are_padded_behind_and_masked():
    assert {k: v.tolist() for k, v in collate(embedding(), "a", "abc").items()} == {
        "ids": [[A, BYTES.pad, BYTES.pad], [A, B, C]],
        "mask": [[True, False, False], [True, True, True]],
    }


def test_an_empty_text_has_no_valid_position_and_blank_is_one():
    encoder = embedding()
    assert {k: v.tolist() for k, v in collate(encoder, "").items()} == {"ids": [[BYTES.pad]], "mask": [[False]]}
    assert encoder.processor().blank()["ids"].tolist() == []
    assert collate(encoder, "", "ab")["mask"].tolist() == [[False, False], [True, True]]


def test_a_long_text_is_cut_and_says_by_which_option():
    processor = embedding(max_tokens=2).processor()
    texts = ("abc", "ab", "bca")
    assert [processor.process(text)["ids"].tolist() for text in texts] == [[A, B], [A, B], [B, C]]
    assert [processor.excess(text) for text in texts] == ["encoder.text.max_tokens=2", "", "encoder.text.max_tokens=2"]


def test_what_is_no_text_is_refused():
    with pytest.raises(DataError) as caught:
        embedding().processor().process(["a"])
    assert str(caught.value) == "A text must be a string, not list."


def test_the_processor_pickles():
    processor = pickle.loads(pickle.dumps(embedding().processor()))
    assert processor.process("abc")["ids"].tolist() == [A, B, C]


def test_embeddings_are_the_rows_of_the_shared_table():
    encoder = embedding()
    features = encoder(collate(encoder, "ab", "c"))
    assert encoder.width == 8
    assert torch.equal(features.values[0], encoder.table.embedding.weight[[A, B]])
    assert features.valid.tolist() == [[True, True], [True, False]]


def test_token_dropout_hides_its_share_of_valid_tokens_in_training_alone():
    encoder = embedding(token_dropout=0.25)
    texts = ["a" * 400, "a" * 200]
    assert torch.equal(collate(encoder, *texts)["ids"], collate(embedding(), *texts)["ids"])
    dropped = collate(encoder, *texts, generator=torch.Generator().manual_seed(3))
    again = collate(encoder, *texts, generator=torch.Generator().manual_seed(3))
    assert torch.equal(dropped["ids"], again["ids"])
    assert dropped["ids"][1, 200:].eq(BYTES.pad).all()
    assert set(dropped["ids"][0].tolist()) == {A, BYTES.unknown}
    share = dropped["ids"].eq(BYTES.unknown).sum().item() / 600
    assert abs(share - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 600)


def test_the_transformer_equals_attention_written_out():
    encoder = transformer(depth=1)
    ids = torch.tensor([[A, B, C]])
    layer, hidden = encoder.layers[0], encoder.table(ids) + encoder.positions[:3]
    q, k, v = layer.self_attn.in_proj_bias.view(3, 8)[:, None] + torch.einsum(
        "pij,tj->pti", layer.self_attn.in_proj_weight.view(3, 8, 8), layer.norm1(hidden)[0]
    )
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        weights = torch.softmax(q[:, head] @ k[:, head].T / 2.0, dim=-1)
        heads.append(weights @ v[:, head])
    hidden = hidden + layer.self_attn.out_proj(torch.cat(heads, dim=-1))
    inner = torch.nn.functional.gelu(layer.linear1(layer.norm2(hidden)))
    expected = encoder.norm(hidden + layer.linear2(inner))
    torch.testing.assert_close(encoder({"ids": ids}).values, expected)


@pytest.mark.parametrize("positions", list(Positions))
@pytest.mark.parametrize("training", [True, False])
def test_each_text_is_encoded_as_it_is_alone_whatever_the_padding(positions, training):
    encoder = transformer(positions=positions, dropout=0.0).train(training)
    items = collate(encoder, "abcab", "ba", "")
    features = encoder(items)
    assert features.values.isfinite().all()
    for row, text in enumerate(("abcab", "ba")):
        alone = encoder(collate(encoder, text))
        assert alone.mask is None
        torch.testing.assert_close(features.values[row, : len(text)], alone.values[0], rtol=1e-4, atol=1e-5)
    further = {
        "ids": torch.nn.functional.pad(items["ids"], (0, 3), value=A),
        "mask": torch.nn.functional.pad(items["mask"], (0, 3)),
    }
    torch.testing.assert_close(encoder(further).values[0, :5], features.values[0], rtol=1e-4, atol=1e-5)


def test_the_transformer_reads_both_ways_and_in_order():
    encoder = transformer()
    abc = encoder({"ids": torch.tensor([[A, B, C]])}).values
    aba, bac = encoder({"ids": torch.tensor([[A, B, A]])}).values, encoder({"ids": torch.tensor([[B, A, C]])}).values
    assert not torch.allclose(abc[0, 0], aba[0, 0])
    assert not torch.allclose(abc[0, 2], bac[0, 2])


@pytest.mark.parametrize("positions", list(Positions))
def test_gradients_reach_every_parameter_and_an_empty_text_gives_no_nan(positions):
    encoder = transformer(positions=positions).train()
    features = encoder(collate(encoder, "abc", ""))
    (features.values * features.valid[..., None]).square().sum().mul(features.values[0, 0, 0]).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_sinusoids_are_those_of_the_paper():
    positions = transformer(positions=Positions.SINUSOIDAL).positions
    for place in (0, 1, 7):
        for pair in range(4):
            angle = place / 10000 ** (2 * pair / 8)
            assert positions[place, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert positions[place, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_heads_must_divide_the_width():
    with pytest.raises(OptionError) as caught:
        transformer(heads=3)
    assert str(caught.value) == "`heads` must divide the width of the token table, 8, not 3."


def test_more_tokens_than_positions_are_refused():
    with pytest.raises(DataError) as caught:
        transformer(max_tokens=2)({"ids": torch.tensor([[A, B, C]])})
    assert str(caught.value) == "A text has 3 tokens; `max_tokens` of the text encoder is 2."


def test_the_stages_of_a_transformer_are_its_vectors_and_its_layers():
    learned, sinusoidal = transformer(), transformer(positions=Positions.SINUSOIDAL)
    first, *layers = learned.stages()
    assert first[0] is learned.table and first[1] is learned.positions
    assert layers == [[learned.layers[0]], [learned.layers[1]]]
    assert sinusoidal.stages()[0] == [sinusoidal.table]
