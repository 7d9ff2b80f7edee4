"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from mmlm_core import ALL, Component, Need, Traits, hookimpl
from mmlm_heads.options import CaptioningOptions, ClassificationOptions, LanguageModelingOptions, Pooling

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_TARGET = Need("data", has=frozenset({"target"}), because="learns from targets")
_CAUSAL = Need(
    "backbone",
    has=frozenset({"causal"}),
    because="writes its text token by token, so it must not see the tokens to come",
)
_WRITES = frozenset({"queries", "generates"})


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the heads."""
    return [
        Component(
            kind="head",
            name="classification",
            options=ClassificationOptions,
            target="mmlm_heads.classification:Classification",
            traits=_classification_traits,
        ),
        Component(
            kind="head",
            name="language_modeling",
            options=LanguageModelingOptions,
            target="mmlm_heads.language_modeling:LanguageModeling",
            traits=Traits(provides=_WRITES, needs=(_CAUSAL, _TARGET), uses_tokenizer=True),
            tiny={"context": 16},
        ),
        Component(
            kind="head",
            name="captioning",
            options=CaptioningOptions,
            target="mmlm_heads.captioning:Captioning",
            traits=Traits(
                provides=_WRITES,
                needs=(Need("encoder", because="writes about inputs"), _CAUSAL, _TARGET),
                uses_tokenizer=True,
            ),
            tiny={"max_tokens": 16, "truncate": True},
        ),
    ]


def _classification_traits(options: ClassificationOptions) -> Traits:
    return Traits(
        provides=frozenset({"queries"} if options.pooling is Pooling.query else ()),
        needs=(Need("encoder", because="labels inputs"), _TARGET),
        fits_targets=True,
        reads=frozenset() if options.pooling is Pooling.query else ALL,
    )
