"""Items of other modalities at their markers in the text."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from mmlm_core.data import collate_examples
from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import Processor
from mmlm_core.types import QUERIES, Batch, Example, Features, arrange
from mmlm_fusion.concat import Concat
from mmlm_fusion.interleaving import Interleaving
from mmlm_fusion.options import ConcatOptions

MODALITIES = ("audio", "image", "text")
MARKERS = {"image": "<image>", "audio": "<sound>"}


class Letters(Processor):
    """Code points of a text; what is no text is refused."""

    def process(self, item: Any) -> dict[str, Tensor]:
        if not isinstance(item, str):
            raise DataError("no text")
        return {"ids": torch.tensor([ord(letter) for letter in item])}

    def blank(self) -> dict[str, Tensor]:
        return {"ids": torch.zeros(0, dtype=torch.long)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        longest = max(1, *(len(item["ids"]) for item in items))
        ids = torch.zeros(len(items), longest, dtype=torch.long)
        for place, item in enumerate(items):
            ids[place, : len(item["ids"])] = item["ids"]
        return {"ids": ids}


def concat(markers: dict[str, str] | None = None, order: Sequence[str] = ()) -> Concat:
    options = ConcatOptions(mark=False, markers=dict(markers or {}), order=list(order))
    return Concat(options, width=1, depth=1, modalities=MODALITIES, reads=(QUERIES,))


def batch_of(fusion: Concat, *rows: dict[str, list[Any]]) -> Batch:
    processors = fusion.processors({name: Letters() for name in MODALITIES})
    return collate_examples([Example(f"row {n}", row) for n, row in enumerate(rows)], processors, None)


def said(fusion: Concat, batch: Batch) -> list[str]:
    """Return what the backbone reads of each row, letter by letter, with `?` as the head's query."""
    inputs = {}
    for name, items in batch.inputs.items():
        ids = items.tensors["ids"]
        features = Features(ids.unsqueeze(-1).float(), ids != 0)
        inputs[name] = arrange(features, items.rows, batch.size, items.places)
    (joined,) = fusion.join(inputs, Features(torch.full((batch.size, 1, 1), float(ord("?")))))
    read = joined.read(joined.features.values)[QUERIES]
    assert read.values.eq(ord("?")).all()
    return [
        "".join(chr(int(value)) for value in values[valid, 0])
        for values, valid in zip(joined.features.values, joined.features.valid, strict=True)
    ]


def test_each_item_takes_the_place_of_a_marker_in_order() -> None:
    fusion = concat(MARKERS)
    batch = batch_of(
        fusion,
        {"text": ["ab<image>cd<sound><image>"], "image": ["XX", "Y"], "audio": ["S"]},
        {"text": ["e", "f<image>g"], "image": ["Z"]},
        {"text": ["h"]},
    )
    assert said(fusion, batch) == ["abXXcdSY?", "efZg?", "h?"]


def test_a_text_that_is_a_marker_alone_and_a_row_without_a_text() -> None:
    fusion = concat({"image": "<image>"})
    assert said(fusion, batch_of(fusion, {"text": ["<image>"], "image": ["X"]}, {"audio": ["S"]})) == ["X?", "S?"]


@pytest.mark.parametrize(
    ("order", "expected"), [((), "SXab?"), (("text", "image"), "abXS?"), (("image",), "XSab?"), (("text",), "abSX?")]
)
def test_inputs_stand_in_the_order_that_the_option_says(order: tuple[str, ...], expected: str) -> None:
    fusion = concat(order=order)
    assert said(fusion, batch_of(fusion, {"text": ["ab"], "image": ["X"], "audio": ["S"]})) == [expected]


@pytest.mark.parametrize(("order", "expected"), [((), "SaXb?"), (("text", "audio"), "aXbS?")])
def test_an_input_without_a_marker_stands_before_the_text_or_behind_it(order: Sequence[str], expected: str) -> None:
    fusion = concat({"image": "<image>"}, order)
    assert said(fusion, batch_of(fusion, {"text": ["a<image>b"], "image": ["X"], "audio": ["S"]})) == [expected]


@pytest.mark.parametrize(
    ("text", "images", "message"),
    [
        ("a<image>b", [], "The text has 1 marker `<image>` and the row has 0 items of `image`"),
        ("a", ["X"], "The text has 0 markers `<image>` and the row has 1 item of `image`"),
        ("<image><image>", ["X"], "The text has 2 markers `<image>` and the row has 1 item of `image`"),
    ],
)
def test_more_or_fewer_items_than_markers_are_told_with_the_row(text: str, images: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        batch_of(concat({"image": "<image>"}), {"text": ["fine"]}, {"text": [text], "image": images})
    assert str(caught.value) == f"`row 1`: {message}: each item takes a marker's place."


@pytest.mark.parametrize("item", [3.5, ["a"], {"a": 1}])
def test_what_is_no_text_is_refused_by_the_processor_of_texts(item: Any) -> None:
    with pytest.raises(DataError, match="`row 0`: no text"):
        batch_of(concat({"image": "<image>"}), {"text": [item]})


def test_a_batch_without_any_picture_still_has_a_blank_one() -> None:
    fusion = concat({"image": "<image>"})
    batch = batch_of(fusion, {"text": ["a"]}, {"text": ["b"]})
    assert batch.inputs["image"].rows.tolist() == [-1]
    assert said(fusion, batch) == ["a?", "b?"]


def test_the_row_itself_stays_as_it_is() -> None:
    row = Example("row", {"text": ["a<image>b"], "image": ["X"]})
    laid_out = Interleaving(Letters(), {"image": "<image>"}, ()).lay_out(row)
    assert row.inputs == {"text": ["a<image>b"], "image": ["X"]} and row.places is None
    assert laid_out.inputs == {"text": ["a", "b"], "image": ["X"]}
    assert laid_out.places == {"text": [0, 2], "image": [1]}


def test_it_works_in_data_workers() -> None:
    made = concat({"image": "<image>"}).processors({name: Letters() for name in MODALITIES})["text"]
    again = pickle.loads(pickle.dumps(made))
    row = Example("row", {"text": ["a<image>"], "image": ["X"]})
    assert again.lay_out(row) == made.lay_out(row)


def test_all_that_a_processor_is_asked_for_is_handed_on() -> None:
    asked = {name for name, _ in inspect.getmembers(Processor, inspect.isfunction) if not name.startswith("_")}
    assert asked <= vars(Interleaving).keys()


def test_without_markers_nobody_wraps_the_processors() -> None:
    processors: dict[str, Processor] = {"text": Letters()}
    assert concat().processors(processors) is processors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"markers": {"image": " "}}, "`markers.image` must be a word of the text, not ' '."),
        (
            {"markers": {"text": "<t>"}},
            "`markers` must name modalities whose items stand in the text, not `text` itself.",
        ),
        (
            {"markers": {"image": "<i", "audio": "<i>"}},
            "`markers.image` must be no part of another marker; `<i` is one of `<i>`.",
        ),
    ],
)
def test_markers_that_cannot_be_told_apart_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        ConcatOptions(**options)
    assert str(caught.value) == message


def test_an_order_of_what_is_no_input_is_refused() -> None:
    with pytest.raises(OptionError, match=r"`fusion\.order` names `imag`, which is no input\. Did you mean `image`\?"):
        concat(order=["imag"])
