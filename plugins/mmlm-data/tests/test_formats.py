"""Each format, written as its specification says, gives the rows that stand in it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import DataSource
from mmlm_core.media import FilePart
from mmlm_core.options import typed
from mmlm_core.types import Example
from mmlm_data.caption_options import VqaOptions
from mmlm_data.language_options import ConllOptions
from mmlm_data.options import TableOptions
from mmlm_data.plugin import mmlm_components
from mmlm_data.specimens import CAPTIONS, COLOURS, SPECIMENS, picture, sound, tar_of, written

COMPONENTS = {component.name: component for component in mmlm_components() if component.name in SPECIMENS}


def source(name: str, **options: Any) -> DataSource:
    component = COMPONENTS[name]
    made: DataSource = component.load()(typed(component.options, options, "data", "the test"))
    return made


def all_of(name: str, split: str = "train", **options: Any) -> list[Example]:
    """Return the rows of a split; of the training all rows, where nothing divides them."""
    whole = {"validation_fraction": 0.0, "test_fraction": 0.0}
    return list(source(name, **{**whole, **options}).read(split))


def specimen(name: str, folder: Path) -> dict[str, Any]:
    return SPECIMENS[name](folder)


def error_of(name: str, folder: Path, **options: Any) -> str:
    """Return the message of the error that reading gives, with the folder cut off."""
    with pytest.raises(DataError) as caught:
        all_of(name, **options)
    return str(caught.value).replace(f"{folder}/", "").replace(str(folder), "FOLDER")


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_source_has_a_specimen_that_it_reads_without_another_option(name: str, tmp_path: Path) -> None:
    made = source(name, **specimen(name, tmp_path))
    assert "train" in made.splits()
    for split in made.splits():
        rows = list(islice(made.read(split), 20))
        assert rows and all(row.target is not None for row in rows)
        assert list(islice(pickle.loads(pickle.dumps(made.read(split))), 20)) == rows


def test_a_folder_says_classes_and_splits(tmp_path: Path) -> None:
    made = source("folder", **specimen("folder", tmp_path))
    assert made.splits() == ["train", "validation", "test"]
    [first, last] = made.read("validation")
    assert (first.key, first.target) == ("val/green/7.png", "green")
    assert Path(last.inputs["image"][0]).read_bytes() == picture(6)


def test_a_split_that_the_folders_lack_is_a_fraction_of_the_training(tmp_path: Path) -> None:
    for number in range(10):
        written(tmp_path / "train" / COLOURS[number] / f"{number}.wav", sound(number))
    written(tmp_path / "test" / "red" / "x.wav", sound(3))
    made = source("folder", path=str(tmp_path), validation_fraction=0.2)
    sizes = {split: len(made.read(split)) for split in made.splits()}  # type: ignore[arg-type]
    assert sizes["test"] == 1 and sizes["train"] + sizes["validation"] == 10 and sizes["validation"] >= 1
    assert next(iter(made.read("train"))).inputs.keys() == {"audio"}


def test_masks_lie_beside_their_pictures(tmp_path: Path) -> None:
    rows = all_of("mask_folder", **specimen("mask_folder", tmp_path))
    root = tmp_path / "scenes"
    assert rows[0].inputs == {"image": [str(root / "images" / "training" / "0.png")]}
    assert rows[0].target == str(root / "annotations" / "training" / "0.png")
    assert len(rows) == 6


def test_pascal_vocs_lists_say_the_splits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        written(tmp_path / "JPEGImages" / f"2007_{number}.jpg", picture(number))
    for number in range(4):
        written(tmp_path / "SegmentationClass" / f"2007_{number}.png", picture(number))
    for word, listed in (("train", "2007_0\n2007_1\n"), ("val", "2007_2\n")):
        written(tmp_path / "ImageSets" / "Segmentation" / f"{word}.txt", listed)
    made = source("mask_folder", path=str(tmp_path), test_fraction=0.0)
    assert [[row.key for row in made.read(split)] for split in made.splits()] == [["2007_0", "2007_1"], ["2007_2"]]
    assert "1 of 5 pictures have no mask" in caplog.text


def test_a_mask_of_no_picture_is_named(tmp_path: Path) -> None:
    written(tmp_path / "images" / "cat.png", picture(0))
    written(tmp_path / "masks" / "cats.png", picture(0))
    assert error_of("mask_folder", tmp_path, path=str(tmp_path)) == (
        "`masks/cats.png` is the mask of no picture: there is no `cats` among the pictures. Did you mean `cat`?"
    )


@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("paragraph", ["The first paragraph,\nin two lines.", "The second.", "The third.", "我爱吃苹果。", "The end."]),
        ("line", ["The first paragraph,", "in two lines.", "The second.", "The third.", "我爱吃苹果。", "The end."]),
        (
            "document",
            ["The first paragraph,\nin two lines.\n\n\nThe second.\n\nThe third.", "我爱吃苹果。\n\nThe end."],
        ),
    ],
)
def test_text_is_read_by_line_by_paragraph_or_whole(tmp_path: Path, unit: str, texts: list[str]) -> None:
    rows = all_of("text", unit=unit, **specimen("text", tmp_path))
    assert [row.target.replace("\r\n", "\n") for row in rows] == texts


def test_a_row_of_text_is_named_by_its_file_and_line(tmp_path: Path) -> None:
    rows = all_of("text", **specimen("text", tmp_path))
    assert [row.key for row in rows] == ["one.txt:1", "one.txt:5", "one.txt:7", "two.txt:2", "two.txt:4"]


def test_the_folders_of_texts_can_be_the_target(tmp_path: Path) -> None:
    for name in ("train/pos/1.txt", "train/neg/2.txt", "test/pos/3.txt"):
        written(tmp_path / name, f"This is {name}.\n\nReally.")
    made = source("text", path=str(tmp_path), unit="document", inputs={"text": "text"}, target="folder",
                  validation_fraction=0.0)  # fmt: skip
    assert [(row.key, row.target) for row in made.read("train")] == [
        ("train/neg/2.txt", "neg"),
        ("train/pos/1.txt", "pos"),
    ]
    assert [row.inputs["text"] for row in made.read("test")] == [["This is test/pos/3.txt.\n\nReally."]]


MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi!"},
]


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"messages": MESSAGES}, MESSAGES),
        ({"messages": [*MESSAGES[:1], {"role": "user", "content": [{"type": "text", "text": "Hello"}]}, MESSAGES[2]]},
         MESSAGES),
        ({"system": "Be kind.", "conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi!"}]},
         MESSAGES),
        ({"instruction": "Hello", "input": "", "output": "Hi!"}, MESSAGES[1:]),
        ({"instruction": "Add.", "input": "1 2", "output": "3"},
         [{"role": "user", "content": "Add.\n\n1 2"}, {"role": "assistant", "content": "3"}]),
    ],
)  # fmt: skip
def test_every_form_of_a_conversation_becomes_messages(tmp_path: Path, row: Any, messages: Any) -> None:
    [read] = all_of("chat", path=str(written(tmp_path / "a.json", [row])))
    assert read.target == messages


def test_the_picture_of_a_conversation_is_an_input(tmp_path: Path) -> None:
    llava = {"image": "a/b.jpg", "conversations": [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A cat."}]}  # fmt: skip
    [row] = all_of("chat", path=str(written(tmp_path / "llava.json", [llava])))
    assert row.inputs == {"image": [str(tmp_path / "a/b.jpg")]}
    [row] = all_of("chat", path=str(tmp_path / "llava.json"), inputs={"text": "question"}, target="answer")
    assert (row.inputs, row.target) == ({"text": ["<image>\nWhat?"]}, "A cat.")


def test_two_files_are_read_line_by_line(tmp_path: Path) -> None:
    rows = all_of("parallel", **specimen("parallel", tmp_path))
    assert [(row.inputs["text"], row.target) for row in rows[:2]] == [
        ([CAPTIONS[0]], "ein Quadrat, Nummer 0"),
        ([CAPTIONS[1]], "ein Quadrat, Nummer 1"),
    ]


def test_a_blank_line_of_one_file_shifts_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.en", "one\n\nthree\n")
    written(tmp_path / "a.de", "eins\nzwei\n\n")
    rows = all_of("parallel", path=str(path), to="de")
    assert [(row.inputs["text"], row.target) for row in rows] == [(["one"], "eins"), ([], "zwei"), (["three"], None)]


def test_files_of_different_length_are_no_translations(tmp_path: Path) -> None:
    path = written(tmp_path / "a.en", "one\ntwo\n")
    written(tmp_path / "a.de", "eins\n")
    assert error_of("parallel", tmp_path, path=str(path), to="de") == (
        "`a.en` has 2 lines and `a.de` 1: each line must have its translation in the line of the same number."
    )


def test_a_stray_tab_is_told_before_it_moves_a_translation(tmp_path: Path) -> None:
    path = written(tmp_path / "two.tsv", "one\teins\ntwo\t\tzwei\n")
    assert error_of("parallel", tmp_path, path=str(path)) == (
        "`two.tsv` line 2 has 3 cells between tabs, and the first line 2: `two\t\tzwei`."
    )


def test_cells_of_a_tsv_are_translations(tmp_path: Path) -> None:
    path = written(tmp_path / "tatoeba.tsv", '1\tHello "you\t2\tHallo\n3\tBye\t4\tTschüss\n5\tWhat\n')
    options = {"path": str(path), "source_cell": 1, "target_cell": 3}
    with pytest.raises(DataError, match=r"line 3 has 2 cells between tabs, and the first line 4: `5\tWhat`\.$"):
        all_of("parallel", **options)
    with pytest.raises(DataError, match=r"line 1 has 4 cells between tabs and must have at least 5: `1\t"):
        all_of("parallel", **options | {"target_cell": 4})
    rows = source("parallel", **options, validation_fraction=0.0, test_fraction=0.0).read("train")
    assert [(rows[i].inputs["text"], rows[i].target) for i in (0, 1)] == [
        (['Hello "you'], "Hallo"),
        (["Bye"], "Tschüss"),
    ]  # type: ignore[index]


PO = r"""
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#: a.c:1
msgid "Open \"file\"\n"
msgstr "文件\n"

