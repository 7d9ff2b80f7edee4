"""Writes a small data set in each format that this plugin reads, as the format's own specification says."""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
from PIL import Image

__all__ = ["CAPTIONS", "COLOURS", "SPECIMENS", "picture", "sound", "tar_of", "write_table", "written"]

COLOURS = ["red", "green", "blue", "red", "green", "blue", "red", "green", "blue", "red"]
CAPTIONS = [f"a {colour} square, number {number}" for number, colour in enumerate(COLOURS)]

Options = dict[str, Any]
SPECIMENS: dict[str, Callable[[Path], Options]] = {}
"""What writes each format into a folder and returns the options that read it, by the source's name."""


def specimen(write: Callable[[Path], Options]) -> Callable[[Path], Options]:
    SPECIMENS[write.__name__] = write
    return write


def written(path: Path, content: str | bytes | Any) -> Path:
    """Write text, bytes, or anything else as JSON; with the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def picture(number: int) -> bytes:
    """Return a PNG of 16 x 16 pixels in the number's colour; its number is in a corner."""
    image = Image.new("RGB", (16, 16), COLOURS[number % len(COLOURS)])
    image.putpixel((0, 0), (number, 0, 0))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def sound(number: int) -> bytes:
    """Return a WAV of a quarter of a second."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join((number * 100 * (i % 7)).to_bytes(2, "little") for i in range(2000)))
    return stream.getvalue()


def pictures(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        written(folder / name, picture(number))


def tar_of(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    """Write a tar file, as WebDataset's writer does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@specimen
def table(folder: Path) -> Options:
    return {"path": str(write_table(folder / "rows.csv"))}


@specimen
def folder(folder: Path) -> Options:
    for split, numbers in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 10))):
        for number in numbers:
            written(folder / "by_class" / split / COLOURS[number] / f"{number}.png", picture(number))
    return {"path": str(folder / "by_class")}


@specimen
def mask_folder(folder: Path) -> Options:
    for number in range(8):
        split = "training" if number < 6 else "validation"
        written(folder / "scenes" / "images" / split / f"{number}.png", picture(number))
        mask = Image.new("L", (16, 16))
        mask.paste(1, (0, 0, 8, 16))
        (folder / "scenes" / "annotations" / split).mkdir(parents=True, exist_ok=True)
        mask.save(folder / "scenes" / "annotations" / split / f"{number}.png")
    return {"path": str(folder / "scenes"), "test_fraction": 0.0}


@specimen
def text(folder: Path) -> Options:
    written(folder / "books" / "one.txt", "The first paragraph,\nin two lines.\n\n\nThe second.\r\n\r\nThe third.")
    written(folder / "books" / "two.txt", "\n我爱吃苹果。\n\nThe end.\n")
    return {"path": str(folder / "books")}


@specimen
def chat(folder: Path) -> Options:
    lines = [
        {"messages": [{"role": "user", "content": "Which colour?"}, {"role": "assistant", "content": colour}]}
        for colour in COLOURS
    ]
    return {"path": str(written(folder / "chat.jsonl", "\n".join(map(json.dumps, lines))))}


@specimen
def parallel(folder: Path) -> Options:
    written(folder / "corpus.en", "".join(f"{caption}\n" for caption in CAPTIONS))
    written(folder / "corpus.de", "".join(f"ein Quadrat, Nummer {number}\n" for number in range(10)))
    return {"path": str(folder / "corpus.en"), "to": "de"}


CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC
call NN I-NP O
. . O O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER

