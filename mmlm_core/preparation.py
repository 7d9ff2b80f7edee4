"""What a model needs of the data before it can be built: the tokenizer's vocabulary and the head's facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data.survey import Survey
from mmlm_core.interfaces import DataSource, Head, Stream, Tokenizer
from mmlm_core.model import Model
from mmlm_core.named_files import check_files
from mmlm_core.starting import read_start
from mmlm_core.vocabulary import make_tokenizer

__all__ = ["STREAMED", "Preparation", "make_source", "make_tokenizer", "prepare"]

STREAMED = 100_000
"""Rows of a stream that the head's facts are gathered from."""

READ = 100_000
"""Rows that a tokenizer is trained on at most: the first of a stream, of other data some that are spread evenly."""


@dataclass
class Preparation:
    """A model that is ready to be trained, and what it was made with.

    Attributes:
        composition: What it is made of.
        source: The data, opened.
        tokenizer: With its vocabulary; None where no part uses one.
        facts: What the head knows of the training targets.
        model: The model.
        started: What it took from files and from the run that it starts from, a line each; empty where it took nothing.
    """

    composition: Composition
    source: DataSource
    tokenizer: Tokenizer | None
    facts: dict[str, Any]
    model: Model
    started: str = ""


def prepare(composition: Composition) -> Preparation:
    """Open the data, train the tokenizer on the training texts, gather the head's facts, and build the model.

    The tokenizer is trained on some rows of many. The head looks at all targets; of a stream, at the first ones.

    Where the settings name a run to start from (`run.init`), the tokenizer and the weights of what both share are its.

    Raises:
        DataError: The training rows cannot be read, or hold nothing to learn from.
        RunError: The run to start from cannot be read, or does not fit.
    """
    start = read_start(composition)
    check_files(composition)
    source = make_source(composition)
    train = source.read("train")
    survey = Survey(train, composition.settings.loader.on_error, STREAMED if isinstance(train, Stream) else None)
    head = composition["head"]
    head_class: type[Head] = head.component.load()
    tokenizer = make_tokenizer(composition)
    started = []
    if tokenizer is not None and (start is None or not start.gives_tokenizer):
        texts = survey.texts(partial(head_class.texts, head.options), READ)
        with survey.explaining():
            tokenizer.train(texts)
        if not isinstance(train, Stream) and len(train) > READ and next(texts, None) is None:  # it has read them
            started.append(f"tokenizer: made of {READ:,} of the {len(train):,} training rows")
    elif tokenizer is not None and start is not None:
        tokenizer.load(start.record.tokenizer_folder)
    facts = {}
    if head.traits.fits_targets:
        with survey.explaining(["target"]):
            facts = head_class.facts(head.options, survey.targets())
    model = build(composition, tokenizer=tokenizer, facts=facts)
    started += _initialise(model, composition.settings.run.seed)
    if start is not None:
        started.append(start.hand_over(model, tokenizer, facts))
    return Preparation(composition, source, tokenizer, facts, model, "\n".join(filter(None, started)))


def _initialise(model: Model, seed: int) -> list[str]:
    """Let the encoders take what they begin with from files; return a line of each that does."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [encoder.initialise() for encoder in model.encoders.values()]  # type: ignore[operator]


def make_source(composition: Composition) -> DataSource:
    """Return the data source, opened."""
    return composition["data"].make()  # type: ignore[no-any-return]
