"""What each id adds to a text, for grammars: the pieces of a text's ids, side by side, are the text."""

import pytest

from mmlm_core.vocabulary import extended
from mmlm_text.bpe import BpeTokenizer
from mmlm_text.byte import ByteTokenizer
from mmlm_text.char import CharTokenizer
from mmlm_text.options import BpeOptions, ByteOptions, CharOptions, UnigramOptions, WordOptions, WordPieceOptions
from mmlm_text.unigram import UnigramTokenizer
from mmlm_text.word import WordTokenizer
from mmlm_text.wordpiece import WordPieceTokenizer

TEXTS = ['{"name":"two cats","count":2}', "play (song 我爱苹果)", "cats  and more\n", "cats play songs"]
TOKENIZERS = [
    BpeTokenizer(BpeOptions(vocabulary=280)),
    ByteTokenizer(ByteOptions()),
    CharTokenizer(CharOptions()),
    UnigramTokenizer(UnigramOptions(vocabulary=60)),
    WordTokenizer(WordOptions()),
    WordPieceTokenizer(WordPieceOptions(vocabulary=80)),
]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: type(tokenizer).__name__)
def test_the_pieces_of_a_texts_ids_are_the_text(tokenizer):
    tokenizer.train(TEXTS)
    first, later = tokenizer.pieces(begins=True), tokenizer.pieces()
    assert len(first) == len(later) == tokenizer.vocabulary
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert b"".join([first[ids[0]], *(later[number] for number in ids[1:])]) == text.encode()


def test_special_ids_have_no_bytes_and_those_of_byte_level_vocabularies_have_all_256():
    tokenizer = extended(ByteTokenizer(ByteOptions()), ["extra"])
    assert tokenizer.pieces() == [b""] * 5 + [bytes([byte]) for byte in range(256)] + [b""]
