"""The scripts of `examples/data` that make rows out of Debian's packages, on small packages of the same form."""

import importlib
import io
import sys
import tarfile
from pathlib import Path

import polib
import pyarrow.parquet as parquet
import pytest

SCRIPTS = Path(__file__).parents[1] / "examples" / "data"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def package(path, files):
    """Write a Debian package: an `ar` archive whose member `data.tar` has the files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    content = buffer.getvalue()
    path.write_bytes(b"!<arch>\n" + b"data.tar".ljust(48) + str(len(content)).encode().ljust(10) + b"`\n" + content)
    return path


def catalogue(pairs):
    made = polib.POFile()
    for number, (english, translation) in enumerate(pairs):
        made.append(polib.POEntry(msgctxt=f"c{number}", msgid=english, msgstr=translation))
    return made.to_binary()


def test_pairs_lose_the_marks_of_keys_stand_once_and_are_of_one_split_by_family(script, tmp_path, monkeypatch, capsys):
    module = script("office_translation")
    pairs = [("~File", "文件(~F)"), ("_File", "文件(_F)"), ("Untranslated", ""), ("OK", "OK")]
    pairs += [(f"Page {number} of %PAGES", f"第 {number} 页") for number in range(30)]
    pairs += [(f"Label {letter}{other}", f"标签{letter}{other}") for letter in "abcdefgh" for other in "uvwxyz"]
    files = {"./usr/zh_CN/LC_MESSAGES/sw.mo": catalogue(pairs), "./usr/readme": b"x"}
    path = package(tmp_path / "l10n.deb", files)
    monkeypatch.setattr(sys, "argv", ["x", str(path), str(tmp_path / "office" / "zh.parquet")])
    module.main()
    rows = parquet.read_table(tmp_path / "office" / "zh.parquet").to_pylist()
    assert [row["target"] for row in rows if row["source"] == "File"] == ["文件"]
    assert not {"Untranslated", "OK"} & {row["source"] for row in rows}
    assert len({row["split"] for row in rows if row["source"].startswith("Page")}) == 1
    assert {row["split"] for row in rows} == {"train", "validation", "test"} and len(rows) == 1 + 30 + 48
    assert "train" in capsys.readouterr().out


RECORDS = """Package: cat
Description-md5: 1
Description-en: concatenates files
 This program writes files, one after another, and
 does nothing else that would be worth a word.
 .
 It can
  - number lines
  - show ends

Package: cat-dev
Description-md5: 2
Description-en: concatenates files (headers)
 This program writes files, one after another, and
 does nothing else that would be worth a word.
 .
 These are the headers.

Package: tiny
Description-md5: 3
Description-en: too short
 Short.
"""


def test_descriptions_are_paragraphs_and_a_library_and_its_headers_are_of_one_split(script):
    module = script("package_summarization")
    rows = list(module.described(RECORDS))
    assert [(name, synopsis) for name, synopsis, _ in rows] == [
        ("cat", "concatenates files"), ("cat-dev", "concatenates files (headers)"), ("tiny", "too short")
    ]  # fmt: skip
    first = "This program writes files, one after another, and does nothing else that would be worth a word."
    assert rows[0][2] == f"{first}\nIt can\n- number lines\n- show ends"
    assert module.split_of(rows[0][2]) == module.split_of(rows[1][2])


def test_a_file_without_descriptions_is_refused(script, tmp_path, monkeypatch):
    module = script("package_summarization")
    (tmp_path / "x.txt").write_text("nothing", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "x.txt"), str(tmp_path / "x.parquet")])
    with pytest.raises(SystemExit, match=r"has no records `Package:` with a `Description-en:`\."):
        module.main()
