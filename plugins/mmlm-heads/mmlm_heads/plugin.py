"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from mmlm_core import ALL, Component, Need, Traits, hookimpl
from mmlm_heads.ctc_options import CtcOptions
from mmlm_heads.options import ClassificationOptions, Pooling
from mmlm_heads.regression_options import RegressionOptions
from mmlm_heads.span_options import SpanOptions
from mmlm_heads.tagging_options import TaggingOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_TARGET = Need("data", has=frozenset({"target"}), because="learns from targets")
_TAGS = Need("data", has=frozenset({"target:tags", "target:any"}), because="learns from a tag for each word")
_ANSWERS = Need(
    "data", has=frozenset({"target:answers", "target:any"}), because="learns from answers that stand in a text"
)
_NUMBERS = Need("data", has=frozenset({"target:numbers", "target:any"}), because="learns from numbers")


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
            name="tagging",
            options=TaggingOptions,
            target="mmlm_heads.tagging:Tagging",
            traits=Traits(
                provides=frozenset({"tags"}),
                needs=(
                    Need("encoder/text", has=frozenset({"sequence"}), because="tags the words of a text"),
                    Need("projection/text", has=frozenset({"positions"}), because="reads each word's own position"),
                    Need("tokenizer", has=frozenset({"offsets"}), because="brings tags to the tokens they stand on"),
                    _TAGS,
                ),
                uses_tokenizer=True,
                fits_targets=True,
                reads=frozenset({"text"}),
            ),
            tiny={"truncate": True},
            samples="mmlm_heads.samples:tags",
        ),
        Component(
            kind="head",
            name="span",
            options=SpanOptions,
            target="mmlm_heads.span:Span",
            traits=Traits(
                provides=frozenset({"queries", "located"}),
                needs=(
                    Need("encoder/text", has=frozenset({"sequence"}), because="answers by a part of a text"),
                    Need("projection/text", has=frozenset({"positions"}), because="reads each token's own position"),
                    Need("tokenizer", has=frozenset({"offsets"}), because="brings answers to the tokens they stand on"),
                    _ANSWERS,
                ),
                uses_tokenizer=True,
                reads=frozenset({"text"}),
            ),
            tiny={"truncate": True},
            samples="mmlm_heads.samples:answers",
        ),
        Component(
            kind="head",
            name="regression",
            options=RegressionOptions,
            target="mmlm_heads.regression:Regression",
            traits=_regression_traits,
            samples="mmlm_heads.samples:numbers",
        ),
        Component(
            kind="head",
            name="ctc",
            options=CtcOptions,
            target="mmlm_heads.ctc:Ctc",
            traits=_ctc_traits,
            samples="mmlm_heads.samples:transcripts",
        ),
    ]


def _ctc_traits(options: CtcOptions) -> Traits:
    name = options.input
    reads = "reads a transcript off the positions of its input, in their order"
    several = "reads one input, which `head.input` names where there are several"
    needs = [
        Need(f"encoder/{name}" if name else "encoder", has=frozenset({"sequence"}), because=reads),
        Need(f"projection/{name}" if name else "projection", has=frozenset({"positions"}), because=reads, every=True),
        _TARGET,
        *([] if name else [Need("encoder", count=1, because=several)]),
    ]
    return Traits(
        provides=frozenset({"aligned"}),
        needs=tuple(needs),
        uses_tokenizer=True,
        reads=frozenset({name}) if name else ALL,
    )


def _classification_traits(options: ClassificationOptions) -> Traits:
    return Traits(
        provides=frozenset({"queries"} if options.pooling is Pooling.query else ()),
        needs=(Need("encoder", because="labels inputs"), _TARGET),
        fits_targets=True,
        reads=frozenset() if options.pooling is Pooling.query else ALL,
    )


def _regression_traits(options: RegressionOptions) -> Traits:
    queries = options.pooling is Pooling.query
    return Traits(
        provides=frozenset({"queries"} if queries else ()),
        needs=(Need("encoder", because="measures inputs"), _NUMBERS),
        fits_targets=True,
        reads=frozenset() if queries else ALL,
    )
