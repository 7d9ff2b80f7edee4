"""Several sources as one: `data=mix`."""

from pathlib import Path

import pytest

from mmlm_core.cli.main import main
from mmlm_core.errors import DataError, OptionError, UnknownChoiceError
from mmlm_data.mix import MixSource
from mmlm_data.mix_options import MixOptions


def file(folder: Path, name: str, rows: int, label: str) -> str:
    (folder / name).write_text("text,label\n" + "".join(f"{name} {row},{label}\n" for row in range(rows)))
    return str(folder / name)


def table(path: str, **options: object) -> dict[str, object]:
    return {"name": "table", "path": path, "inputs": {"text": "text"}, "target": "label", **options}


def test_a_split_has_the_rows_of_every_source_that_has_it(tmp_path: Path) -> None:
    a, b = file(tmp_path, "a.csv", 10, "x"), file(tmp_path, "b.csv", 5, "y")
    nothing = {"validation_fraction": 0.0, "test_fraction": 0.0}
    source = MixSource(MixOptions({"one": table(a, **nothing), "two": table(b, **nothing, validation=a)}))
    assert source.splits() == ["train", "validation"]
    train = source.read("train")
    assert (len(train), len(source.read("validation"))) == (15, 10)
    assert [train[place].key for place in (0, 9, 10, -1)] == [
        "one/a.csv:1",
        "one/a.csv:10",
        "two/b.csv:1",
        "two/b.csv:5",
    ]
    assert [train[place].group for place in (0, 14)] == ["one", "two"]
    with pytest.raises(DataError, match=r"^`data=mix` has no split `tests`\. Did you mean `test`\? "):
        source.read("tests")


def test_what_is_wrong_with_a_source_is_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^`sources\.a` must say its `name`, another choice of `data` than `mix`"):
        MixOptions({"a": {"path": "a.csv"}})
    with pytest.raises(UnknownChoiceError, match=r"^`tabel` is no choice of `data`\. Did you mean `table`\?"):
        MixOptions({"a": {"name": "tabel"}})
    with pytest.raises(OptionError, match=r"^`sources\.a\.weight` must be above 0, not `0`\.$"):
        MixOptions({"a": table("a.csv", weight=0)})
    with pytest.raises(
        UnknownChoiceError, match=r"^`data\.sources\.a\.pat` of the options of `data=mix` is no option\."
    ):
        MixOptions({"a": {"name": "table", "pat": "a.csv"}})
    with pytest.raises(DataError, match=r"^`data=mix` must be told what to mix, as "):
        MixSource(MixOptions()).splits()


def test_a_mix_is_composed_checked_and_trained_from_the_command_line(tmp_path: Path, capsys) -> None:
    a, b = file(tmp_path, "a.csv", 20, "x"), file(tmp_path, "b.csv", 10, "y")
    words = ["data=mix", *(f"data.sources.{word}.{name}={value}" for word, path in (("a", a), ("b", b))
                           for name, value in (("name", "table"), ("path", path), ("inputs.text", "text"),
                                               ("target", "label"))),
             "data.sources.b.weight=2", "tokenizer=char", "encoder/text=embedding", "backbone=gru", "backbone.width=8",
             "head=classification"]  # fmt: skip
    assert main(["data", "check", *words]) == 0
    assert main(["train", *words, "trainer.max_steps=1", "trainer.progress=false", "tracker=off",
                 f"run.folder={tmp_path}", "run.name=run"]) == 0  # fmt: skip
    assert main(["eval", str(tmp_path / "run"), "--split", "validation"]) == 0
    end = capsys.readouterr().out.rpartition("\ngroups")[2].splitlines()
    assert [line.split()[0] for line in end[1:3]] in (["a", "rows"], ["b", "rows"])
