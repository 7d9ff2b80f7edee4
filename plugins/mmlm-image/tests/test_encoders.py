"""`cnn` and `vit`."""

import pickle

import pytest
import torch
from torch import nn

from mmlm_core.errors import OptionError
from mmlm_core.interfaces import Encoder
from mmlm_image.cnn import Cnn
from mmlm_image.options import AugmentOptions, CnnOptions, ImageFeatures, PatchOptions, VitOptions
from mmlm_image.patch import Patch
from mmlm_image.vit import Vit

SMALL = {
    "cnn": lambda **more: Cnn(CnnOptions(size=16, channels=[4, 8, 8], width=12, depth=1, **more)),
    "cnn_deep": lambda **more: Cnn(CnnOptions(size=16, channels=[4, 8, 8], width=12, depth=2, **more)),
    "cnn_strided": lambda **more: Cnn(CnnOptions(size=16, channels=[4, 8], stride=2, width=12, **more)),
    "cnn_plain": lambda **more: Cnn(CnnOptions(size=16, channels=[4, 8, 8], width=12, depth=0, **more)),
    "patch": lambda **more: Patch(PatchOptions(size=16, patch=4, width=12, **more)),
    "vit": lambda **more: Vit(VitOptions(size=16, patch=4, width=12, depth=2, heads=2, **more)),
}
each = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)


def pixels(count: int, size: int = 16) -> dict[str, torch.Tensor]:
    return {"pixels": torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))}


@each
def test_the_grid_covers_the_positions(make: type) -> None:
    features = make()(pixels(3))
    assert features.values.shape == (3, 16, 12)
    assert features.grid == (4, 4)
    assert features.mask is None
    assert make().width == 12


def test_the_defaults_give_the_grids_that_the_options_promise() -> None:
    cnn, vit = Cnn(CnnOptions()), Vit(VitOptions())
    assert cnn(pixels(1, 32)).grid == (4, 4) and cnn(pixels(1, 32)).values.shape == (1, 16, cnn.width)
    assert vit(pixels(1, 32)).grid == (8, 8) and vit(pixels(1, 32)).values.shape == (1, 64, vit.width)


def test_the_default_cnn_is_small() -> None:
    assert 0.3e6 < sum(parameter.numel() for parameter in Cnn(CnnOptions()).parameters()) < 1.1e6


def test_positions_stand_row_by_row() -> None:
    torch.manual_seed(0)
    cnn = Cnn(CnnOptions(size=16, channels=[4, 8], width=8, depth=1)).eval()
    plain, changed = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    changed[..., 0:2, 14:16] = 5.0  # the upper right corner
    with torch.no_grad():
        difference = (cnn({"pixels": changed}).values - cnn({"pixels": plain}).values).abs().sum(-1).view(8, 8)
    row, column = divmod(int(difference.argmax()), 8)
    assert row < 3 and column > 4


@each
@pytest.mark.parametrize("count", [1, 3])
def test_gradients_reach_every_parameter(make: type, count: int) -> None:
    torch.manual_seed(0)
    encoder = make(dropout=0.0)
    values = encoder(pixels(count)).values
    (values * torch.randn_like(values)).sum().backward()
    lacking = [name for name, parameter in encoder.named_parameters()
               if parameter.grad is None or not parameter.grad.isfinite().all()]  # fmt: skip
    assert lacking == []
    if count > 1:
        assert all(parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())


