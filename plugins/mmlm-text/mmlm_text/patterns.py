"""How texts are cut into words, without loss: the words, put side by side, are the text again.

A word carries the space before it, as ` word`, and a text that begins with a word gets a space before it, so that the
same word is the same token everywhere; decoding takes that space away again. Characters of scripts that are written
without spaces, signs and other white space stand for themselves. No word is made of both letters and signs, so no text
that spells a special token, as `<end>`, can be taken for it.
"""

from __future__ import annotations

from tokenizers import Regex, decoders, normalizers, pre_tokenizers

__all__ = ["marked", "plain", "split", "unmarked"]

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}_]&&[^{_UNSPACED}]]"


def plain(lowercase: bool) -> normalizers.Normalizer | None:
    """Return the normalizer of a tokenizer that marks nothing; None where nothing is to be done."""
    return normalizers.Lowercase() if lowercase else None


def marked(lowercase: bool) -> normalizers.Normalizer:
    """Return the normalizer that puts a space before a text that begins with a word (behind spaces or not)."""
    mark = normalizers.Replace(Regex(rf"\A(?= *{_LETTER})"), " ")
    return normalizers.Sequence([normalizers.Lowercase(), mark]) if lowercase else mark


def split(runs: bool) -> pre_tokenizers.PreTokenizer:
    """Return the pre-tokenizer that cuts a marked text into words.

    Args:
        runs: Keep characters of scripts without spaces together, for a model that finds its own pieces in them.
    """
    unspaced = f"[{_UNSPACED}]" + ("+" if runs else "")
    return pre_tokenizers.Split(Regex(rf" ?{_LETTER}+|{unspaced}|[\s\S]"), "isolated")


def unmarked(continuing: str = "") -> decoders.Decoder:
    """Return the decoder that puts words side by side and undoes `marked`.

    Args:
        continuing: What pieces inside a word begin with; it is taken away.
    """
    steps = [decoders.Replace(Regex(rf"\A{continuing}(?=[\s\S])"), "")] if continuing else []
    return decoders.Sequence([*steps, decoders.Fuse(), decoders.Replace(Regex(rf"\A (?= *{_LETTER})"), "")])
