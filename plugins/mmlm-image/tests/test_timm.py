"""`timm` equals timm."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config

from mmlm_core.errors import DataError, OptionError, UnknownChoiceError
from mmlm_core.interfaces import Encoder
from mmlm_image.options import AugmentOptions, ImageFeatures, TimmOptions
from mmlm_image.timm import Timm

CNN, VIT, NHWC, WIDE = "test_resnet", "test_vit", "test_mambaout", "mobilenetv3_small_050"
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))


def saved(name: str, path: Path, seed: int = 0) -> torch.nn.Module:
    """A model of timm with its classifier, random, its batch statistics too; its weights are saved to a file."""
    torch.manual_seed(seed)
    model = timm.create_model(name)
    for key, buffer in model.named_buffers():
        if key.endswith("running_mean"):
            buffer.normal_(std=0.1)
        if key.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    if path.suffix == ".safetensors":
        save_file(model.state_dict(), path)
    else:
        torch.save({"state_dict": model.state_dict()}, path)
    return model.eval()


def batch(encoder: Timm) -> dict[str, torch.Tensor]:
    processor = encoder.processor()
    return processor.collate([processor.process(PICTURE)], None)


def begun(options: TimmOptions) -> Timm:
    """Return the encoder as a training begins with it: with its pretrained weights."""
    encoder = Timm(options)
    encoder.initialise()
    return encoder


def fault(error: type[Exception], **options: object) -> str:
    with pytest.raises(error) as caught:
        begun(TimmOptions(**options))
    return str(caught.value)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
@pytest.mark.parametrize("name", [CNN, VIT, NHWC, WIDE])
def test_the_same_weights_and_the_same_picture_give_what_timm_gives(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / f"weights.{ending}"
    theirs = saved(name, path)
    pixels = create_transform(**resolve_data_config({}, model=theirs))(PICTURE).unsqueeze(0)
    with torch.no_grad():
        expected = theirs.forward_features(pixels)
        pooled = theirs.forward_head(expected, pre_logits=True)
    if name == VIT:
        tokens, expected, grid = expected, expected[:, 1:], (10, 10)
    else:
        if name != NHWC:
            expected = expected.permute(0, 2, 3, 1)
        grid = tuple(expected.shape[1:3])
        tokens = expected = expected.flatten(1, 2)
    wanted = {ImageFeatures.grid: expected, ImageFeatures.tokens: tokens, ImageFeatures.pooled: pooled.unsqueeze(1)}
    for features, values in wanted.items():
        ours = begun(TimmOptions(model=name, weights=str(path), features=features)).eval()
        with torch.no_grad():
            got = ours(batch(ours))
        torch.testing.assert_close(got.values, values, atol=1e-4, rtol=1e-4)
        assert ours.width == values.shape[-1]
        flat = features is ImageFeatures.pooled or (name == VIT and features is ImageFeatures.tokens)
        assert got.grid == (None if flat else grid)


def test_the_pixels_are_those_of_timms_own_transform() -> None:
    encoder = Timm(TimmOptions(model=WIDE))
    config = resolve_data_config({}, model=timm.create_model(WIDE))
    expected = create_transform(**config)(PICTURE)
    processed = encoder.processor().process(PICTURE)["pixels"]
    assert processed.dtype == torch.uint8
    torch.testing.assert_close(batch(encoder)["pixels"][0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("features", list(ImageFeatures))
@pytest.mark.parametrize("name", [CNN, VIT, NHWC, WIDE])
def test_gradients_reach_every_parameter_that_asks_for_one(name: str, features: ImageFeatures) -> None:
    torch.manual_seed(0)
    encoder = Timm(TimmOptions(model=name, features=features))
    encoder({"pixels": torch.randn(2, 3, *encoder.processor().size)}).values.square().sum().backward()
    asking = [(key, parameter) for key, parameter in encoder.named_parameters() if parameter.requires_grad]
    assert [key for key, parameter in asking if parameter.grad is None] == []
    spare = {key for key, parameter in encoder.named_parameters() if not parameter.requires_grad}
    behind = {"conv_head", "head", "norm_head"}  # layers behind the last map
    assert all(key.split(".")[1] in behind for key in spare)
    assert not (spare and features is ImageFeatures.pooled)


def test_a_run_needs_no_file_of_weights_to_be_loaded() -> None:
    encoder = Timm(TimmOptions(model=CNN, size=64, weights="gone.safetensors"))  # what `build` makes of a run
    assert isinstance(encoder, Encoder)


def test_what_was_taken_is_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    saved(CNN, path)
    encoder = Timm(TimmOptions(model=CNN, weights=str(path)))
    assert encoder.initialise() == f"encoder/image: {CNN} with the weights of {path}"
    assert Timm(TimmOptions(model=CNN)).initialise() == ""


@pytest.mark.parametrize("name", [CNN, VIT, NHWC, WIDE])
def test_each_parameter_stands_in_one_stage(name: str) -> None:
    encoder = Timm(TimmOptions(model=name))
    staged = [part for stage in encoder.stages() for part in stage if isinstance(part, torch.nn.Parameter)]
    assert len(staged) == len({id(part) for part in staged})
    assert {id(part) for part in staged} == {id(parameter) for parameter in encoder.parameters()}


def test_one_picture_trains_though_the_last_map_is_a_single_place() -> None:
    encoder = Timm(TimmOptions(model=CNN, size=32))
    features = encoder({"pixels": torch.randn(1, 3, 32, 32)})
    assert features.values.shape == (1, 1, 96) and features.grid == (1, 1)
    features.values.sum().backward()


@pytest.mark.parametrize("name", [CNN, VIT])
def test_items_are_encoded_apart_from_each_other(name: str) -> None:
    encoder = Timm(TimmOptions(model=name, size=64)).eval()
    pixels = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        alone = torch.cat([encoder({"pixels": pixels[i : i + 1]}).values for i in range(3)])
        torch.testing.assert_close(encoder({"pixels": pixels}).values, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "grid"), [(CNN, (2, 2)), (VIT, (4, 4))])
def test_the_size_can_be_chosen(name: str, grid: tuple[int, int]) -> None:
    encoder = Timm(TimmOptions(model=name, size=64))
    assert batch(encoder)["pixels"].shape == (1, 3, 64, 64)
    assert encoder.grid == grid


def test_positions_are_resized_with_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    theirs = saved(VIT, path)
    encoder = begun(TimmOptions(model=VIT, size=80, weights=str(path)))
    assert encoder.model.pos_embed.shape[1] == 25 + theirs.pos_embed.shape[1] - 100
    assert torch.equal(encoder.model.blocks[0].attn.qkv.weight, theirs.blocks[0].attn.qkv.weight)


def test_a_run_of_one_size_is_loaded_at_another_as_timm_resizes_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    saved(VIT, path)
    small, whole = Timm(TimmOptions(model=VIT, size=80)), begun(TimmOptions(model=VIT, weights=str(path)))
    small.load_state_dict(whole.state_dict())
    expected = begun(TimmOptions(model=VIT, size=80, weights=str(path)))
    torch.testing.assert_close(small.model.pos_embed, expected.model.pos_embed)


def test_the_processor_pickles() -> None:
    processor = Timm(TimmOptions(model=CNN)).processor()
    copy = pickle.loads(pickle.dumps(processor))
    assert torch.equal(copy.process(PICTURE)["pixels"], processor.process(PICTURE)["pixels"])


def test_pictures_are_augmented_only_when_asked() -> None:
    plain, changed = (Timm(TimmOptions(model=CNN, size=64, augment=AugmentOptions(enabled=enabled))).processor()
                      for enabled in (False, True))  # fmt: skip
    assert not TimmOptions().augment.enabled
    items = [plain.process(PICTURE)]
    kept = plain.collate(items, None)["pixels"]
    assert torch.equal(plain.collate(items, torch.Generator().manual_seed(0))["pixels"], kept)
    assert not torch.allclose(changed.collate(items, torch.Generator().manual_seed(0))["pixels"], kept)


# Wrong options


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    assert fault(UnknownChoiceError, model="mobilenetv3_smal_050") == (
        f"`mobilenetv3_smal_050` is no choice of `model`: timm {timm.__version__} has no model of that name. "
        "Did you mean `mobilenetv3_small_050`?"
    )


def test_unknown_weights_of_a_known_model_are_answered_with_the_choices() -> None:
    assert fault(UnknownChoiceError, model="test_vit.r160_in1") == (
        f"`test_vit.r160_in1` is no choice of `model`: timm {timm.__version__} has no weights `r160_in1` of "
        "`test_vit`. Did you mean `test_vit.r160_in1k`? Choices: `test_vit.r160_in1k`."
    )


def test_pretrained_weights_without_a_network_say_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", unreachable)
    assert fault(DataError, model=CNN, pretrained=True) == (
        "The pretrained weights of `test_resnet` cannot be fetched from timm/test_resnet.r160_in1k: no route to host. "
        "Without a network, give a file that was fetched before: `weights=model.safetensors`."
    )


def test_a_model_without_pretrained_weights_is_refused_as_pretrained() -> None:
    name = next(name for name in timm.list_models("vit_*") if not timm.list_models(f"{name}.*", pretrained=True))
    assert fault(OptionError, model=name, pretrained=True) == (
        f"`pretrained` must be false for `{name}`: timm has no weights of it. `weights` reads them from a file."
    )


def test_weights_come_from_one_place() -> None:
    with pytest.raises(OptionError, match=r"^`pretrained` must be false where `weights` names a file"):
        TimmOptions(pretrained=True, weights="model.pth")


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "gone.pth")
    assert fault(DataError, model=CNN, weights=path) == f"`weights` must be a file, but there is none at `{path}`."


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_that_holds_no_weights_is_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(b"no weights at all")
    assert fault(DataError, model=CNN, weights=str(path)).startswith(f"`{path}` cannot be read as weights: ")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": Path("anything")}, path)
    assert "cannot be read as weights" in fault(DataError, model=CNN, weights=str(path))


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    saved(VIT, path)
    message = fault(DataError, model=CNN, weights=str(path))
    assert message.startswith(f"`{path}` holds no weights of `test_resnet`: ")
    assert "missing, such as `conv1.0.weight`" in message or "missing, such as `conv1.weight`" in message


def test_a_size_that_does_not_fit_is_named() -> None:
    assert fault(OptionError, model=VIT, size=50).startswith("`size` must fit `test_vit`, which 50 does not: ")


def test_a_model_without_a_single_map_is_refused_as_a_grid() -> None:
    assert fault(OptionError, model="crossvit_9_240") == (
        "`features` must be `pooled` for `crossvit_9_240`, which has no single map or sequence, not `grid`."
    )


def photograph() -> bytes:
    """A large JPEG with slow and fast changes and with edges."""
    random = np.random.default_rng(1)
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize((800, 600))
    pixels = np.asarray(coarse) + random.normal(0, 12, (600, 800, 3))
    pixels[:, ::61] = 0
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def test_a_draft_is_nearly_the_same_picture_at_the_same_place_and_can_be_switched_off() -> None:
    content = photograph()
    whole, draft = (
        Timm(TimmOptions(model=CNN, size=64, draft=on)).processor().process(content) for on in (False, True)
    )
    wanted = create_transform(
        **{**resolve_data_config({"img_size": 64}, model=timm.create_model(CNN)), "normalize": False}
    )
    assert torch.equal(whole["pixels"], wanted(Image.open(io.BytesIO(content))))
    difference = (whole["pixels"].float() - draft["pixels"].float()).abs()
    assert 0 < difference.mean() < 1 and difference.max() < 16
    assert all(torch.equal(whole[name], draft[name]) for name in ("placement", "extent", "frame"))


def test_a_jpeg_that_is_not_twice_as_large_is_decoded_whole() -> None:
    stream = io.BytesIO()
    PICTURE.save(stream, "JPEG")
    whole, draft = (
        Timm(TimmOptions(model=CNN, size=64, draft=on)).processor().process(stream.getvalue()) for on in (False, True)
    )
    assert torch.equal(whole["pixels"], draft["pixels"])
