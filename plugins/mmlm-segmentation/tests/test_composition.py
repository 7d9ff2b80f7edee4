"""Every encoder that keeps places, and every fusion, make a segmentation with a text."""

import io

import numpy as np
import pytest
from PIL import Image

from mmlm_core.compat import misfits
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor
from mmlm_core.preparation import prepare
from mmlm_core.types import Example
from mmlm_segmentation.masks import load_mask

REGISTRY = load_plugins().registry
IMAGES = {
    "cnn": {"size": 32, "channels": [8, 16], "width": 16},
    "vit": {"size": 32, "patch": 8, "width": 16, "depth": 1, "heads": 2},
    "timm": {"model": "test_resnet", "size": 64},
}
BACKBONE = {"width": 16, "depth": 1, "heads": 2}


def composed(image="cnn", fusion="concat", projection="linear", task="named", backbone=None):
    """A small model; with a text where the task has one."""
    texts = {"text": {"name": "embedding"}} if task == "named" else {}
    return Composition.from_mapping(
        REGISTRY,
        {
            "data": {"name": "emoji_scenes", "task": task, "size": 32, "limit": 4},
            "tokenizer": {"name": "word"},
            "encoder": {"image": {"name": image, **IMAGES[image]}, **texts},
            "projection": {"image": {"name": projection}, **{name: {"name": "linear"} for name in texts}},
            "fusion": {"name": fusion},
            "backbone": backbone or {"name": "transformer", **BACKBONE},
            "head": {"name": "segmentation"},
            "optimizer": {"name": "adamw"},
            "schedule": {"name": "constant"},
        },
    )


PARTS = [
    *({"image": image} for image in IMAGES),
    *({"fusion": fusion} for fusion in REGISTRY.names("fusion")),
    {"projection": "pixel_shuffle"},
    {"task": "groups"},
    {"task": "groups", "backbone": {"name": "none", "width": 16}},
    {"backbone": {"name": "gru", "width": 16}},
]


@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_what_fits_learns_and_predicts_masks_of_the_pictures_size(parts):
    composition = composed(**parts)
    if misfits(composition, REGISTRY):
        assert parts == {"fusion": "late"}  # the text would reach nothing
        return
    prepared = prepare(composition)
    model, rows = prepared.model.train(), list(prepared.source.read("train"))
    batch = collate_examples(rows, model.processors(), model.head.target_processor())
    model.loss(batch).mean.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20, 50, 3), np.uint8)).save(buffer, "PNG")
    texts = {"text": rows[0].inputs["text"]} if "text" in rows[0].inputs else {}
    blind = [Example("wide", {"image": [buffer.getvalue()], **texts}), *(Example(row.key, row.inputs) for row in rows)]
    told = list(Predictor(composition, model).predict(blind))
    assert [load_mask(each["prediction"]).shape for each in told] == [(20, 50), *[(32, 32)] * len(rows)]


@pytest.mark.parametrize("projection", ["perceiver", "pool"])
def test_a_projection_that_loses_the_places_is_refused(projection):
    told = misfits(composed(projection=projection), REGISTRY)
    assert ["reads the places of a picture, down and across" in misfit.reason for misfit in told] == [True]
