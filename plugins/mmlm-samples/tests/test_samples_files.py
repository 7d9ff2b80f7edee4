from __future__ import annotations

import io
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageStat

from mmlm_samples.files import NAMES, path

ROOT = Path(__file__).parents[1]
FAMILIES = ["fluent", "fluent-flat", "noto", "noto-v1", "twemoji"]
LANGUAGES = ["en", "zh", "de", "fr", "es", "ja"]
MODIFIERS = {"light": "🏻", "medium-light": "🏼", "medium": "🏽", "medium-dark": "🏾", "dark": "🏿"}
SPLITS = {"train", "validation", "test"}


@cache
def rows(name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = pq.read_table(path(name)).to_pylist()
    return listed


def opened(row: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(row["picture"]))


def splits_by(name: str, key: str, split: str = "split", families: list[str] | None = None) -> dict[Any, set[str]]:
    splits: defaultdict[Any, set[str]] = defaultdict(set)
    for row in rows(name):
        if families is None or row["family"] in families:
            splits[row[key]].add(row[split])
    return splits


def of_emoji(family: str, label: str) -> dict[str, Any] | None:
    return next((row for row in rows("emoji") if row["family"] == family and row["label_en"] == label), None)


@pytest.mark.parametrize(
    ("name", "limit"), [("emoji", 8e6), ("spam", 3e6), ("poems", 1.5e6), ("prose", 1e6), ("dialogues", 1e5)]
)
def test_a_file_is_small_enough_to_embed(name: str, limit: float) -> None:
    assert 0 < path(name).stat().st_size <= limit


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_its_licence_and_has_every_split(name: str) -> None:
    metadata = pq.read_metadata(path(name)).metadata
    assert metadata[b"license"]
    assert b"NOTICES.md" in metadata[b"notices"]
    assert {row["split"] for row in rows(name)} == SPLITS


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError) as refusal:
        path("emojis")
    assert str(refusal.value) == "`emojis` must be one of dialogues, emoji, poems, prose, spam; did you mean `emoji`?"


def test_finding_a_file_imports_no_torch() -> None:
    code = "import sys, mmlm_samples.files as f; f.path('emoji'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_family_is_there_and_draws_an_emoji_once() -> None:
    keys = [(row["family"], row["emoji"]) for row in rows("emoji")]
    assert sorted({family for family, _ in keys}) == FAMILIES
    assert len(set(keys)) == len(keys)


