"""Any bytes in place of a file of any format give rows, or one clear error."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmlm_core.errors import DataError, MmlmError
from mmlm_core.options import typed
from mmlm_data.plugin import mmlm_components
from mmlm_data.specimens import SPECIMENS, write_table

COMPONENTS = {component.name: component for component in mmlm_components() if component.name in SPECIMENS}

MOST = 1000
"""Rows that are looked at: a broken length must not make more of them than the file has bytes."""


def read(name: str, options: dict[str, Any]) -> None:
    """Read what can be read; only errors of ours may be raised, and they must be a sentence of some length at most."""
    component = COMPONENTS[name]
    try:
        source = component.load()(typed(component.options, options, "data", "the test"))
        for split in source.splits():
            rows = source.read(split)
            walked = range(len(rows)) if hasattr(rows, "__len__") else None
            for place in walked or ():
                try:
                    rows[place]
                except DataError as error:  # a row that `loader.on_error=skip` leaves out
                    assert 10 < len(str(error)) < 5000
            for _ in () if walked else islice(rows, MOST):
                pass
    except MmlmError as error:
        assert 10 < len(str(error)) < 5000


@st.composite
def damage(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut a file off, or write a few bytes over it, or put some in."""
    start = draw(st.integers(0, len(content)))
    stop = draw(st.sampled_from([start, start + 1, start + 20, len(content)]))
    usual = st.sampled_from([b"", b"\0", b"\xff", b"\n", b'"', b"{", b"\t", b"-1", b"null", b"1" * 5000])
    put = draw(usual | st.binary(max_size=12))
    return content[:start] + put + content[stop:]


FILES = {
    "text": "books/one.txt",
    "chat": "chat.jsonl",
    "parallel": "corpus.de",
    "conll": "eng.train",
    "squad": "train-v2.0.json",
    "coco_captions": "annotations/captions_train2017.json",
    "karpathy": "dataset_coco.json",
    "flickr": "Flickr8k.token.txt",
    "vqa": "v2_mscoco_train2014_annotations.json",
    "librispeech": "LibriSpeech/dev-clean/84/1240/84-1240.trans.txt",
    "common_voice": "en/train.tsv",
    "manifest": "manifest.json",
    "webdataset": "shards/000001.tar",
}


@pytest.mark.parametrize("name", FILES)
def test_any_damage_to_a_file_gives_rows_or_one_error(name: str, tmp_path: Path) -> None:
    options = SPECIMENS[name](tmp_path)
    file = tmp_path / FILES[name]
    whole = file.read_bytes()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damage(whole) | st.binary(max_size=60))
    def check(content: bytes) -> None:
        file.write_bytes(content)
        read(name, options)

    check()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow", ".feather"])
def test_any_damage_to_a_table_gives_rows_or_one_error(suffix: str, tmp_path: Path) -> None:
    file = write_table(tmp_path / f"rows{suffix}", stream=suffix == ".arrow")
    whole = file.read_bytes()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damage(whole) | st.binary(max_size=60))
    def check(content: bytes) -> None:
        file.write_bytes(content)
        read("table", {"path": str(file)})

    check()


PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "a"\nmsgstr "b"\n'


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(damage(PO.encode()) | st.text('msgidtr[]01" \n#~|_,:\\', max_size=40).map(str.encode))
def test_any_damage_to_a_catalogue_gives_rows_or_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.po").write_bytes(content)
    read("parallel", {"path": str(tmp_path / "a.po")})
