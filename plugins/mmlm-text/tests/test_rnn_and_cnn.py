"""What the encoders `rnn` and `cnn` compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.errors import OptionError
from mmlm_core.tokens import TokenTable
from mmlm_text.byte import ByteTokenizer
from mmlm_text.cnn import CnnEncoder
from mmlm_text.options import ByteOptions, Cell, CnnOptions, RnnOptions, TextFeatures
from mmlm_text.rnn import RnnEncoder

BYTES = ByteTokenizer(ByteOptions())


def rnn(**options: Any) -> RnnEncoder:
    torch.manual_seed(0)
    chosen = RnnOptions(**{"width": 6, **options})
    return RnnEncoder(chosen, tokenizer=BYTES, table=TokenTable(BYTES.vocabulary, 4)).eval()


def cnn(**options: Any) -> CnnEncoder:
    torch.manual_seed(0)
    chosen = CnnOptions(**{"sizes": [2, 3], "channels": 5, **options})
    made = CnnEncoder(chosen, tokenizer=BYTES, table=TokenTable(BYTES.vocabulary, 4)).eval()
    torch.nn.init.normal_(made.table.embedding.weight)
    return made


def collate(encoder: RnnEncoder | CnnEncoder, *texts: str) -> dict[str, Tensor]:
    processor = encoder.processor()
    return processor.collate([processor.process(text) for text in texts], None)


@pytest.mark.parametrize("cell", list(Cell))
def test_the_rnn_reads_each_text_from_both_of_its_own_ends(cell: Cell) -> None:
    encoder = rnn(cell=cell)
    read = encoder(collate(encoder, "abcde", "ab", "")).values
    for row, text in enumerate(("abcde", "ab")):
        vectors = encoder.table(torch.tensor([BYTES.encode(text)]))
        expected = encoder.layers[0](vectors)[0][0]
        torch.testing.assert_close(read[row, : len(text)], expected)
    assert read.isfinite().all()


def test_a_deeper_rnn_reads_what_the_layer_before_gave() -> None:
    encoder = rnn(depth=2)
    items = collate(encoder, "abc")
    first = encoder.layers[0](encoder.table(items["ids"]))[0]
    torch.testing.assert_close(encoder(items).values, encoder.layers[1](first)[0])


def test_both_directions_share_the_width() -> None:
    with pytest.raises(OptionError) as caught:
        RnnOptions(width=7)
    assert str(caught.value) == "`width` must be even, since half of it is of each direction, not 7."


def naive(encoder: CnnEncoder, text: str) -> Tensor:
    """Return what each convolution makes at each token, by a loop. Shape: [T, D]."""
    vectors = encoder.table(torch.tensor(BYTES.encode(text)))
    made = []
    for convolution, size in zip(encoder.convolutions, encoder.options.sizes, strict=True):
        before = (size - 1) // 2
        at = []
        for place in range(len(text)):
            total = convolution.bias.clone()
            for offset in range(size):
                index = place - before + offset
                if 0 <= index < len(text):
                    total = total + convolution.weight[:, :, offset] @ vectors[index]
            at.append(functional.relu(total))
        made.append(torch.stack(at))
    return torch.cat(made, dim=-1)


def test_the_cnn_gives_the_greatest_value_of_each_channel_over_a_text() -> None:
    encoder = cnn()
    features = encoder(collate(encoder, "abcde", "a", ""))
    assert features.values.shape == (3, 1, 10) and features.valid.flatten().tolist() == [True, True, False]
    for row, text in enumerate(("abcde", "a")):
        torch.testing.assert_close(features.values[row, 0], naive(encoder, text).amax(0))
    assert features.values[2].eq(0).all()


def test_the_cnn_gives_one_vector_at_each_token_where_it_is_asked_to() -> None:
    encoder = cnn(features=TextFeatures.tokens)
    features = encoder(collate(encoder, "abcde", "ab"))
    assert features.valid.tolist() == [[True] * 5, [True, True, False, False, False]]
    for row, text in enumerate(("abcde", "ab")):
        torch.testing.assert_close(features.values[row, : len(text)], naive(encoder, text))


def test_without_a_length_to_look_for_there_is_no_cnn() -> None:
    with pytest.raises(OptionError) as caught:
        CnnOptions(sizes=[])
    assert str(caught.value) == "`sizes` must have at least one length, each at least 1, not []."


@pytest.mark.parametrize("make", [rnn, cnn])
def test_a_table_of_its_own_has_its_own_width(make: Any) -> None:
    encoder = make(embedding_width=7)
    assert encoder.table.width == 7 and encoder.table.vocabulary == BYTES.vocabulary
    assert encoder(collate(encoder, "ab")).values.isfinite().all()


def test_the_stages_of_an_rnn_are_its_vectors_and_its_layers() -> None:
    encoder = rnn(depth=2)
    assert encoder.stages() == [[encoder.table], [encoder.layers[0]], [encoder.layers[1]]]
