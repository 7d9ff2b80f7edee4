"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from functools import partial

from mmlm_core import Component, Need, Traits, hookimpl
from mmlm_writing.options import (
    ROLES,
    AnsweringOptions,
    CaptioningOptions,
    DialogueOptions,
    LanguageModelingOptions,
    ParsingOptions,
    SummarizationOptions,
    TextOptions,
    TextToTextOptions,
    TranscriptionOptions,
    TranslationOptions,
)

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_CAUSAL = Need(
    "backbone",
    has=frozenset({"causal"}),
    because="writes its text token by token, so it must not see the tokens to come",
)
_TARGET = Need("data", has=frozenset({"target"}), because="learns from targets")
_ANSWERS = Need("data", has=frozenset({"target", "target:messages"}), because="learns from answers")
_COPIED = (
    Need("encoder/text", has=frozenset({"tokens"}), because="copies tokens of a text (`head.copy`)"),
    Need("projection/text", has=frozenset({"positions"}), because="copies tokens of a text (`head.copy`)"),
)
_WRITES = frozenset({"queries", "generates"})


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the heads."""
    return [
        Component(
            kind="head",
            name="language_modeling",
            options=LanguageModelingOptions,
            target="mmlm_writing.language_modeling:LanguageModeling",
            traits=_language_modeling_traits,
            tiny={"context": 16},
        ),
        _about_inputs("captioning", CaptioningOptions, Need("encoder", because="writes about inputs")),
        _about_inputs("translation", TranslationOptions, Need("encoder", because="translates an input")),
        _about_inputs("summarization", SummarizationOptions, Need("encoder", because="sums up an input")),
        _about_inputs("answering", AnsweringOptions, Need("encoder", because="answers about inputs")),
        Component(
            kind="head",
            name="dialogue",
            options=DialogueOptions,
            target="mmlm_writing.dialogue:Dialogue",
            traits=Traits(
                provides=_WRITES,
                needs=(_CAUSAL, _ANSWERS),
                uses_tokenizer=True,
                special_tokens=ROLES,
            ),
            tiny={"max_tokens": 32, "truncate": True},
        ),
        Component(
            kind="head",
            name="parsing",
            options=ParsingOptions,
            target="mmlm_writing.parsing:Parsing",
            traits=partial(_text_traits, Need("encoder", because="parses an input"), fits_targets=True),
            tiny={"max_tokens": 16, "truncate": True, "schema": "", "grammar": "start: /(.|\\n)+/"},
        ),
        _about_inputs("transcription", TranscriptionOptions, Need("encoder", because="writes down what an input says")),
    ]


def _about_inputs(name: str, options: type[TextOptions], inputs: Need) -> Component:
    """Return the head of a task whose target is a text about the inputs."""
    return Component(
        kind="head",
        name=name,
        options=options,
        target=f"mmlm_writing.{name}:{name.capitalize()}",
        traits=partial(_text_traits, inputs),
        tiny={"max_tokens": 16, "truncate": True},
    )


def _text_traits(inputs: Need, options: TextOptions, *, fits_targets: bool = False) -> Traits:
    copied = _COPIED if isinstance(options, TextToTextOptions) and options.copy else ()
    return Traits(
        provides=_WRITES, needs=(inputs, _CAUSAL, _TARGET, *copied), uses_tokenizer=True, fits_targets=fits_targets
    )


def _language_modeling_traits(options: LanguageModelingOptions) -> Traits:
    alone = Need("encoder", because="packs texts of several rows into one (`head.pack`), whose inputs are not packed",
                 absent=True)  # fmt: skip
    return Traits(provides=_WRITES, needs=(_CAUSAL, _TARGET, *([alone] if options.pack else [])), uses_tokenizer=True)
