import pytest

from mmlm_core import compat
from mmlm_core.composition import Composition
from mmlm_core.plugins import load_plugins

REGISTRY = load_plugins().registry


def misfits(encoders=("image", "text"), **changes):
    names = {"image": "cnn", "text": "transformer"}
    mapping = {
        "data": {"name": "emoji", "inputs": {"image": "picture", "text": "label_en"}},
        "tokenizer": {"name": "word"},
        "encoder": {name: {"name": names[name]} for name in encoders},
        "projection": {name: {"name": "linear"} for name in encoders},
        "fusion": {"name": "late"},
        "backbone": {"name": "none", "width": 64},
        "head": {"name": "contrastive"},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "cosine"},
        **changes,
    }
    return [misfit.reason for misfit in compat.misfits(Composition.from_mapping(REGISTRY, mapping), REGISTRY)]


@pytest.mark.parametrize("backbone", ["none", "gru", "transformer", "cnn"])
def test_clip_fits_together_with_any_backbone(backbone):
    assert misfits(backbone={"name": backbone}) == []


def test_one_modality_is_refused_with_the_reason():
    assert misfits(["image"]) == [
        "`head=contrastive` brings two modalities together: it needs exactly 2 of `encoder` and has 1."
    ]


def test_inputs_that_see_each_other_are_refused_with_the_reason():
    assert misfits(fusion={"name": "concat"}) == [
        "`head=contrastive` compares inputs that have not seen each other: it needs a `fusion` that provides `apart`."
    ]
