"""What the plugin declares."""

import subprocess
import sys
from itertools import pairwise

import pytest
from omegaconf import OmegaConf

from mmlm_core.registry import Component
from mmlm_image.options import ImageFeatures, TimmOptions, VitOptions
from mmlm_image.plugin import MMLM_API, mmlm_components, traits_of

COMPONENTS: list[Component] = list(mmlm_components())
each = pytest.mark.parametrize("component", COMPONENTS, ids=[component.name for component in COMPONENTS])


def test_declaring_imports_neither_torch_nor_timm_nor_pillow() -> None:
    code = ("import sys; from mmlm_image.plugin import mmlm_components as c; c(); "
            "sys.exit(any(m in sys.modules for m in ('torch', 'timm', 'PIL')))")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_gives_four_image_encoders() -> None:
    assert MMLM_API == 1
    assert [(component.kind, component.name) for component in COMPONENTS] == [
        ("encoder/image", "cnn"), ("encoder/image", "patch"), ("encoder/image", "vit"), ("encoder/image", "timm")]  # fmt: skip


@each
def test_options_go_through_yaml_and_back(component: Component) -> None:
    node = OmegaConf.structured(component.options)
    merged = OmegaConf.merge(node, OmegaConf.create(OmegaConf.to_yaml(node)), dict(component.tiny))
    assert OmegaConf.to_object(merged) == component.options(**component.tiny)


@each
def test_every_option_has_a_doc_below_it(component: Component) -> None:
    import ast
    import inspect

    body = ast.parse(inspect.getsource(component.options)).body[0].body  # type: ignore[attr-defined]
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(below, ast.Expr), field.target


@each
def test_tiny_options_build_and_train_on_one_picture(component: Component) -> None:
    options = component.options(**component.tiny)
    encoder = component.load()(options)
    processor = encoder.processor()
    features = encoder(processor.collate([processor.blank()], None))
    assert features.values.shape[0] == 1 and features.values.shape[2] == encoder.width
    assert ("grid" in component.traits_for(options).provides) == (features.grid is not None)
    features.values.sum().backward()


def test_what_timm_and_vit_provide_follows_its_features() -> None:
    for options in (TimmOptions, VitOptions):
        assert traits_of(options()).provides == {"sequence", "grid"}
        assert traits_of(options(features=ImageFeatures.tokens)).provides == {"sequence"}
        assert traits_of(options(features=ImageFeatures.pooled)).provides == {"pooled"}
