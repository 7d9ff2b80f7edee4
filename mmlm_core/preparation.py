"""What a model needs of the data before it can be built: the tokenizer's vocabulary and the head's facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import corpus
from mmlm_core.interfaces import DataSource, Tokenizer
from mmlm_core.model import Model

__all__ = ["Preparation", "make_source", "make_tokenizer", "prepare"]


@dataclass
class Preparation:
    """A model that is ready to be trained, and what it was made with."""

    composition: Composition
    source: DataSource
    tokenizer: Tokenizer | None
    facts: dict[str, Any]
    model: Model


def prepare(composition: Composition) -> Preparation:
    """Open the data, train the tokenizer on the training texts, gather the head's facts, and build the model.

    Raises:
        DataError: The training rows cannot be read, or hold nothing to learn from.
    """
    source = make_source(composition)
    train = source.read("train")
    tokenizer = make_tokenizer(composition)
    if tokenizer is not None:
        tokenizer.train(corpus(train))
    head = composition["head"]
    facts = {}
    if head.traits.fits_targets:
        facts = head.component.load().facts(head.options, (example.target for example in train))  # type: ignore[attr-defined]
    model = build(composition, tokenizer=tokenizer, facts=facts)
    _initialise(model, composition.settings.run.seed)
    return Preparation(composition, source, tokenizer, facts, model)


def _initialise(model: Model, seed: int) -> list[str]:
    """Let the encoders take what they begin with from files; return a line of each that does."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [encoder.initialise() for encoder in model.encoders.values()]  # type: ignore[operator]


def make_source(composition: Composition) -> DataSource:
    """Return the data source, opened."""
    return composition["data"].make()  # type: ignore[no-any-return]


def make_tokenizer(composition: Composition) -> Tokenizer | None:
    """Return the tokenizer, without a vocabulary yet; None where no part uses one."""
    if not composition.uses_tokenizer:
        return None
    return composition["tokenizer"].make()  # type: ignore[no-any-return]