def test_every_picture_opens_as_32_pixels_of_rgb_and_shows_something() -> None:
    for row in rows("emoji"):
        picture = opened(row)
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (32, 32))
        channels = picture.convert("L").getextrema()
        assert channels[0] != channels[1], (row["family"], row["label_en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_emoji_has_one_label_of_its_own(language: str) -> None:
    labels = {(row["emoji"], row[f"label_{language}"]) for row in rows("emoji")}
    assert all(label and label == label.strip() for _, label in labels)
    assert len({emoji for emoji, _ in labels}) == len(labels)
    twice = len(labels) - len({label for _, label in labels})
    assert twice <= (language == "fr"), "only French has one word for two things: trombone"


def test_labels_are_the_names_of_the_characters() -> None:
    names = {row["emoji"]: (row["label_en"], row["label_zh"], row["label_de"]) for row in rows("emoji")}
    assert names["🐱"] == ("cat face", "猫脸", "Katzengesicht")
    assert names["👩🏽‍🚒"] == (
        "woman firefighter: medium skin tone",
        "女消防员: 中等肤色",
        "Feuerwehrfrau: mittlere Hautfarbe",
    )


def test_the_tone_is_the_one_in_the_characters_and_in_the_label() -> None:
    for row in rows("emoji"):
        if row["group"] == "component":
            continue
        found = [tone for tone, modifier in MODIFIERS.items() if modifier in row["emoji"]]
        assert found == ([] if row["tone"] == "none" else [row["tone"]])
        assert re.findall(r"([\w-]+) skin tone", row["label_en"]) == found


def test_there_are_no_flags_and_no_pictures_of_two_tones() -> None:
    assert "flags" not in {row["group"] for row in rows("emoji")}
    assert all(sum(row["emoji"].count(modifier) > 0 for modifier in MODIFIERS.values()) <= 1 for row in rows("emoji"))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("channel", "label"), [(0, "red heart"), (0, "red circle"), (1, "green heart"), (2, "blue heart")]
)
def test_a_picture_has_the_colour_that_its_label_names(family: str, channel: int, label: str) -> None:
    row = of_emoji(family, label)
    assert row is not None
    middle = opened(row).crop((12, 12, 20, 20))
    means = ImageStat.Stat(middle).mean
    assert means[channel] == max(means)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hand_is_darker_the_darker_its_tone(family: str) -> None:
    hands = [of_emoji(family, f"waving hand: {tone} skin tone") for tone in MODIFIERS]
    light = [ImageStat.Stat(opened(row).convert("L")).mean[0] for row in hands if row is not None]
    assert len(light) == 5
    assert light == sorted(light, reverse=True)


def test_the_standard_test_is_a_designer_that_training_never_saw() -> None:
    assert splits_by("emoji", "family")["twemoji"] == {"test"}
    assert all(splits_by("emoji", "family")[family] == {"train", "validation"} for family in FAMILIES[:-1])


def test_the_standard_validation_has_concepts_that_training_never_saw() -> None:
    splits = splits_by("emoji", "concept", families=FAMILIES[:-1])
    assert all(len(present) == 1 for present in splits.values())
    assert sum(present == {"validation"} for present in splits.values()) / len(splits) == pytest.approx(0.1, abs=0.02)


def test_the_harder_split_parts_concepts_with_their_variants_and_equal_pictures() -> None:
    assert all(len(present) == 1 for present in splits_by("emoji", "concept", "split_concepts").values())
    assert all(len(present) == 1 for present in splits_by("emoji", "kin", "split_concepts").values())
    pictures: defaultdict[tuple[str, bytes], set[str]] = defaultdict(set)
    for row in rows("emoji"):
        pictures[row["family"], row["picture"]].add(row["split_concepts"])
    assert all(len(present) == 1 for present in pictures.values())


@pytest.mark.parametrize(
    ("label", "variant"),
    [("man running", "woman running"), ("health worker", "man health worker"), ("person walking", "man walking")],
)
def test_variants_in_gender_are_kin(label: str, variant: str) -> None:
    one, two = of_emoji("noto", label), of_emoji("noto", variant)
    assert one is not None
    assert two is not None
    assert one["kin"] == two["kin"]


def test_the_harder_split_has_every_family_in_every_split() -> None:
    assert all(present == SPLITS for present in splits_by("emoji", "family", "split_concepts").values())


def test_standard_rows_have_few_tones_and_short_captions() -> None:
    for row in rows("emoji"):
        words = len(row["label_en"].replace(":", " :").replace(",", " ,").split())
        if row["standard"]:
            assert row["tone"] in ("none", "light", "medium", "dark")
            assert words <= 10
        elif row["tone"] in ("none", "light", "medium", "dark"):
            assert words > 8


def test_mails_have_no_headers_and_no_addresses() -> None:
    for row in rows("spam"):
        assert not re.search(r"^(Received|Return-Path|Message-Id|X-[\w-]+):", row["text"], re.MULTILINE)
        assert not re.search(r"[\w.]+@[\w-]+\.\w+|https?://", row["text"])


def test_mails_are_labelled_and_of_moderate_length() -> None:
    assert {row["label"] for row in rows("spam")} == {"ham", "spam"}
    assert all(40 <= len(row["text"]) <= 2000 for row in rows("spam"))


def test_no_mail_of_the_test_is_nearly_one_of_training() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z]+", text.lower())
        return {tuple(words[start : start + 5]) for start in range(max(1, len(words) - 4))}

    training = [runs(row["text"]) for row in rows("spam") if row["split"] == "train"]
    for row in [row for row in rows("spam") if row["split"] == "test"][::20]:
        mail = runs(row["text"])
        assert all(len(mail & other) < 0.5 * min(len(mail), len(other)) for other in training)


def test_poems_are_whole_and_stand_in_one_split() -> None:
    assert all(re.fullmatch(r"[\u4e00-\u9fff，。、；：？！\n]{20,250}", row["text"]) for row in rows("poems"))
    assert all(row["rhythmic"] and row["author"] for row in rows("poems"))
    assert len({row["text"] for row in rows("poems")}) == len(rows("poems"))


def test_prose_holds_out_whole_blocks_of_chapters() -> None:
    chapters = splits_by("prose", "chapter")
    assert all(len(present) == 1 for present in chapters.values())
    assert len(chapters) == 136
    blocks = [[chapters[chapter] for chapter in range(first, min(first + 5, 137))] for first in range(1, 137, 5)]
    assert all(block.count(block[0]) == len(block) for block in blocks)


def test_paragraphs_are_unique_and_long_enough() -> None:
    assert all(len(row["text"]) >= 40 and "\n" not in row["text"] for row in rows("prose"))
    assert len({row["text"] for row in rows("prose")}) == len(rows("prose"))


def test_the_notices_name_every_package_that_the_scripts_fetch() -> None:
    notices = (ROOT / "NOTICES.md").read_text(encoding="utf-8")
    scripts = "".join(script.read_text(encoding="utf-8") for script in sorted((ROOT / "build").glob("build_*.py")))
    packages = re.findall(r'Package\(\s*"([^"]+)",\s*"([^"]+)"', scripts)
    assert len(packages) == 9
    assert all(f"`{name}` {version}" in notices for name, version in packages)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_counts_what_the_files_hold(name: str) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split(f"## `{name}`")[1].split("\n## ")[0]
    counted = [len([row for row in rows(name) if row["split"] == split]) for split in ("train", "validation", "test")]
    assert "| all | " + " | ".join(f"{count:,}" for count in counted) + " |" in section
