"""What `late` averages, and what compositions with it fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mmlm_core.compat import misfits
from mmlm_core.composition import Composition
from mmlm_core.plugins import load_plugins
from mmlm_core.types import QUERIES, Features
from mmlm_fusion.late import Late
from mmlm_fusion.options import LateOptions

REGISTRY = load_plugins().registry


def late() -> Late:
    options = LateOptions(mark=False, average=True)
    return Late(options, width=1, depth=1, modalities=("image", "text"), reads=(QUERIES,))


def inputs() -> dict[str, Features]:
    """Three rows: the first has an image and a text, the second a text, the third nothing."""
    image = Features(torch.tensor([[[1.0], [2.0]]]).expand(3, -1, -1), torch.tensor([[True] * 2] + [[False] * 2] * 2))
    text = Features(torch.tensor([[[10.0]]]).expand(3, -1, -1), torch.tensor([[True], [True], [False]]))
    return {"image": image, "text": text}


def test_what_the_queries_read_of_each_input_is_averaged_over_those_that_a_row_has() -> None:
    fusion, queries = late(), Features(torch.zeros(3, 1, 1))
    sequences = fusion.join(inputs(), queries)
    assert [list(sequence.segments) for sequence in sequences] == [["image", QUERIES], ["text", QUERIES]]
    read = []
    for sequence, said in zip(sequences, (3.0, 5.0), strict=True):  # a backbone that says 3 of images and 5 of texts
        read.append(sequence.read(torch.full_like(sequence.features.values, said)))
    gathered = fusion.gather(read)
    assert gathered[QUERIES].values.flatten().tolist() == [4.0, 5.0, 4.0]
    assert set(gathered) == {"image", "text", QUERIES}


def test_the_mean_of_what_is_read_is_the_mean_of_the_scores() -> None:
    fusion, score = late(), torch.nn.Linear(1, 4)
    read = [{name: part, QUERIES: Features(torch.randn(3, 1, 1))} for name, part in inputs().items()]
    scores = [score(segments[QUERIES].values) for segments in read]
    torch.testing.assert_close(score(fusion.gather(read)[QUERIES].values)[0], torch.stack(scores).mean(0)[0])


def composed(head: dict[str, Any], **fusion: Any) -> list[str]:
    mapping = {
        "data": {"name": "table", "path": "t.csv", "inputs": {"image": "i", "text": "t"}, "target": "label"},
        "tokenizer": {"name": "byte"},
        "encoder": {"image": {"name": "cnn"}, "text": {"name": "embedding"}},
        "projection": {"image": {"name": "linear"}, "text": {"name": "linear"}},
        "fusion": {"name": "late", **fusion},
        "backbone": {"name": "gru"},
        "head": head,
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }
    return [misfit.reason for misfit in misfits(Composition.from_mapping(REGISTRY, mapping), REGISTRY)]


@pytest.mark.parametrize(
    ("head", "fusion", "fits"),
    [
        ({"name": "classification", "pooling": "mean"}, {}, True),
        ({"name": "classification", "pooling": "query"}, {}, False),
        ({"name": "classification", "pooling": "query"}, {"average": True}, True),
        ({"name": "classification", "pooling": "mean"}, {"average": True}, False),
        ({"name": "captioning"}, {"average": True}, False),
    ],
)
def test_it_averages_for_heads_that_read_by_a_query_and_do_not_write(
    head: dict[str, Any], fusion: dict[str, Any], fits: bool
) -> None:
    assert (composed(head, **fusion) == []) is fits