@each
def test_items_are_encoded_apart_from_each_other(make: type) -> None:
    torch.manual_seed(0)
    encoder = make()
    encoder(pixels(8))  # moves the batch statistics
    encoder.eval()
    batch = pixels(3)["pixels"]
    with torch.no_grad():
        together = encoder({"pixels": batch}).values
        alone = torch.cat([encoder({"pixels": batch[i : i + 1]}).values for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@each
def test_evaluation_is_the_same_with_and_without_gradients(make: type) -> None:
    torch.manual_seed(0)
    encoder = make().eval()
    with torch.no_grad():
        without = encoder(pixels(2)).values
    torch.testing.assert_close(encoder(pixels(2)).values, without, atol=1e-5, rtol=1e-5)


@each
def test_the_memory_layout_of_the_pixels_changes_nothing(make: type) -> None:
    torch.manual_seed(0)
    encoder, batch = make().eval(), pixels(2)["pixels"]
    last = batch.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(encoder({"pixels": batch}).values, encoder({"pixels": last}).values)


@each
def test_dropout_acts_in_training_only(make: type) -> None:
    torch.manual_seed(0)
    encoder = make(dropout=0.5)
    assert not torch.equal(encoder(pixels(2)).values, encoder(pixels(2)).values)
    encoder.eval()
    assert torch.equal(encoder(pixels(2)).values, encoder(pixels(2)).values)


@each
def test_saved_weights_give_the_same_features(make: type) -> None:
    torch.manual_seed(0)
    first, second = make().eval(), make().eval()
    assert not torch.allclose(first(pixels(2)).values, second(pixels(2)).values)
    assert all(tensor.is_contiguous() for tensor in first.state_dict().values())  # safetensors takes no other
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(first(pixels(2)).values, second(pixels(2)).values)


@each
def test_the_processor_pickles_and_fits_the_encoder(make: type) -> None:
    encoder: Encoder = make()
    processor = pickle.loads(pickle.dumps(encoder.processor()))
    items = processor.collate([processor.blank(), processor.blank()], torch.Generator().manual_seed(0))
    assert encoder(items).values.shape[0] == 2


def test_cnn_augments_as_its_options_say() -> None:
    augment = AugmentOptions(rotation=45.0)
    assert Cnn(CnnOptions(augment=augment)).processor().augment is augment
    assert Vit(VitOptions(augment=augment)).processor().augment is augment


def test_a_cnn_without_a_second_stage_keeps_the_size() -> None:
    assert Cnn(CnnOptions(size=4, channels=[4], width=8))(pixels(2, 4)).grid == (4, 4)


def test_vit_equals_patches_positions_and_a_layer_of_torch() -> None:
    torch.manual_seed(0)
    vit = Vit(VitOptions(size=8, patch=4, width=8, depth=1, heads=2, dropout=0.0)).eval()
    layer = vit.layers[0]
    torchs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True).eval()
    norm, inner, _, outer = layer.feed_forward
    pairs = [(torchs.norm1, layer.attention_norm), (torchs.self_attn.out_proj, layer.attention_out),
             (torchs.norm2, norm), (torchs.linear1, inner), (torchs.linear2, outer)]  # fmt: skip
    for theirs, ours in pairs:
        theirs.load_state_dict(ours.state_dict())
    torchs.self_attn.in_proj_weight.data = layer.qkv.weight.data
    torchs.self_attn.in_proj_bias.data = layer.qkv.bias.data
    batch = pixels(2, 8)["pixels"]
    patches = torch.stack([batch[:, :, r : r + 4, c : c + 4].flatten(1) for r in (0, 4) for c in (0, 4)], dim=1)
    hidden = patches @ vit.patches.weight.flatten(1).T + vit.patches.bias + vit.position
    torch.testing.assert_close(vit({"pixels": batch}).values, vit.norm(torchs(hidden)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (CnnOptions, {"size": 30}, "`size` must be a multiple of 8 and at least 16, since 4 stages of "
         "`channels` and a `stride` of 1 divide it by 8, not 30."),
        (CnnOptions, {"size": 8}, "`size` must be a multiple of 8 and at least 16, since 4 stages of "
         "`channels` and a `stride` of 1 divide it by 8, not 8."),
        (CnnOptions, {"channels": []}, "`channels` must have at least one stage, each at least 1, not []."),
        (CnnOptions, {"depth": -1}, "`depth` must be at least 0, not -1."),
        (CnnOptions, {"dropout": 1.0}, "`dropout` must be from 0 to 0.95, not 1.0."),
        (VitOptions, {"patch": 5}, "`size` must be a multiple of `patch` (5), not 32."),
        (VitOptions, {"heads": 5}, "`width` must be a multiple of `heads` (5), not 128."),
        (VitOptions, {"patch": 0}, "`patch` must be at least 1, not 0."),
        (AugmentOptions, {"shift": -0.1}, "`shift` must be from 0 to 1, not -0.1."),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(options: type, given: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        options(**given)
    assert str(caught.value) == message


def test_a_patch_is_the_linear_map_of_its_pixels() -> None:
    encoder = Patch(PatchOptions(size=8, patch=4, width=6, positions=False, dropout=0.0))
    given = pixels(2, 8)
    cut = given["pixels"].view(2, 3, 2, 4, 2, 4).permute(0, 2, 4, 1, 3, 5).reshape(2, 4, 48)
    expected = cut @ encoder.map.weight.view(6, 48).T + encoder.map.bias
    torch.testing.assert_close(encoder(given).values, expected)


def test_patches_know_their_places_only_with_positions() -> None:
    for positions in (True, False):
        values = Patch(PatchOptions(size=8, patch=4, width=6, positions=positions, dropout=0.0))(
            {"pixels": torch.ones(1, 3, 8, 8)}
        )
        same = torch.allclose(values.values[:, :1], values.values)
        assert same is not positions


def test_a_vit_gives_a_grid_a_sequence_or_a_mean() -> None:
    made = {}
    for features in ImageFeatures:
        torch.manual_seed(0)
        made[features] = SMALL["vit"](features=features).eval()(pixels(2))
    grid, tokens, pooled = (
        made[features] for features in (ImageFeatures.grid, ImageFeatures.tokens, ImageFeatures.pooled)
    )
    assert (grid.grid, tokens.grid, pooled.grid) == ((4, 4), None, None)
    assert torch.equal(grid.values, tokens.values)
    torch.testing.assert_close(pooled.values, grid.values.mean(1, keepdim=True))


LARGER = {
    "cnn": lambda size: Cnn(CnnOptions(size=size, channels=[4, 8, 8], width=12)),
    "patch": lambda size: Patch(PatchOptions(size=size, patch=4, width=12)),
    "vit": lambda size: Vit(VitOptions(size=size, patch=4, width=12, depth=1, heads=2)),
}


@pytest.mark.parametrize("make", LARGER.values(), ids=LARGER)
def test_weights_of_one_size_serve_at_another_with_interpolated_positions(make: type) -> None:
    small, large = make(16), make(32)
    with torch.no_grad():  # a slope down and one across, which any interpolation continues
        rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
        small.position[0, :, 0], small.position[0, :, 1] = rows.flatten(), columns.flatten()
    large.load_state_dict(small.state_dict())
    middle = large.position[0, :, :2].view(8, 8, 2)[2:6, 2:6]
    steps = torch.tensor([0.75, 1.25, 1.75, 2.25])  # the centres of the finer grid
    torch.testing.assert_close(middle[..., 0], steps[:, None].expand(4, 4), atol=0.05, rtol=0)
    torch.testing.assert_close(middle[..., 1], steps.expand(4, 4), atol=0.05, rtol=0)
    again = make(16)
    again.load_state_dict(small.state_dict())
    assert torch.equal(again.position, small.position)
