"""What could be read in two ways, or in none, is told and not guessed."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_data.chat import messages
from mmlm_data.mask_folder import _named
from mmlm_data.options import TableOptions, check_encoding
from mmlm_data.shards import samples, shards_at


def test_a_role_that_is_no_word_is_refused() -> None:
    with pytest.raises(DataError, match=r"is said by \['user'\], which is no role\."):
        messages({"messages": [{"role": ["user"], "content": "x"}]}, "`a.jsonl` row 1")


def test_a_part_of_a_message_without_a_text_is_not_the_word_none() -> None:
    part = {"role": "user", "content": [{"type": "text", "text": None}]}
    with pytest.raises(DataError, match=r"content\[0\] must have a text as `text`, not None\."):
        messages({"messages": [part]}, "`a.jsonl` row 1")


def test_a_picture_in_a_message_has_no_text() -> None:
    parts = [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "What is it?"}]
    assert messages({"messages": [{"role": "user", "content": parts}]}, "row")[0]["content"] == "What is it?"


def test_a_range_of_shards_that_is_empty_is_told() -> None:
    with pytest.raises(DataError, match=re.escape("`{005..002}` of `x-{005..002}.tar` is no range of numbers")):
        shards_at("x-{005..002}.tar")


def test_a_link_in_a_shard_is_told_and_not_lost(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        first = tarfile.TarInfo("0.png")
        first.size = 3
        tar.addfile(first, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("1.png")
        link.type, link.linkname = tarfile.LNKTYPE, "0.png"
        tar.addfile(link)
    with pytest.raises(DataError, match=r"has a member `1\.png` that is a link to `0\.png`"):
        list(samples(tmp_path / "a.tar"))


def test_two_pictures_of_one_name_are_told(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match="have one name but for their endings"):
        _named(tmp_path)


@pytest.mark.parametrize("encoding", ["punycode", "idna", "undefined", "base64", "utf-88"])
def test_an_encoding_of_no_texts_is_refused(encoding: str) -> None:
    with pytest.raises(OptionError, match=f"must be one that Python knows, .*, not `{encoding}`"):
        check_encoding(encoding)
    assert TableOptions(encoding="gb18030").encoding == "gb18030"
