"""`mmlm data check` and `mmlm data preview`, over a table with everything that can be wrong with one."""

import csv
import io
import json
import wave
from pathlib import Path

import pytest
from PIL import Image

from mmlm_core.cli.main import main

TEXTS = [
    f"The {colour} {animal} sleeps" for colour in ("red", "green", "blue") for animal in ("cat", "dog", "ox", "hen")
]


def table(path: Path, rows: list[tuple[str, ...]], names: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def rows() -> list[tuple[str, ...]]:
    return [(text, "long" if "green" in text else "short") for text in TEXTS]


def words(folder: Path, train: list[tuple[str, ...]], held_out: list[tuple[str, ...]]) -> list[str]:
    return ["data=table", f"data.path={table(folder / 'train.csv', train)}",
            f"data.validation={table(folder / 'held.csv', held_out)}", "data.test_fraction=0", "data.inputs.text=text",
            "data.target=label", "tokenizer=word", "encoder/text=embedding", "fusion=concat", "backbone=gru",
            "head=classification"]  # fmt: skip


def test_rows_without_fault_end_with_0_and_say_what_they_are(tmp_path: Path, capsys) -> None:
    assert main(["data", "check", *words(tmp_path, rows(), [("An owl wakes", "short")])]) == 0
    printed = capsys.readouterr().out
    told = {line.split("  ")[0].strip(): line.split() for line in printed.splitlines()}
    assert told["rows"][-2:] == ["12", "1"]
    assert told["text tokens"][2:7] == ["4", "·", "4", "·", "4"]
    assert told["text tokens unknown"][-2:] == ["0.00%", "100.00%"]
    assert told["short"][1:3] == ["8", "66.7%"]
    assert "✓ nothing is wrong with these 13 rows." in printed


def test_labels_that_differ_in_case_or_white_space_alone_are_told(tmp_path: Path, capsys) -> None:
    odd = [("A red owl", "Long"), ("A blue owl", "short "), ("A green owl", "long")]
    assert main(["data", "check", *words(tmp_path, [*rows(), *odd], [("An owl wakes", "short")])]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "differ" in line]
    assert told == [
        f"{names} differ in case or white space alone, and are different labels."
        for names in ("`short` and `short `", "`Long` and `long`")
    ]


def test_what_is_wrong_is_counted_located_and_ends_with_1(tmp_path: Path, capsys) -> None:
    held = [("The red cat sleeps", "short"), ("the RED dog -- sleeps!", "long"), ("An owl wakes", "huge"), ("A", "")]
    with pytest.raises(SystemExit) as ended:
        main(["data", "check", *words(tmp_path, [*rows(), rows()[0]], held)])
    assert ended.value.code == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "held.csv:1 = train.csv:1 the same held.csv:2" in printed
    assert "held.csv:2 = train.csv:2 the same but for case, spaces and signs, with another target" in printed
    assert "held.csv:3 `data.target=label`: The label `huge` is not in the training data." in printed
    assert "held.csv:4 `data.target=label`: The row has no target." in printed
    assert "repeat an earlier row 1 -" in printed
    assert printed.endswith("✗ 2 rows cannot be used; 2 rows of `validation` stand in `train` too.")


def test_json_holds_all_of_it(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["data", "check", "--json", *words(tmp_path, rows(), [rows()[0], ("An owl", "huge")])])
    found = json.loads(capsys.readouterr().out)
    assert found["splits"]["train"]["labels"] == {"short": 8, "long": 4}
    assert found["splits"]["train"]["measures"]["text tokens"] == {"least": 4, "median": 4, "most": 4, "total": 48}
    assert list(found["splits"]["validation"]["faults"]) == ["held.csv:2"]
    assert found["twins"] == [{"first": "train.csv:1", "second": "held.csv:1", "splits": ["train", "validation"],
                               "exact": True, "target": True}]  # fmt: skip
    assert found["wrong"] == ["1 row cannot be used", "1 row of `validation` stand in `train` too"]


def test_identical_pictures_under_other_names_are_found(tmp_path: Path, capsys) -> None:
    for name, colour in {"a": "red", "b": "green", "c": "red"}.items():
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{name}.png")
    train, held = ([(str(tmp_path / f"{name}.png"), name) for name in names] for names in ("ab", "c"))
    with pytest.raises(SystemExit):
        main(["data", "check", "data=table", f"data.path={table(tmp_path / 'train.csv', train)}",
              f"data.validation={table(tmp_path / 'held.csv', held)}", "data.test_fraction=0", "data.inputs.image=text",
              "data.target=label", "tokenizer=char", "encoder/image=cnn", "head=captioning"])  # fmt: skip
    printed = " ".join(capsys.readouterr().out.split())
    assert "image width 20 · 20 · 20 20 · 20 · 20" in printed
    assert "held.csv:1 = train.csv:1 the same, with another target" in printed


def test_a_preview_shows_tokens_and_which_of_them_the_loss_counts(tmp_path: Path, capsys) -> None:
    page = tmp_path / "page.html"
    text = ["data=table", f"data.path={table(tmp_path / 'train.csv', rows())}", "data.validation_fraction=0.1",
            "data.test_fraction=0", "data.target=text", "data.inputs={}", "tokenizer=word", "backbone=gru",
            "head=language_modeling"]  # fmt: skip
    assert main(["data", "preview", "--rows", "3", "--out", str(page), *text]) == 0
    assert capsys.readouterr().out == f"preview: {page}\n"
    shown = page.read_text(encoding="utf-8")
    assert shown.count("<article>") == 3
    assert '<span class="token special">begin</span><span class="token scored">' in shown
    assert '<span class="token special scored">end</span>' in shown
    assert "http" not in shown.replace("http-equiv", "")


def test_packed_texts_are_shown_in_their_rows(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = ["data=table", f"data.path={table(tmp_path / 'train.csv', rows())}", "data.test_fraction=0",
            "data.target=text", "data.inputs={}", "tokenizer=word", "backbone=gru", "head=language_modeling",
            "head.pack=true", "head.context=32"]  # fmt: skip
    assert main(["data", "preview", "--rows", "8", "--out", str(page), *text]) == 0
    shown = page.read_text(encoding="utf-8")
    assert "Targets, packed into 2 rows" in shown
    assert '<span class="token special begins">begin</span>' in shown


def test_sounds_can_be_heard_in_a_preview_and_pictures_are_augmented(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    (tmp_path / "a.wav").write_bytes(stream.getvalue())
    Image.new("RGB", (20, 10), "red").save(tmp_path / "a.png")
    held = table(tmp_path / "t.csv", [(str(tmp_path / "a.wav"), str(tmp_path / "a.png"), "a")] * 4, ("s", "p", "t"))
    page = tmp_path / "page.html"
    assert main(["data", "preview", "--out", str(page), "data=table", f"data.path={held}", "data.inputs.audio=s",
                 "data.inputs.image=p", "data.target=t", "data.test_fraction=0", "encoder/audio=logmel_conv",
                 "encoder/image=cnn", "encoder.audio.sample_rate=8000", "tokenizer=char",
                 "head=captioning"]) == 0  # fmt: skip
    shown = page.read_text(encoding="utf-8")
    assert shown.count('<audio controls preload="metadata" src="data:audio/wav;base64,') == 3
    assert shown.count('<img class="wide" src="data:image/png;base64,') == 3
    assert shown.count('<img class="small" src="data:image/png;base64,') == 3


def test_wrong_arguments_are_told(capsys) -> None:
    assert main(["data", "chek"]) == 2
    assert "`chek` is no command of `mmlm data`. Did you mean `check`?" in capsys.readouterr().err
    assert main(["data", "check", "experiment=spam_classification", "--rows", "0"]) == 2
    assert "`--rows` must be at least 1, not 0." in capsys.readouterr().err


def test_a_line_that_cannot_be_read_is_a_row_that_cannot_be_used(tmp_path: Path, capsys) -> None:
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows()]
    (tmp_path / "rows.jsonl").write_text("\n".join([*lines[:5], '{"text": "cut', *lines[5:]]))
    with pytest.raises(SystemExit):
        main(["data", "check", "data=table", f"data.path={tmp_path / 'rows.jsonl'}", "data.inputs.text=text",
              "data.target=label", "data.validation_fraction=0", "data.test_fraction=0", "tokenizer=word",
              "encoder/text=embedding", "backbone=gru", "head=classification"])  # fmt: skip
    printed = " ".join(capsys.readouterr().out.split())
    assert "rows of train that cannot be used" in printed
    assert printed.endswith("✗ 1 row cannot be used.")