#, fuzzy
msgid "Maybe"
msgstr "Vielleicht"

msgid "Untranslated"
msgstr ""

msgid "one file"
msgid_plural "%d files"
msgstr[0] "eine Datei"
msgstr[1] "%d Dateien"

#~ msgid "Old"
#~ msgstr "Alt"
"""


def test_a_gettext_catalogue_gives_what_is_translated(tmp_path: Path) -> None:
    rows = all_of("parallel", path=str(written(tmp_path / "de.po", PO)))
    assert [(row.inputs["text"][0], row.target) for row in rows] == [
        ('Open "file"\n', "文件\n"),
        ("one file", "eine Datei"),
        ("%d files", "%d Dateien"),
    ]
    assert len({row.key for row in rows}) == 3


@pytest.mark.parametrize("line", ['msgid "Old', 'msgstr "Alt\\"', '"more', 'msgstr[1] "Dateien \\'])
def test_a_text_of_a_catalogue_without_its_last_quote_is_refused_and_loses_no_letter(tmp_path: Path, line: str) -> None:
    text = PO.replace("#~ msgid", f"{line}\n#~ msgid")
    told = error_of("parallel", tmp_path, path=str(written(tmp_path / "de.po", text)))
    number = text.splitlines().index(line) + 1
    assert told == f"`de.po` line {number} has a text without its last quote: `{line}`."


def test_conll_2003_gives_words_and_tags(tmp_path: Path) -> None:
    rows = all_of("conll", **specimen("conll", tmp_path))
    assert [(row.inputs["text"], row.target) for row in rows[:2]] == [
        (["EU rejects German call ."], ["B-ORG", "O", "B-MISC", "O", "O"]),
        (["Peter Blackburn"], ["B-PER", "I-PER"]),
    ]
    assert rows[1].key == "eng.train:9"
    named = all_of("conll", columns=["word", "pos", "chunk", "ner"], target="pos", path=str(tmp_path / "eng.train"))
    assert named[1].target == ["NNP", "NNP"]


CONLL_U = """# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\t_\t_\t_\t_\t_\t_\t_\t_\t_
3\t#\t#\tSYM\t_\t_\t1\tpunct\t_\t_
4\t10 000\t10000\tNUM\t_\t_\t1\tobl\t_\t_

