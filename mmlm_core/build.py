"""From a checked composition to a model: classes are imported here, and widths wired from part to part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mmlm_core.composition import Choice, Composition
from mmlm_core.errors import CompositionError
from mmlm_core.freezing import freeze
from mmlm_core.interfaces import Backbone, Encoder, Fusion, Head, Projection, Tokenizer
from mmlm_core.model import Model
from mmlm_core.tokens import TokenTable

__all__ = ["build"]


def build(
    composition: Composition, *, tokenizer: Tokenizer | None = None, facts: Mapping[str, Any] | None = None
) -> Model:
    """Build the model of a composition, its weights drawn from the run's seed.

    Args:
        composition: A composition that `mmlm_core.compat.check` has accepted.
        tokenizer: Trained or loaded; needed where a part uses one.
        facts: What the head must know of the training targets, as its `facts` returned it; needed where the traits of
            the head say `fits_targets`.

    Raises:
        CompositionError: The tokenizer or the facts are needed and missing.
        OptionError: `trainer.freeze` names what the model does not have.
    """
    if tokenizer is None and composition.uses_tokenizer:
        raise CompositionError("This composition reads or writes tokens: `build` needs its `tokenizer`, trained or "
                               "loaded (`mmlm_core.preparation.prepare` makes both from the data).")  # fmt: skip
    if not facts and composition["head"].traits.fits_targets:
        name = composition["head"].component.name
        raise CompositionError(f"`head={name}` must know its targets: `build` needs the `facts`, which "
                               "`mmlm_core.preparation.prepare` gathers.")  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(composition.settings.run.seed)
        model = _build(composition, tokenizer, dict(facts or {}))
    freeze(model, composition.settings.trainer.freeze)
    return model


def _build(composition: Composition, tokenizer: Tokenizer | None, facts: dict[str, Any]) -> Model:
    modalities = tuple(composition.modalities())
    head_class: type[Head] = composition["head"].component.load()
    backbone: Backbone = composition["backbone"].make(causal=_causal(composition, head_class))
    table = _table(composition, tokenizer, backbone)

    def tokens(choice: Choice) -> dict[str, Any]:
        return {"tokenizer": tokenizer, "table": table} if choice.traits.uses_tokenizer else {}

    encoders: dict[str, Encoder] = {}
    projections: dict[str, Projection] = {}
    for modality in modalities:
        choice = composition[f"encoder/{modality}"]
        encoders[modality] = choice.make(**tokens(choice))
        projections[modality] = composition[f"projection/{modality}"].make(
            input_width=encoders[modality].width, output_width=backbone.width
        )
    choice = composition["head"]
    head: Head = choice.make(width=backbone.width, modalities=modalities, facts=facts, **tokens(choice))
    fusion: Fusion = composition["fusion"].make(
        width=backbone.width, depth=backbone.depth, modalities=modalities, reads=head.reads
    )
    return Model(encoders, projections, fusion, backbone, head)


def _causal(composition: Composition, head: type[Head]) -> bool:
    """Whether the backbone reads causally: where the head asks for it, or the backbone cannot do otherwise."""
    return head.causal or "bidirectional" not in composition["backbone"].traits.provides


def _table(composition: Composition, tokenizer: Tokenizer | None, backbone: Backbone) -> TokenTable | None:
    if tokenizer is None or not composition.uses_tokenizer:
        return None
    return backbone.table if backbone.table is not None else TokenTable(tokenizer.vocabulary, backbone.width)
