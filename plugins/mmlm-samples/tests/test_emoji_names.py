from __future__ import annotations

import re
import subprocess
import sys
from difflib import SequenceMatcher
from functools import cache

import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_core.types import Example
from mmlm_samples.emoji_names import EmojiNamesSource
from mmlm_samples.emoji_names_options import EmojiNamesOptions
from mmlm_samples.name_families import families, splits_of
from mmlm_samples.named_emoji import named_emoji
from mmlm_samples.options import LANGUAGES

SPLITS = ["train", "validation", "test"]


@cache
def names(source: str, target: str, split: str) -> list[Example]:
    return list(EmojiNamesSource(EmojiNamesOptions(source=source, target=target)).read(split))


def text(row: Example) -> str:
    return str(row.inputs["text"][0])


def words(said: str) -> set[str]:
    return set(re.findall(r"\w+", said.casefold()))


def without_tone(said: str) -> str:
    return re.sub(r"[\w-]+ skin tone(, )?", "", said).strip(" :,")


@pytest.mark.parametrize(
    ("source", "target", "said", "wanted"),
    [
        ("en", "de", "black cat", "schwarze Katze"),
        ("en", "zh", "cat face", "猫脸"),
        ("fr", "es", "fraise", "fresa"),
        ("ja", "en", "いちご", "strawberry"),
        ("de", "en", "Kniende Frau: dunkle Hautfarbe", "woman kneeling: dark skin tone"),
    ],
)
def test_a_name_is_paired_with_the_one_of_the_same_emoji(source: str, target: str, said: str, wanted: str) -> None:
    rows = [row for split in SPLITS for row in names(source, target, split)]
    assert [row.target for row in rows if text(row).casefold() == said.casefold()] == [wanted]


def test_every_emoji_is_there_once_whoever_drew_it() -> None:
    said = [text(row) for split in SPLITS for row in names("en", "de", split)]
    assert len(said) == len(set(said)) == 3300


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_of_the_test_is_one_of_training_in_any_language(language: str) -> None:
    other = "en" if language != "en" else "de"
    said = [{text(row).casefold() for row in names(language, other, split)} for split in SPLITS]
    assert not said[0] & said[1]
    assert not said[0] & said[2]
    assert not said[1] & said[2]


def test_variants_in_tone_hair_gender_and_direction_lie_in_one_split() -> None:
    kin: dict[str, set[str]] = {}
    for row, split in zip(*named_emoji(), strict=True):
        kin.setdefault(row["kin"], set()).add(split)
    assert all(len(splits) == 1 for splits in kin.values())
    stems: dict[str, set[str]] = {}
    for split in SPLITS:
        for row in names("en", "de", split):
            bare = re.sub(r"\b(person|man|woman|men|women)( with)?\b|: .*| facing right", "", text(row)).strip()
            stems.setdefault(bare or text(row), set()).add(split)
    parted = [stem for stem, splits in stems.items() if len(splits) > 1 and " " in stem]
    assert parted == []


def test_no_name_of_the_test_is_one_letter_from_one_of_training() -> None:
    """By a measure of its own: two names of `length` letters of which all but one are the same, in order."""
    train = [without_tone(text(row)).casefold() for row in names("en", "de", "train")]
    for row in names("en", "de", "test"):
        said = without_tone(text(row)).casefold()
        if len(said) < 8:
            continue
        for other in set(train):
            if abs(len(other) - len(said)) <= 1:
                same = sum(block.size for block in SequenceMatcher(None, said, other, False).get_matching_blocks())
                assert same < max(len(said), len(other)) - 1 or len(other) < 8, (said, other)


def test_training_knows_each_word_of_a_name_that_is_held_out() -> None:
    known = set().union(*(words(text(row)) for row in names("en", "de", "train")))
    for split in ("validation", "test"):
        assert all(words(text(row)) <= known for row in names("en", "de", split))


def test_all_directions_hold_out_the_same_emoji() -> None:
    keys = [[row.key for row in names(*direction, "test")] for direction in (("en", "de"), ("ja", "fr"))]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 150


def test_names_that_are_nearly_the_same_are_of_one_family() -> None:
    said = ["house on a hill", "houses on a hill", "hill on a house", "a: b", "a: c", "9:30 Uhr", "11:30 Uhr",
            "“yes” button", "“no” button", "red heart", "blue heart"]  # fmt: skip
    family = [name for name, _ in families([[name] for name in said], list("abcdefghijk"))]
    assert family == ["a", "a", "a", "d", "d", "f", "f", "h", "h", "j", "k"]
    sizes = [size for _, size in families([[name] for name in said], list("abcdefghijk"))]
    assert sizes == [3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1]


def test_kin_of_kin_and_names_alike_in_one_language_alone_are_of_one_family() -> None:
    said = [["one", "eins"], ["two", "zwei"], ["three", "zwei"], ["four", "vier"]]
    assert [name for name, _ in families(said, ["k", "k", "l", "m"])] == ["k", "k", "k", "m"]


def test_no_more_is_held_out_than_leaves_each_word_in_two_families_of_training() -> None:
    said = [
        f"{colour} {thing}" for colour in ("red", "blue", "green", "black") for thing in ("cat", "dog", "hat", "cup")
    ]
    splits = splits_of([*said, "rare cat"], [(name, 1) for name in [*said, "rare cat"]])
    assert splits[-1] == "train"
    assert {"train", "test", "validation"} == set(splits)
    trained = [name for name, split in zip([*said, "rare cat"], splits, strict=True) if split == "train"]
    for word in {word for name in said for word in name.split()}:
        assert sum(word in name.split() for name in trained) >= 2
    assert set(splits_of(said, [(name, 61) for name in said])) == {"train"}


def test_without_validation_its_names_are_trained_on_and_the_test_stays() -> None:
    whole = EmojiNamesSource(EmojiNamesOptions(validate=False))
    assert whole.splits() == ["train", "test"]
    held = {row.key for split in ("train", "validation") for row in names("en", "de", split)}
    assert {row.key for row in whole.read("train")} == held
    assert list(whole.read("test")) == names("en", "de", "test")
    with pytest.raises(
        DataError, match=r"^`data=emoji_names` has no rows for the split `validation`\. Choices: `test`, `train`\.$"
    ):
        whole.read("validation")


def test_without_tones_no_name_says_one() -> None:
    plain = EmojiNamesSource(EmojiNamesOptions(tones=False))
    said = [text(row) for split in SPLITS for row in plain.read(split)]
    assert len(said) == 1650
    assert [name for name in said if re.search(r": [\w-]+ skin tone", name)] == []


def test_the_same_rows_are_made_in_another_process() -> None:
    code = (
        "from mmlm_samples.emoji_names import *; from mmlm_samples.emoji_names_options import *;"
        "print([row.key for row in EmojiNamesSource(EmojiNamesOptions()).read('test')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([row.key for row in names("en", "de", "test")])


def test_a_wrong_language_and_the_same_one_twice_are_refused() -> None:
    with pytest.raises(OptionError) as caught:
        EmojiNamesOptions(source="eng")
    assert str(caught.value) == (
        "`source` has no choice `eng`. Did you mean `en`? Choices: `de`, `en`, `es`, `fr`, `ja`, `zh`."
    )
    with pytest.raises(OptionError, match=r"^`target` must be another language than `source`, which is `de`\.$"):
        EmojiNamesOptions(source="de")
