"""A value is taken as it stands, or refused; never changed."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from mmlm_core.errors import MmlmError, OptionError
from mmlm_core.options import check_choices, convert, option_docs, plain, type_words, typed
from mmlm_core.ranges import check_range
from mmlm_core.settings import Settings


class Mode(Enum):
    """A mode."""

    FAST = "fast"
    SLOW = "slow"


@dataclass
class Inner:
    """Options of an option."""

    depth: int = 1
    """How deep."""

    def __post_init__(self) -> None:
        check_range(self, "depth", 1, 9)


@dataclass
class Outer:
    """Options."""

    width: int = 4
    """How
    wide."""
    rate: float | None = None
    mode: Mode = Mode.FAST
    names: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)
    path: Path = Path("here")
    """A path."""


@pytest.mark.parametrize(
    ("value", "hint", "taken"),
    [
        (3, int, 3), ("3", int, 3), (3.0, int, 3), (3, float, 3.0), ("1e-3", float, 0.001), (True, bool, True),
        ("false", bool, False), ("x", str, "x"), (12, str, "12"), (None, int | None, None), ("fast", Mode, Mode.FAST),
        ("FAST", Mode, Mode.FAST), (Mode.SLOW, Mode, Mode.SLOW), ("a", Literal["a", "b"], "a"), ([1], list[int], [1]),
        ([1, 2], tuple[int, int], (1, 2)), ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        ({"a": 1}, dict[str, int], {"a": 1}),
        ("x", Path, Path("x")), ("7", int | str, "7"), (7, int | str, 7),
        ([1, 2], int | list[int], [1, 2]), ([], Any, []),
    ],
)  # fmt: skip
def test_a_value_of_the_type_is_taken(value: object, hint: object, taken: object) -> None:
    result = convert(value, hint, "x", "y")
    assert result == taken
    assert type(result) is type(taken)


@pytest.mark.parametrize(
    ("value", "hint", "near"),
    [("fst", Mode, "fast"), ("bb", Literal["a", "b"], "b"), ("flase", bool, "false"), ("slwo", Mode | None, "slow"),
     ("nul", int | None, "null")],
)  # fmt: skip
def test_a_word_that_is_nearly_one_of_them_is_told(value: str, hint: object, near: str) -> None:
    with pytest.raises(OptionError, match=rf", not `{value}`\. Did you mean `{near}`\?$"):
        convert(value, hint, "x", "y")


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        (5.7, int, "an integer"), ("5.7", int, "an integer"), (True, int, "an integer"), (None, int, "an integer"),
        (float("nan"), int, "an integer"), ("abc", float, "a number"), (True, float, "a number"),
        (float("nan"), float, "a number"), ("nan", float, "a number"),
        (1, bool, "`true` or `false`"), ("yes", bool, "`true` or `false`"), (True, str, "text"), ([], str, "text"),
        ("quick", Mode, "one of `fast`, `slow`"), ("c", Literal["a", "b"], "one of `a`, `b`"), ("a", list[str],
        "a list whose items are text"), ([1, 2, 3], tuple[int, int], "a list whose items are an integer"),
        ("a", dict[str, int], "a mapping"), ("a", int | None, "an integer or `null`"), (3, Inner, "a mapping"),
    ],
)  # fmt: skip
def test_any_other_value_is_refused_with_what_must_hold(value: object, hint: object, words: str) -> None:
    assert type_words(hint) == words
    with pytest.raises(OptionError) as refused:
        convert(value, hint, "backbone.x", "runs/x/config.yaml")
    shown = "null" if value is None else value
    assert str(refused.value) == f"`backbone.x` of runs/x/config.yaml must be {words}, not `{shown}`."


def test_an_item_that_is_wrong_is_named_by_its_place() -> None:
    with pytest.raises(OptionError) as refused:
        convert([1, "a"], list[int], "x", "y")
    assert str(refused.value) == "`x[1]` of y must be an integer, not `a`."


def test_text_that_reads_as_a_number_with_a_point_must_be_quoted() -> None:
    with pytest.raises(OptionError) as refused:
        convert(1.5, str, "run.name", "y")
    assert str(refused.value) == (
        "`run.name` of y must be text, not `1.5`. In quotes of its own, as `'\"1.5\"'`, it is text."
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(MmlmError) as refused:
        typed(Outer, {"widht": 1, "rate": "fast", "inner": {"depth": 12}}, "backbone", "y")
    assert str(refused.value) == (
        "3 things are wrong:\n"
        "- `backbone.widht` of y is no option. Did you mean `width`? "
        "Choices: `columns`, `inner`, `mode`, `names`, `path`, `rate`, `width`.\n"
        "- `backbone.rate` of y must be a number or `null`, not `fast`.\n"
        "- `depth` must be from 1 to 9, not 12. This is `backbone.inner` of y."
    )


def test_plain_values_come_back_as_they_were() -> None:
    options = Outer(3, 0.5, Mode.SLOW, ["a"], {"image": "path"}, Inner(2), Path("there"))
    values = plain(options)
    assert values == {"width": 3, "rate": 0.5, "mode": "slow", "names": ["a"], "columns": {"image": "path"},
                      "inner": {"depth": 2}, "path": "there"}  # fmt: skip
    assert typed(Outer, values, "x", "y") == options


@pytest.mark.parametrize("schema", Settings.groups().values())
def test_every_setting_has_a_doc(schema: type) -> None:
    assert all(option_docs(schema).values())


def test_the_doc_of_an_option_is_the_text_below_it() -> None:
    assert option_docs(Outer)["width"] == "How\nwide."
    assert option_docs(Outer)["names"] == ""
    assert option_docs(Outer)["path"] == "A path."


class Tone(Enum):
    """How it sounds."""

    SOFT = "soft"
    LOUD = "loud"


@dataclass
class Voiced:
    """Says how."""

    tone: Tone = Tone.SOFT
    """How it sounds."""

    def __post_init__(self) -> None:
        check_choices(self)


def test_a_word_of_an_enum_does_in_python_what_it_does_in_yaml() -> None:
    assert Voiced("loud").tone is Tone.LOUD  # type: ignore[arg-type]
    with pytest.raises(OptionError) as refused:
        Voiced("lout")  # type: ignore[arg-type]
    assert str(refused.value) == "`tone` must be one of `soft`, `loud`, not `lout`. Did you mean `loud`?"
