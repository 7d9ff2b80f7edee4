"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core import Component, Need, Traits, hookimpl
from mmlm_pretraining.options import MaskedLanguageModelingOptions, SpanCorruptionOptions
from mmlm_pretraining.sentinels import sentinels

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_TEXT = Need("encoder/text", has=frozenset({"sequence"}), because="hides parts of a text")


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the heads."""
    return [
        Component(
            kind="head",
            name="masked_language_modeling",
            options=MaskedLanguageModelingOptions,
            target="mmlm_pretraining.masked_language_modeling:MaskedLanguageModeling",
            traits=_masked_traits,
        ),
        Component(
            kind="head",
            name="span_corruption",
            options=SpanCorruptionOptions,
            target="mmlm_pretraining.span_corruption:SpanCorruption",
            traits=_span_traits,
            tiny={"sentinels": 4},
        ),
    ]


def _masked_traits(options: MaskedLanguageModelingOptions) -> Traits:
    words = Need("tokenizer", has=frozenset({"offsets"}), because="hides whole words, whose pieces it must find")
    return Traits(
        needs=(
            _TEXT,
            Need("projection/text", has=frozenset({"positions"}), because="tells each hidden token at its position"),
            Need("backbone", has=frozenset({"bidirectional"}), because="tells a hidden token from both sides"),
            *([words] if options.whole_words else []),
        ),
        uses_tokenizer=True,
        reads=frozenset({"text"}),
    )


def _span_traits(options: SpanCorruptionOptions) -> Traits:
    return Traits(
        provides=frozenset({"queries", "generates", "located"}),
        needs=(
            _TEXT,
            Need(
                "backbone",
                has=frozenset({"causal"}),
                because="writes the hidden spans token by token, so it must not see the tokens to come",
            ),
        ),
        uses_tokenizer=True,
        special_tokens=sentinels(options.sentinels),
    )
