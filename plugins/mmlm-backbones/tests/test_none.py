import pytest
import torch

from mmlm_backbones.none import NoBackbone
from mmlm_backbones.options import NoneOptions
from mmlm_core import compat
from mmlm_core.composition import Choice, Composition
from mmlm_core.plugins import load_plugins
from mmlm_core.types import Features

REGISTRY = load_plugins().registry


def fits(**chosen):
    """Return the misfits of `backbone=none` with parts, which are named with `_` for `/`."""
    slots = {"data": "table", "backbone": "none", "optimizer": "adamw", "schedule": "constant", "tokenizer": "char"}
    slots |= {slot.replace("_", "/", 1): name for slot, name in chosen.items()}
    choices = {}
    for slot, name in slots.items():
        kind = "projection" if slot.startswith("projection/") else slot
        component = REGISTRY.get(kind, name)
        values = {"path": "x.csv", "inputs": {"text": "t", "image": "i"}, "target": "y"} if slot == "data" else {}
        if (kind, name) == ("head", "classification"):
            values = {"pooling": type(component.options().pooling)("mean")}
        choices[slot] = Choice(slot, component, component.options(**values))
    return [misfit.reason for misfit in compat.misfits(Composition(choices), REGISTRY)]


TEXT = {"encoder_text": "embedding", "projection_text": "linear"}
IMAGE = {"encoder_image": "cnn", "projection_image": "linear"}


def test_what_comes_in_goes_out_and_nothing_is_called():
    values = torch.arange(12.0).view(1, 3, 4)

    def between(layer, hidden):
        raise AssertionError("there is no layer")

    assert NoBackbone(NoneOptions(width=4), causal=False)(Features(values), between) is values


def test_pooled_inputs_are_classified_without_a_backbone():
    assert fits(**TEXT, fusion="concat", head="classification") == []
    assert fits(**TEXT, **IMAGE, fusion="late", head="classification") == []


def test_a_tagger_reads_its_encoder():
    assert fits(**TEXT, fusion="concat", head="tagging") == []


@pytest.mark.parametrize("head", ["captioning", "language_modeling"])
def test_a_head_that_writes_is_refused_with_the_reason(head):
    assert ("`backbone=none` lets no position read another: it goes with no `head` that provides `generates` or "
            "`queries`.") in fits(**TEXT, fusion="concat", head=head)  # fmt: skip


def test_a_fusion_between_layers_is_refused_with_the_reason():
    assert fits(**TEXT, **IMAGE, fusion="cross_attention", head="tagging")[0] == (
        "`backbone=none` has no layers to act between: it goes with no `fusion` that provides `between`."
    )


def test_an_input_that_nothing_reads_is_refused_with_the_reason():
    assert fits(**TEXT, **IMAGE, fusion="concat", head="tagging") == [
        "`backbone=none` lets no position read another: it goes with no `encoder` of an input that the head does not "
        "read itself, and `head=tagging` reads `text`."
    ]
