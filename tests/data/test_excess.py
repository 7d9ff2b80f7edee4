"""Rows with more in them than a model reads are counted."""

from typing import Any

from mmlm_core.data.excess import Excess
from mmlm_core.errors import DataError
from mmlm_core.types import Example


class Letters:
    """Reads three letters."""

    def excess(self, item: Any) -> str:
        if not isinstance(item, str):
            raise DataError("A text must be a string.")
        return "encoder.text.max_letters=3" if len(item) > 3 else ""


def test_rows_are_counted_by_the_option_that_cuts_them() -> None:
    rows = [Example(str(n), {"text": texts}) for n, texts in enumerate([["abcd", "abcde"], ["abc"], [], [7]])]
    excess = Excess({"text": Letters()}, rows)  # type: ignore[dict-item]
    assert excess.told("of `train`") == (
        "1 of 4 rows of `train` is longer than `encoder.text.max_letters=3`: what is behind that is not read."
    )
    assert Excess({"text": Letters()}, rows[1:]).told("of `train`") == ""  # type: ignore[dict-item]