"""


def test_conll_u_gives_its_words_without_ranges_and_empty_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "es.conllu", CONLL_U)
    [row] = all_of("conll", path=str(path))
    assert (row.inputs["text"], row.target) == (["Vamos nos # 10_000"], ["VERB", "PRON", "SYM", "NUM"])
    [row] = all_of("conll", path=str(path), target="deprel")
    assert row.target == ["root", "obj", "punct", "obl"]


def test_a_ragged_row_of_conll_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "EU B-ORG\nrejects O\n\nPeter\n")
    assert error_of("conll", tmp_path, path=str(path)) == (
        "`a.conll` line 4 has 1 columns and must have 2 (words, column_2): `Peter`."
    )


def test_squad_gives_question_context_and_spans(tmp_path: Path) -> None:
    rows = all_of("squad", **specimen("squad", tmp_path))
    assert rows[0].inputs == {"text": ["Who sat?", "The cat sat on the mat."]}
    assert [row.target for row in rows[2:]] == [
        {"text": ["mat"], "answer_start": [19]},
        {"text": [], "answer_start": []},
    ]


def test_an_answer_that_is_not_where_it_is_said_is_named(tmp_path: Path) -> None:
    question = {"question": "Who?", "answers": [{"text": "cat", "answer_start": 5}]}
    content = {"data": [{"paragraphs": [{"context": "The cat sat.", "qas": [question]}]}]}
    path = written(tmp_path / "dev-v1.1.json", content)
    assert error_of("squad", tmp_path, path=str(path)) == (
        "`dev-v1.1.json` data[0].paragraphs[0].qas[0].answers[0]: 'cat' does not stand at the character 5 of its context."
    )


def test_a_question_without_an_answer_that_has_one_is_named(tmp_path: Path) -> None:
    question = {"question": "Who?", "answers": [{"text": "cat", "answer_start": 4}], "is_impossible": True}
    content = {"data": [{"paragraphs": [{"context": "The cat sat.", "qas": [question]}]}]}
    path = written(tmp_path / "dev-v2.0.json", content)
    assert error_of("squad", tmp_path, path=str(path)) == (
        "`dev-v2.0.json` data[0].paragraphs[0].qas[0] has answers, and `is_impossible` says that there is none."
    )


def test_coco_gathers_the_captions_of_a_picture(tmp_path: Path) -> None:
    rows = all_of("coco_captions", **specimen("coco_captions", tmp_path))
    assert len(rows) == 10
    assert rows[3].target == [f"{CAPTIONS[3]}, said 0", f"{CAPTIONS[3]}, said 1"]
    assert Path(rows[3].inputs["image"][0]) == tmp_path / "train2017" / f"{3:012d}.jpg"
    assert Path(rows[3].inputs["image"][0]).is_file()


def test_a_document_of_another_form_says_where(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", {"images": [{"id": 1, "file_name": "a.jpg"}], "annotation": []})
    assert error_of("coco_captions", tmp_path, path=str(path)) == (
        "`a.json` has no `annotations`. Did you mean `annotation`?"
    )
    annotations = [{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": 5}]
    path = written(tmp_path / "a.json", {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": annotations})
    assert error_of("coco_captions", tmp_path, path=str(path)) == (
        "`a.json` annotations[1] must have a text as `caption`, not 5."
    )
    path = written(tmp_path / "b.json", {"images": [], "annotations": annotations})
    assert error_of("coco_captions", tmp_path, path=str(path)) == (
        "`b.json` annotations[0] is of the picture 1, which is not among `images`."
    )


def test_karpathys_rest_of_the_validation_is_for_training(tmp_path: Path) -> None:
    made = source("karpathy", **specimen("karpathy", tmp_path))
    targets = {split: [row.target for row in made.read(split)] for split in made.splits()}
    wanted = {"train": CAPTIONS[:6], "validation": CAPTIONS[6:8], "test": CAPTIONS[8:]}
    assert targets == {split: [[caption] for caption in captions] for split, captions in wanted.items()}
    assert Path(made.read("test")[0].inputs["image"][0]) == tmp_path / "val2014" / "8.jpg"  # type: ignore[index]


def test_flickrs_lists_say_the_splits(tmp_path: Path) -> None:
    options = specimen("flickr", tmp_path)
    made = source("flickr", **options)
    assert {split: len(list(made.read(split))) for split in made.splits()} == {"train": 6, "validation": 2, "test": 2}
    row = made.read("test")[0]  # type: ignore[index]
    assert Path(row.inputs["image"][0]).is_file() and row.target == [f"{CAPTIONS[8]} ."] * 5


def test_a_line_of_flickr_that_is_none_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "results.token", "1.jpg#0\tA cat.\n1.jpg A dog.\n")
    assert error_of("flickr", tmp_path, path=str(path)) == (
        "`results.token` line 2 must read `NAME.jpg#0`, a tab, and a caption, not `1.jpg A dog.`."
    )


def test_vqa_joins_questions_and_answers(tmp_path: Path) -> None:
    rows = all_of("vqa", **specimen("vqa", tmp_path))
    assert rows[1].inputs["text"] == ["What colour is it?"]
    assert Path(rows[1].inputs["image"][0]) == tmp_path / "train2014" / f"COCO_train2014_{1:012d}.jpg"
    assert rows[1].target == ["pink", *["green"] * 9]
    [first, *_] = all_of("vqa", target="answer", **specimen("vqa", tmp_path))
    assert first.target == "red"


def test_librispeech_says_speakers_and_splits(tmp_path: Path) -> None:
    options = specimen("librispeech", tmp_path)
    made = source("librispeech", **options)
    assert {split: len(list(made.read(split))) for split in made.splits()} == {"train": 4, "validation": 2, "test": 2}
    row = made.read("validation")[1]  # type: ignore[index]
    assert (row.key, row.target) == ("84-1240-0001", "HELLO NUMBER 1")
    assert Path(row.inputs["audio"][0]).read_bytes() == sound(1)
    one = source("librispeech", path=f"{options['path']}/train-clean-100", test_fraction=0.0, group_column="speaker",
                 validation_fraction=0.5)  # fmt: skip
    speakers = [{row.key.partition("-")[0] for row in one.read(split)} for split in one.splits()]
    assert speakers in ([{"103"}, {"1034"}], [{"1034"}, {"103"}])
    assert error_of("librispeech", tmp_path, path=f"{options['path']}/dev-clean") == (
        "No row of `LibriSpeech/dev-clean` is of the split `train`: its column `split` says `validation` alone."
    )


def test_a_transcript_without_its_sound_is_named(tmp_path: Path) -> None:
    written(tmp_path / "train" / "1" / "2" / "1-2.trans.txt", "1-2-0000 HELLO\n")
    assert error_of("librispeech", tmp_path, path=str(tmp_path)) == (
        "`train/1/2/1-2.trans.txt` line 1 is of '1-2-0000': no such sound is beside it."
    )


def test_common_voice_has_no_quotes_and_its_clips_in_a_folder(tmp_path: Path) -> None:
    made = source("common_voice", **specimen("common_voice", tmp_path))
    row = made.read("train")[1]  # type: ignore[index]
    assert (row.key, row.target) == ("train.tsv:2", 'She said "green.')
    assert Path(row.inputs["audio"][0]) == tmp_path / "en" / "clips" / "common_voice_en_1.wav"
    assert [len(list(made.read(split))) for split in made.splits()] == [6, 2, 2]


def test_a_manifest_names_sounds_beside_it(tmp_path: Path) -> None:
    rows = all_of("manifest", **specimen("manifest", tmp_path))
    assert (rows[2].target, Path(rows[2].inputs["audio"][0]).read_bytes()) == ("blue", sound(2))


def test_a_part_of_a_sound_is_refused(tmp_path: Path) -> None:
    row = {"audio_filepath": "a.wav", "offset": 1.5, "duration": 2.0, "text": "hello"}
    path = written(tmp_path / "manifest.json", json.dumps(row))
    assert error_of("manifest", tmp_path, path=str(path)) == (
        "`manifest.json` row 1 begins 1.5 seconds into its sound: only whole sounds are read, so cut them into files "
        "first."
    )


def test_members_of_a_shard_are_parts_of_the_file(tmp_path: Path) -> None:
    rows = all_of("webdataset", **{**specimen("webdataset", tmp_path), "validation_fraction": 0, "test_fraction": 0})
    assert [row.key for row in rows[4:6]] == ["000000.tar/000004", "000001.tar/000005"]
    [item] = rows[3].inputs["image"]
    assert isinstance(item, FilePart) and item.read() == picture(3)
    assert rows[3].target == CAPTIONS[3]


def test_a_name_in_a_shards_json_is_a_column(tmp_path: Path) -> None:
    specimen("webdataset", tmp_path)
    path = f"{tmp_path}/shards/{{000000..000001}}.tar"
    rows = all_of("webdataset", path=path, inputs={"image": "png", "text": "txt"}, target="colour")
    assert [row.target for row in rows] == COLOURS and rows[7].inputs["text"] == [CAPTIONS[7]]


def test_the_splits_of_shards_share_no_row_and_lose_none(tmp_path: Path) -> None:
    members = {f"{number}.txt": b"text" for number in range(300)}
    path = tar_of(tmp_path / "a.tar", members)
    made = source("webdataset", path=str(path), target="txt")
    keys = {split: [row.key for row in made.read(split)] for split in made.splits()}
    assert sorted(key for split in keys.values() for key in split) == sorted(f"a.tar/{n}" for n in range(300))
    assert all(10 <= len(keys[split]) <= 60 for split in ("validation", "test"))


def shards_of_people(folder: Path) -> str:
    """Write 400 rows in four shards, of twenty speakers of two ages; return the path."""
    for shard in range(4):
        members = {}
        for number in range(shard * 100, shard * 100 + 100):
            told = {"speaker": f"s{number % 20}", "age": "old" if number % 2 else "young"}
            members |= {f"{number}.txt": b"text", f"{number}.json": json.dumps(told).encode()}
        tar_of(folder / f"{shard}.tar", members)
    return str(folder)


def keys_of(made: Any, split: str) -> set[str]:
    return {row.key for row in made.read(split)}


def test_each_row_of_shards_is_in_one_fold_and_the_others_are_trained_on(tmp_path: Path) -> None:
    path = shards_of_people(tmp_path)
    folds = [source("webdataset", path=path, target="txt", folds=4, fold=fold) for fold in range(4)]
    held = [keys_of(made, "test") for made in folds]
    assert len(set.union(*held)) == sum(map(len, held)) == 400 and all(60 <= len(keys) <= 140 for keys in held)
    for made, test in zip(folds, held, strict=True):
        train, validation = keys_of(made, "train"), keys_of(made, "validation")
        assert len(train | validation | test) == len(train) + len(validation) + len(test) == 400
        assert 10 <= len(validation) <= 60
    alone = source("webdataset", path=path, target="txt", folds=4, fold=1, test=path)
    assert keys_of(alone, "validation") == held[1] and len(keys_of(alone, "train")) == 400 - len(held[1])


@pytest.mark.parametrize("folds", [None, 3])
def test_a_group_of_shards_is_in_one_split_and_what_is_measured_apart_is_told(
    tmp_path: Path, folds: int | None
) -> None:
    made = source("webdataset", path=shards_of_people(tmp_path), target="txt", group_column="speaker", groups="age",
                  folds=folds, validation_fraction=0.3, test_fraction=0.2)  # fmt: skip
    speakers = [{int(key.rpartition("/")[2]) % 20 for key in keys_of(made, split)} for split in made.splits()]
    assert len(speakers) == 3 and len(set.union(*speakers)) == sum(map(len, speakers)) == 20
    assert {row.group for row in made.read("train")} == {"old", "young"}


def test_a_limit_of_shards_takes_the_first_rows_and_opens_no_other_shard(tmp_path: Path) -> None:
    path = shards_of_people(tmp_path)
    whole: Any = source("webdataset", path=path, target="txt").read("train")
    (tmp_path / "3.tar").write_bytes(b"broken")
    few: Any = source("webdataset", path=path, target="txt", limit=120).read("train")
    assert list(few) == list(islice(whole, 120))
    assert few.shards == 2 and [few.size(shard) for shard in range(2)] == [
        len(list(few.rows(0))),
        len(list(few.rows(1))),
    ]
    assert list(few.rows(1, 3)) == list(few.rows(1))[3:]


def test_a_limit_of_shards_goes_on_behind_a_broken_one_which_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = shards_of_people(tmp_path)
    whole = (tmp_path / "1.tar").read_bytes()
    (tmp_path / "1.tar").write_bytes(whole[: len(whole) // 2])
    alone = {"path": path, "target": "txt", "validation_fraction": 0, "test_fraction": 0}
    few: Any = source("webdataset", **alone, limit=280).read("train")
    assert few.shards == 4 and [few.size(shard) for shard in range(3)] == [100, None, 100]
    read: list[Any] = []
    with pytest.raises(DataError, match=r"1\.tar` cannot be read to its end"):
        read.extend(few.rows(1))
    assert 0 < len(read) < 100 and few.size(3) == 280 - 200 - len(read)


def test_a_stream_of_shards_goes_on_in_the_middle(tmp_path: Path) -> None:
    stream: Any = source("webdataset", **specimen("webdataset", tmp_path)).read("train")
    rows = list(stream.rows(1))
    assert list(stream.rows(1, 2)) == rows[2:] and len(rows) > 2


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_shard_gives_the_bytes(tmp_path: Path, mode: str) -> None:
    path = tar_of(tmp_path / "a.tar", {"x/1.jpg": picture(1), "x/1.cls": b"7\n"}, mode)
    [row] = all_of("webdataset", path=str(path))
    assert (row.key, row.inputs, row.target) == ("a.tar/x/1", {"image": [picture(1)]}, 7)


def test_a_shard_that_is_cut_off_gives_what_is_whole_and_then_says_so(tmp_path: Path) -> None:
    options = specimen("webdataset", tmp_path)
    whole = (tmp_path / "shards" / "000001.tar").read_bytes()
    for size in (len(whole) - 10240 + 300, 512 * 9 + 100, 512 * 9, 512 * 8 + 5, 100):
        written(tmp_path / "shards" / "000001.tar", whole[:size])
        stream: Any = source("webdataset", **{**options, "validation_fraction": 0, "test_fraction": 0}).read("train")
        rows: list[Example] = []
        with pytest.raises(DataError, match=r"000001\.tar` cannot be read to its end as a tar file"):
            rows.extend(stream)
        assert 5 <= len(rows) < 10
        assert all(isinstance(part, FilePart) and part.read() for row in rows for part in row.inputs["image"])


def test_a_split_that_is_spelled_right_is_not_proposed(tmp_path: Path) -> None:
    told = error_of("webdataset", tmp_path, split="test", path=specimen("webdataset", tmp_path)["path"])
    assert told == "`data=webdataset` has no split `test`. Choices: `train`."


def test_a_saved_data_set_is_read_without_a_network(tmp_path: Path) -> None:
    made = source("huggingface", **specimen("huggingface", tmp_path), validation_fraction=0.0)
    assert made.splits() == ["train", "test"]
    row = made.read("test")[0]  # type: ignore[index]
    assert (row.key, row.target, row.inputs["text"]) == ("saved/test:1", "blue", [CAPTIONS[8]])
    assert row.inputs["image"] == [{"bytes": picture(8), "path": None}]


def test_a_name_without_a_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def offline(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", offline)
    assert error_of("huggingface", tmp_path, path="nobody/nothing", target="label") == (
        "`nobody/nothing` cannot be opened as a data set: Couldn't reach the Hub. Without a network, give a folder "
        "here: what `load_dataset(...).save_to_disk(FOLDER)` wrote on a machine that has one."
    )


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_missing_path_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    options: dict[str, Any] = {"path": str(tmp_path / "nothing"), "target": "x", "inputs": {"text": "y"}}
    assert "`nothing" in error_of(name, tmp_path, **options)


def test_json_of_a_conversation_that_is_none_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "hello"}))
    assert error_of("chat", tmp_path, path=str(path)) == (
        "`a.jsonl` row 1 is no conversation: it must have one of `messages`, `conversations`, `conversation`, "
        "`instruction`; it has 'text'."
    )


def test_a_column_of_conll_alone_is_words_without_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "EU\nrejects\n\nPeter\n")
    assert error_of("conll", tmp_path, path=str(path)) == (
        "`a.conll` line 1 has one column, `EU`, and `data.target` needs two at least: a word and its tag, with a tab "
        "or spaces between."
    )
    assert [row.target for row in all_of("conll", path=str(path), target="text")] == ["EU rejects", "Peter"]


def test_a_column_of_conll_that_is_named_tags_has_the_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "EU B-ORG x\nrejects O y\n")
    [row] = all_of("conll", path=str(path), columns=["words", "tags", "note"])
    assert row.target == ["B-ORG", "O"]


@pytest.mark.parametrize("columns", [[], ["words", "ner", "ner"], ["words", "text"]])
def test_columns_of_conll_that_name_nothing_are_refused(columns: list[str]) -> None:
    with pytest.raises(OptionError, match=r"^`columns` must name the column of the words and then each of the others"):
        ConllOptions(columns=columns)


@pytest.mark.parametrize("name", ["{id[0]}", "{id.real}", "{other}", "{}", "{id", "{id:s}", "{id:0999999999999d}"])
def test_a_name_of_pictures_with_other_places_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=r"^`image_name` must have no other places than `\{id\}` and `\{subset\}`"):
        VqaOptions(image_name=name)


def test_a_path_with_nul_is_refused() -> None:
    with pytest.raises(OptionError, match=r"^`validation` must have no NUL character"):
        TableOptions(validation="a\0.csv")


def changed(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON document."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


QUESTIONS, ANSWERS = "v2_OpenEnded_mscoco_train2014_questions.json", "v2_mscoco_train2014_annotations.json"


@pytest.mark.parametrize(
    ("name", "file", "change", "message"),
    [
        ("coco_captions", "annotations/captions_train2017.json", lambda it: it["images"].append(it["images"][0]),
         "`annotations/captions_train2017.json` images[10] is of the picture 0, as is one before: each must stand "
         "once."),
        ("vqa", ANSWERS, lambda it: it["annotations"].append(it["annotations"][0]),
         f"`{ANSWERS}` annotations[10] is of the question 0, as is one before: each must stand once."),
        ("vqa", QUESTIONS, lambda it: it["questions"].append(it["questions"][0]),
         f"`{QUESTIONS}` questions[10] is of the question 0, as is one before: each must stand once."),
        ("vqa", ANSWERS, lambda it: it["annotations"][0].update(image_id=4444),
         f"`{QUESTIONS}` questions[0] is about the picture 0, and the answers to it are about the picture 4444: the "
         "two files are not of one set."),
        ("vqa", ANSWERS, lambda it: it["annotations"][0].update(multiple_choice_answer=5),
         f"`{ANSWERS}` annotations[0] must have a text as `multiple_choice_answer`, not 5."),
    ],
)  # fmt: skip
def test_what_stands_twice_or_contradicts_itself_is_refused(
    tmp_path: Path, name: str, file: str, change: Callable[[Any], object], message: str
) -> None:
    options = specimen(name, tmp_path)
    changed(tmp_path / file, change)
    assert error_of(name, tmp_path, **options) == message


def test_pictures_without_a_caption_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = specimen("coco_captions", tmp_path)
    file = tmp_path / "annotations" / "captions_train2017.json"
    changed(file, lambda it: it["images"].append({"id": 77, "file_name": "bare.jpg"}))
    assert len(all_of("coco_captions", **options)) == 10
    assert caplog.messages == [f"`{file}`: pictures without a caption are left out: 1, as `bare.jpg`."]


def test_the_first_picture_may_be_missing_from_the_usual_folder(tmp_path: Path) -> None:
    options = specimen("coco_captions", tmp_path)
    (tmp_path / "train2017" / "000000000000.jpg").unlink()
    assert all_of("coco_captions", **options)[1].inputs["image"] == [str(tmp_path / "train2017" / "000000000001.jpg")]


def test_a_transcript_twice_is_refused_and_sounds_without_one_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = specimen("librispeech", tmp_path)
    file = next(iter(sorted(tmp_path.rglob("*.trans.txt"))))
    first, *_ = file.read_text().splitlines()
    name = first.split()[0]
    file.write_text(f"{first}\n")
    assert len(all_of("librispeech", split="train", **options)) > 0
    [told] = caplog.messages
    assert told.startswith(f"`{tmp_path / 'LibriSpeech'}`: sounds without a transcript are left out: 1, as `")
    file.write_text(f"{first}\n{first}\n")
    told = error_of("librispeech", tmp_path, **options)
    assert told.endswith(f" line 2 is of {name!r}, as is one before: each sound must have one transcript.")
    assert error_of("librispeech", tmp_path, path=str(file)).endswith(
        "` must be the folder of LibriSpeech, or one in it, not a file."
    )


@pytest.mark.parametrize(
    "name", [name for name, each in COMPONENTS.items() if getattr(each.options, "own_columns", ())]
)
def test_the_columns_that_options_know_are_those_that_are_read(name: str, tmp_path: Path) -> None:
    made = source(name, **specimen(name, tmp_path))
    options = made.options  # type: ignore[attr-defined]
    for part in made.parts(options.path, {}):  # type: ignore[attr-defined]
        assert {*part.columns} - {"key"} == {*options.own_columns}
    options.target = "nothing"
    with pytest.raises(DataError, match=r"has no column `nothing`, which `data\.target` names"):
        options.check_files()


def test_a_folder_without_classes_says_so(tmp_path: Path) -> None:
    written(tmp_path / "x" / "0.png", picture(0))
    assert error_of("folder", tmp_path, path=str(tmp_path / "x")) == (
        "`x` must be a folder of folders, one a class: `0.png` lies in none, nor does any other file."
    )
