"""Questions about the names of emoji, commands about them, and dialogues: made by code or embedded, always the same."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_samples.dialogues import DialoguesSource
from mmlm_samples.dialogues_options import DialoguesOptions
from mmlm_samples.emoji_commands import EmojiCommandsSource
from mmlm_samples.emoji_commands_options import EmojiCommandsOptions
from mmlm_samples.emoji_facts import EmojiFactsSource
from mmlm_samples.emoji_facts_options import FACTS, EmojiFactsOptions
from mmlm_samples.named_emoji import named_emoji

SPLITS = ["train", "validation", "test"]


def facts(split: str, *kinds: str) -> dict[str, str]:
    rows = EmojiFactsSource(EmojiFactsOptions(kinds=list(kinds))).read(split)
    return {str(row.inputs["text"][0]): str(row.target) for row in rows}


def commands(split: str, rows: int = 400) -> list[tuple[str, dict]]:
    source = EmojiCommandsSource(EmojiCommandsOptions(rows=rows))
    return [(str(row.inputs["text"][0]), json.loads(row.target)) for row in source.read(split)]


def test_names_are_asked_for_their_group_and_for_what_they_are() -> None:
    asked = facts("train") | facts("test")
    assert asked["which group is red apple in?"] == "food and drink"
    assert asked["what kind of thing is red apple?"] == "food fruit"
    assert all(len(facts(split, kind)) > 20 for split in SPLITS for kind in FACTS)


def test_two_names_are_in_one_group_as_often_as_not_and_the_answer_is_true() -> None:
    groups = {row["label_en"]: row["group"] for row in named_emoji()[0]}
    rows = EmojiFactsSource(EmojiFactsOptions(kinds=["same_group"])).read("train")
    assert Counter(row.target for row in rows) == {"yes": len(rows) // 2, "no": len(rows) // 2}
    for row in rows[:400]:
        said = str(row.inputs["text"][0]).removeprefix("are ").removesuffix(" in one group?")
        words = said.split(" and ")
        pairs = [(" and ".join(words[:cut]), " and ".join(words[cut:])) for cut in range(1, len(words))]
        known = [(left, right) for left, right in pairs if left in groups and right in groups]
        assert any((groups[left] == groups[right]) == (row.target == "yes") for left, right in known)


def test_no_name_that_the_test_asks_about_is_trained_on() -> None:
    trained = {question.removeprefix("which group is ") for question in facts("train", "group")}
    assert not trained & {question.removeprefix("which group is ") for question in facts("test", "group")}
    names = {split: {item["name"] for _, form in commands(split) for item in form["items"]} for split in SPLITS}
    assert not names["train"] & names["test"] and not names["train"] & names["validation"]


def test_a_command_says_what_its_form_says() -> None:
    for said, form in commands("train"):
        assert form["action"] in ("draw", "remove", "count") and 1 <= len(form["items"]) <= 2
        assert ("place" in form) == said.endswith((" the left", " the right", " the middle"))
        for item in form["items"]:
            assert (f"{item['name']}s" if item["count"] > 1 else item["name"]) in said
            assert ("size" in item) <= any(word in said for word in ("small", "tiny", "little", "large", "big", "huge"))


def test_commands_and_facts_are_always_the_same() -> None:
    assert commands("test", 500)[:40] == commands("test", 400)  # more rows leave those before as they are
    assert facts("test") == facts("test")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_dialogues_take_turns_and_questions_are_in_one_split(language: str) -> None:
    source = DialoguesSource(DialoguesOptions(language=language))
    asked: dict[str, set[str]] = {}
    for split in source.splits():
        for row in source.read(split):
            roles = [message["role"] for message in row.target]
            assert roles == ["user", "assistant"] * (len(roles) // 2) and row.inputs == {}
            asked.setdefault(row.target[0]["content"].lower(), set()).add(split)
    assert source.splits() == SPLITS and all(len(splits) == 1 for splits in asked.values())


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(OptionError, match=r"`kinds` has no choice `groups`\. Did you mean `group`"):
        EmojiFactsOptions(kinds=["groups"])
    with pytest.raises(OptionError, match="`language` has no choice `fr`"):
        DialoguesOptions(language="fr")
    for source in (EmojiFactsSource(EmojiFactsOptions()), EmojiCommandsSource(EmojiCommandsOptions())):
        with pytest.raises(DataError, match=r"has no rows for the split `tests`\. Did you mean `test`"):
            source.read("tests")
