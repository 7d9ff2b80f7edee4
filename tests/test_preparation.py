"""What a training looks at before it begins does not grow with the rows."""

from pathlib import Path

import pytest

import mmlm_core
from mmlm_core import preparation


def test_a_tokenizer_is_made_of_rows_that_are_spread_evenly_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "READ", 10)
    rows = "".join(f"w{number},{'ab'[number % 2]}\n" for number in range(100))
    (tmp_path / "rows.csv").write_text(f"text,label\n{rows}")
    options = ["data=table", f"data.path={tmp_path / 'rows.csv'}", "data.inputs.text=text", "data.target=label",
               "data.validation_fraction=0", "data.test_fraction=0", "encoder/text=embedding", "backbone=gru",
               "head=classification"]  # fmt: skip
    made = preparation.prepare(mmlm_core.compose([*options, "tokenizer=word"]))
    assert made.tokenizer is not None
    known = [number for number in range(100) if made.tokenizer.unknown not in made.tokenizer.encode(f"w{number}")]
    assert known == list(range(0, 100, 10))
    assert made.started == "tokenizer: made of 10 of the 100 training rows"
    assert not preparation.prepare(mmlm_core.compose([*options, "tokenizer=byte"])).started
