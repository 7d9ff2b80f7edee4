"""Freezing: what `trainer.freeze` names stays as it is, statistics included, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.errors import OptionError
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.testing.contracts.common import pictures
from mmlm_core.types import Example

REGISTRY = load_plugins().registry


def composed(*frozen: str, encoder: dict[str, Any] | None = None) -> Composition:
    mapping = {
        "data": {"name": "table", "path": "t.csv", "inputs": {"image": "i"}, "target": "label"},
        "encoder": {"image": encoder or {"name": "cnn", "size": 16, "channels": [4, 8, 8], "width": 8}},
        "projection": {"image": {"name": "linear"}},
        "fusion": {"name": "concat"},
        "backbone": {"name": "gru", "width": 8},
        "head": {"name": "classification"},
        "optimizer": {"name": "adamw", "lr": 0.1},
        "schedule": {"name": "constant"},
        "trainer": {"freeze": list(frozen)},
    }
    return Composition.from_mapping(REGISTRY, mapping)


def built(composition: Composition) -> Model:
    head = composition["head"]
    return build(composition, facts=head.component.load().facts(head.options, ["a", "b"]))


def trained(*frozen: str, encoder: dict[str, Any] | None = None) -> tuple[Model, set[str], torch.optim.Optimizer]:
    """Return a model after a step of training, and the names of what changed in it."""
    composition = composed(*frozen, encoder=encoder)
    model = built(composition)
    rows = [Example(str(n), {"image": [picture]}, "ab"[n % 2]) for n, picture in enumerate(pictures())]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = composition["optimizer"].make().build(model)
    model.train()
    model.loss(collate_examples(rows, model.processors(), model.head.target_processor())).mean.backward()
    optimizer.step()
    return model, {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}, optimizer


def test_without_a_name_everything_is_trained() -> None:
    model, changed, _ = trained()
    assert changed == set(model.state_dict())


def test_a_frozen_part_keeps_its_weights_and_its_statistics_and_has_no_optimizer_state() -> None:
    model, changed, optimizer = trained("encoder/image")
    assert changed == {name for name in model.state_dict() if not name.startswith("encoders.image.")}
    theirs = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert theirs.isdisjoint(id(parameter) for parameter in model.encoders["image"].parameters())


def test_a_frozen_part_stays_in_evaluation_mode() -> None:
    model, _, _ = trained("encoder/image")
    for _ in range(2):
        assert model.training and not any(module.training for module in model.encoders["image"].modules())
        model.eval().train()


def test_a_frozen_recurrent_layer_is_in_training_mode_where_both_are_the_same() -> None:
    """cuDNN has no way back through it in evaluation mode, and what lies before it is trained."""
    model, changed, _ = trained("backbone")
    assert not model.backbone.training and not model.backbone.dropout.training
    assert all(layer.training and not layer.dropout for layer in model.backbone.layers)
    assert {name for name in changed if name.startswith("encoders.image.")}
    assert not any(layer.training for layer in model.eval().backbone.layers)


def test_a_module_in_a_part_can_be_frozen_alone() -> None:
    _, changed, _ = trained("encoder/image.project")
    assert {"encoders.image.project.weight", "encoders.image.project.bias"}.isdisjoint(changed)
    assert "encoders.image.position" in changed


@pytest.mark.parametrize(
    ("encoder", "still"),
    [
        ({"name": "cnn", "size": 16, "channels": [4, 8, 8], "width": 8}, ("stem.", "blocks.0.", "blocks.1.")),
        ({"name": "cnn", "size": 16, "channels": [4, 8, 8], "width": 8, "depth": 2}, ("stem.", *(f"blocks.{n}." for n in range(3)))),
        ({"name": "vit", "size": 16, "width": 8, "depth": 3, "heads": 2}, ("patches.", "position", "layers.0.")),
        ({"name": "timm", "model": "test_resnet", "size": 64}, ("model.conv1.", "model.bn1.", "model.layer1.")),
        ({"name": "timm", "model": "test_vit", "size": 64}, ("model.patch_embed.", "model.cls_token", "model.pos_embed", "model.blocks.0.")),
    ],
)  # fmt: skip
def test_the_first_stages_of_an_encoder_stay_as_they_are(encoder: dict[str, Any], still: tuple[str, ...]) -> None:
    model, changed, _ = trained("encoder/image:2", encoder=encoder)
    inside = {name.removeprefix("encoders.image.") for name in model.state_dict() if name.startswith("encoders.image.")}
    moved = {name.removeprefix("encoders.image.") for name in changed}
    kept = {name for name in inside if name.startswith(still)}
    assert kept and not kept & moved
    assert {name for name in inside - kept if "num_batches" not in name} & moved


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "encoder/imag",
            "`trainer.freeze` names `encoder/imag`, and this model has no part `encoder/imag`. Did you mean "
            "`encoder/image`? Choices: `backbone`, `encoder/image`, `fusion`, `head`, `projection/image`.",
        ),
        (
            "encoder/image.block",
            "`trainer.freeze` names `encoder/image.block`, and `encoder/image` has no module `block`. Did you mean "
            "`blocks`? Choices: `blocks`, `dropout`, `project`, `stem`.",
        ),
        (
            "encoder/image:9",
            "`trainer.freeze` must name from 1 to 3 stages of `encoder/image`, as `encoder/image:1`, not "
            "`encoder/image:9`.",
        ),
        (
            "backbone:1",
            "`trainer.freeze` names `backbone:1`, and `backbone` has no stages: freeze it whole, or a module in it, as "
            "`backbone.layers`.",
        ),
    ],
)
def test_what_the_model_does_not_have_is_told(name: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        built(composed(name))
    assert str(caught.value) == message
