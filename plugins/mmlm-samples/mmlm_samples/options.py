"""The options of the sample data sets. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mmlm_core.errors import OptionError, did_you_mean, one_of, quoted
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["FAMILIES", "LANGUAGES", "EmojiOptions", "EmojiSplit", "PoemsOptions", "ProseOptions", "SpamOptions",
           "check_one_of", "columns_of"]  # fmt: skip

LANGUAGES = ("en", "zh", "de", "fr", "es", "ja")
"""The languages of the emoji's labels and tags."""

FAMILIES = ("noto", "noto-v1", "twemoji", "fluent", "fluent-flat")
"""The designs of the emoji."""


class EmojiSplit(Enum):
    """What is held out of the emoji for the test."""

    standard = "standard"
    concepts = "concepts"


@dataclass
class EmojiOptions:
    """Emoji, drawn by several designers, with their names in six languages."""

    language: str = "en"
    """The language of the label that is the target: en, zh, de, fr, es, ja."""
    split: EmojiSplit = EmojiSplit.standard
    """What the test holds out: `standard`, a designer (twemoji); `concepts`, what is drawn."""
    validate: bool = True
    """Keep some concepts out of the training for validation; false: train on them too, and validate nothing."""
    families: list[str] = field(default_factory=list)
    """The designs that are read: noto, noto-v1, twemoji, fluent, fluent-flat; none named: all."""
    everything: bool = False
    """Read every skin tone and the longest labels too, not only those of the standard task."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "picture"})
    """The column of each modality, as `text: label_zh`; a list of columns gives several items of one modality."""
    target: str | None = None
    """The column that the model is to learn to say, as `group` or `tags_en`; None: the label in `language`."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the language, the families, the mapping and the limit."""
        check_choices(self)
        check_one_of("language", self.language, LANGUAGES)
        for family in self.families:
            check_one_of("families", family, FAMILIES)
        check_range(self, "limit", 1)
        columns_of(self.inputs)


@dataclass
class SpamOptions:
    """English mail, each a `ham` or a `spam`."""

    inputs: dict[str, Any] = field(default_factory=lambda: {"text": "text"})
    """The column of each modality."""
    target: str | None = "label"
    """The column that the model is to learn to say; None: none."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the mapping and the limit."""
        check_range(self, "limit", 1)
        columns_of(self.inputs)


@dataclass
class PoemsOptions:
    """Chinese poems (ci) of the Song dynasty, with the tune (`rhythmic`) and the author of each."""

    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality; none is needed to learn the language of the target."""
    target: str | None = "text"
    """The column that the model is to learn to say; None: none."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the mapping and the limit."""
        check_range(self, "limit", 1)
        columns_of(self.inputs)


@dataclass
class ProseOptions:
    """English prose: paragraphs of Moby-Dick (1851)."""

    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality; none is needed to learn the language of the target."""
    target: str | None = "text"
    """The column that the model is to learn to say; None: none."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the mapping and the limit."""
        check_range(self, "limit", 1)
        columns_of(self.inputs)


def columns_of(inputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the columns of each modality that is mapped to any.

    Raises:
        OptionError: A modality is mapped to something else than columns.
    """
    columns = {}
    for modality, named in inputs.items():
        listed = [] if named is None else list(named) if isinstance(named, list | tuple) else [named]
        if not all(isinstance(name, str) for name in listed):
            raise OptionError(f"`inputs.{modality}` must be a column or a list of columns, not {quoted(named)}.")
        if listed:
            columns[modality] = listed
    return columns


def check_one_of(option: str, given: str, choices: tuple[str, ...]) -> None:
    """Check that an option has one of its choices.

    Raises:
        OptionError: It has not.
    """
    if given not in choices:
        raise OptionError(f"`{option}` has no choice `{given}`.{did_you_mean(given, choices)}{one_of(choices)}")