BRUSSELS NNP B-NP B-LOC
1996-08-22 CD I-NP O
"""


@specimen
def conll(folder: Path) -> Options:
    sentences = CONLL_2003.partition("\n\n")[2]
    return {"path": str(written(folder / "eng.train", CONLL_2003 + f"\n{sentences}" * 4))}


@specimen
def squad(folder: Path) -> Options:
    context = "The cat sat on the mat."
    questions = [
        {
            "id": "1",
            "question": "Who sat?",
            "answers": [{"text": "The cat", "answer_start": 0}],
            "is_impossible": False,
        },
        {"id": "2", "question": "Where?", "answers": [{"text": "the mat", "answer_start": 15}], "is_impossible": False},
        {"id": "3", "question": "On what?", "answers": [{"text": "mat", "answer_start": 19}], "is_impossible": False},
        {"id": "4", "question": "When?", "answers": [], "plausible_answers": [], "is_impossible": True},
    ]
    article = {"title": "Cats", "paragraphs": [{"context": context, "qas": questions}]}
    return {"path": str(written(folder / "train-v2.0.json", {"version": "v2.0", "data": [article]}))}


@specimen
def coco_captions(folder: Path) -> Options:
    pictures(folder / "train2017", [f"{number:012d}.jpg" for number in range(10)])
    images = [
        {"id": number, "file_name": f"{number:012d}.jpg", "height": 16, "width": 16, "license": 1}
        for number in range(10)
    ]
    annotations = [
        {"id": 100 + number, "image_id": number // 2, "caption": f"{CAPTIONS[number // 2]}, said {number % 2}"}
        for number in range(20)
    ]
    content = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
    return {"path": str(written(folder / "annotations" / "captions_train2017.json", content))}


@specimen
def karpathy(folder: Path) -> Options:
    pictures(folder / "val2014", [f"{number}.jpg" for number in range(10)])
    splits = ["train", "train", "restval", "train", "restval", "train", "val", "val", "test", "test"]
    images = [
        {
            "filepath": "val2014",
            "filename": f"{number}.jpg",
            "imgid": number,
            "split": splits[number],
            "sentids": [number],
            "sentences": [
                {"raw": CAPTIONS[number], "tokens": CAPTIONS[number].split(), "imgid": number, "sentid": number}
            ],
        }
        for number in range(10)
    ]
    return {"path": str(written(folder / "dataset_coco.json", {"images": images, "dataset": "coco"}))}


@specimen
def flickr(folder: Path) -> Options:
    names = [f"{1000 + number}_ab.jpg" for number in range(10)]
    pictures(folder / "Flicker8k_Dataset", names)
    lines = [f"{name}#{said}\t{CAPTIONS[number]} ." for number, name in enumerate(names) for said in range(5)]
    written(folder / "Flickr8k.token.txt", "\n".join(lines) + "\n")
    for word, listed in (("train", names[:6]), ("dev", names[6:8]), ("test", names[8:])):
        written(folder / f"Flickr_8k.{word}Images.txt", "\n".join(listed) + "\n")
    return {"path": str(folder / "Flickr8k.token.txt")}


@specimen
def vqa(folder: Path) -> Options:
    pictures(folder / "train2014", [f"COCO_train2014_{number:012d}.jpg" for number in range(10)])
    questions = [{"image_id": n, "question": "What colour is it?", "question_id": n * 1000} for n in range(10)]
    annotations = [
        {
            "image_id": number,
            "question_id": number * 1000,
            "question_type": "what colour",
            "answer_type": "other",
            "multiple_choice_answer": COLOURS[number],
            "answers": [
                {"answer": COLOURS[number] if i else "pink", "answer_confidence": "yes", "answer_id": i + 1}
                for i in range(10)
            ],
        }
        for number in range(10)
    ]
    head = {"info": {}, "license": {}, "data_subtype": "train2014"}
    written(folder / "v2_mscoco_train2014_annotations.json", {**head, "annotations": annotations})
    path = written(folder / "v2_OpenEnded_mscoco_train2014_questions.json", {**head, "questions": questions})
    return {"path": str(path)}


@specimen
def librispeech(folder: Path) -> Options:
    for subset, speakers in (("train-clean-100", (103, 1034)), ("dev-clean", (84,)), ("test-clean", (61,))):
        for speaker in speakers:
            chapter = folder / "LibriSpeech" / subset / str(speaker) / "1240"
            for number in range(2):
                written(chapter / f"{speaker}-1240-{number:04d}.wav", sound(number))
            lines = [f"{speaker}-1240-{number:04d} HELLO NUMBER {number}" for number in range(2)]
            written(chapter / f"{speaker}-1240.trans.txt", "\n".join(lines) + "\n")
    return {"path": str(folder / "LibriSpeech")}


@specimen
def common_voice(folder: Path) -> Options:
    for number in range(10):
        written(folder / "en" / "clips" / f"common_voice_en_{number}.wav", sound(number))
    names = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "locale", "segment"]
    for name, numbers in (("train", range(6)), ("dev", range(6, 8)), ("test", range(8, 10))):
        rows = [
            ["ab", f"common_voice_en_{number}.wav", f'She said "{COLOURS[number]}.', "2", "0", "", "", "", "en", ""]
            for number in numbers
        ]
        written(folder / "en" / f"{name}.tsv", "".join("\t".join(row) + "\n" for row in [names, *rows]))
    return {"path": str(folder / "en")}


@specimen
def manifest(folder: Path) -> Options:
    lines = []
    for number in range(10):
        written(folder / "sounds" / f"{number}.wav", sound(number))
        lines.append({"audio_filepath": f"sounds/{number}.wav", "duration": 0.25, "text": COLOURS[number]})
    return {"path": str(written(folder / "manifest.json", "\n".join(map(json.dumps, lines))))}


@specimen
def webdataset(folder: Path) -> Options:
    for shard in range(2):
        members = {}
        for number in range(shard * 5, shard * 5 + 5):
            members[f"{number:06d}.png"] = picture(number)
            members[f"{number:06d}.txt"] = CAPTIONS[number].encode()
            members[f"{number:06d}.json"] = json.dumps({"colour": COLOURS[number]}).encode()
        tar_of(folder / "shards" / f"{shard:06d}.tar", members)
    return {"path": str(folder / "shards"), "validation_fraction": 0.2, "test_fraction": 0.2}


@specimen
def huggingface(folder: Path) -> Options:
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value

    features = Features(
        {"image": Image(), "label": ClassLabel(names=["red", "green", "blue"]), "text": Value("string")}
    )
    labels = {"red": 0, "green": 1, "blue": 2}

    def data(numbers: range) -> Dataset:
        columns = {
            "image": [{"bytes": picture(number), "path": None} for number in numbers],
            "label": [labels[COLOURS[number]] for number in numbers],
            "text": [CAPTIONS[number] for number in numbers],
        }
        return Dataset.from_dict(columns, features=features)

    DatasetDict({"train": data(range(8)), "test": data(range(8, 10))}).save_to_disk(str(folder / "saved"))
    return {"path": str(folder / "saved")}


def write_table(path: Path, stream: bool = False) -> Path:
    """Write the captions as a table, in the format of the file's ending; pictures lie in it where it can hold bytes.

    Args:
        path: The file. A CSV, TSV or JSON names pictures, which are written beside it.
        stream: Of Arrow: write its stream format, as `datasets` does.
    """
    inside = path.suffix in (".parquet", ".arrow", ".feather")
    names = [f"{number}.png" for number in range(10)]
    images = [picture(number) if inside else name for number, name in enumerate(names)]
    columns = {"image": images, "caption": CAPTIONS, "colour": COLOURS}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    if not inside:
        pictures(path.parent, names)
    if path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    elif inside:
        table = pa.Table.from_pylist(rows)
        new = ipc.new_stream if stream else ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as batches:
            batches.write_table(table, max_chunksize=2)
    else:
        written(path, rows if path.suffix == ".json" else "\n".join(map(json.dumps, rows)))
    return path


def main(argv: Sequence[str]) -> int:
    """Write a format's specimen into a folder, and say how it is read; return the exit status."""
    if len(argv) != 2 or argv[0] not in SPECIMENS:
        sys.stderr.write(f"usage: python -m mmlm_data.specimens FORMAT FOLDER, with one of {', '.join(SPECIMENS)}\n")
        return 2
    Path(argv[1]).mkdir(parents=True, exist_ok=True)
    options = SPECIMENS[argv[0]](Path(argv[1]))
    sys.stdout.write(f"data={argv[0]} {' '.join(f'data.{name}={value}' for name, value in options.items())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
