"""The shared processor: fitting, collating, augmenting."""

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as reference

from mmlm_core.errors import DataError
from mmlm_image.augment import colour, motion, move
from mmlm_image.options import AugmentOptions
from mmlm_image.processor import PictureProcessor

STILL = AugmentOptions(rotation=0, scale=0, shift=0, brightness=0, contrast=0, saturation=0, hue=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4, size: int = 8) -> list[dict[str, Tensor]]:
    made = torch.randint(0, 256, (count, 3, size, size), generator=generator(9), dtype=torch.uint8)
    return [{"pixels": pixels} for pixels in made]


def only(**strengths: object) -> AugmentOptions:
    """No change but these."""
    return replace(STILL, **strengths)  # type: ignore[arg-type]


def test_a_picture_of_the_right_size_keeps_its_bytes() -> None:
    array = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    pixels = PictureProcessor((8, 8), STILL).process(stream.getvalue())["pixels"]
    assert pixels.dtype == torch.uint8
    assert np.array_equal(pixels.numpy(), array.transpose(2, 0, 1))


def test_the_whole_of_a_wide_picture_stands_on_white() -> None:
    pixels = PictureProcessor((8, 8), STILL).process(Image.new("RGB", (40, 20), (0, 0, 0)))["pixels"]
    expected = torch.full((3, 8, 8), 255, dtype=torch.uint8)
    expected[:, 2:6] = 0
    assert torch.equal(pixels, expected)


def test_even_a_line_keeps_a_pixel() -> None:
    pixels = PictureProcessor((8, 8), STILL).process(Image.new("RGB", (1000, 1), (0, 0, 0)))["pixels"]
    assert (pixels == 0).sum() == 3 * 8


def test_a_smaller_picture_is_made_larger() -> None:
    pixels = PictureProcessor((8, 8), STILL).process(Image.new("RGB", (2, 2), (0, 0, 0)))["pixels"]
    assert (pixels == 0).all()


def test_making_a_picture_small_filters_against_aliasing() -> None:
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    pixels = PictureProcessor((8, 8), STILL).process(board)["pixels"].float()
    assert (pixels - 127.5).abs().max() < 10


def test_processing_is_the_same_each_time() -> None:
    processor = PictureProcessor((8, 8), AugmentOptions())
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8))
    assert torch.equal(processor.process(picture)["pixels"], processor.process(picture)["pixels"])


def test_what_is_no_picture_gives_the_one_error() -> None:
    with pytest.raises(DataError, match=r"^a picture given as bytes cannot be read as a picture: "):
        PictureProcessor((8, 8), STILL).process(b"no picture")


def test_pixels_from_0_to_255_become_values_from_minus_1_to_1() -> None:
    items = [{"pixels": torch.full((3, 2, 2), value, dtype=torch.uint8)} for value in (0, 51, 255)]
    values = PictureProcessor((2, 2), STILL).collate(items, None)["pixels"]
    assert values.shape == (3, 3, 2, 2) and values.dtype == torch.float32
    torch.testing.assert_close(values[:, 0, 0, 0], torch.tensor([-1.0, -0.6, 1.0]))


def test_mean_and_standard_deviation_are_each_channels_own() -> None:
    processor = PictureProcessor((1, 1), STILL, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    values = processor.collate([processor.blank()], None)["pixels"]
    assert values.flatten().tolist() == [1.0, 1.0, 0.0]


def test_a_blank_is_white() -> None:
    processor = PictureProcessor((4, 6), AugmentOptions())
    assert processor.blank()["pixels"].shape == (3, 4, 6)
    assert (processor.collate([processor.blank()], None)["pixels"] == 1).all()


def test_one_seed_gives_one_augmentation_and_another_seed_another() -> None:
    processor = PictureProcessor((8, 8), AugmentOptions())
    first, again, other = (processor.collate(pictures(), generator(seed))["pixels"] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_augmentation_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    PictureProcessor((8, 8), AugmentOptions()).collate(pictures(), generator())
    assert torch.equal(before, torch.random.get_rng_state())


def test_without_a_generator_nothing_is_augmented() -> None:
    plain = PictureProcessor((8, 8), AugmentOptions(enabled=False)).collate(pictures(), generator())["pixels"]
    assert torch.equal(PictureProcessor((8, 8), AugmentOptions()).collate(pictures(), None)["pixels"], plain)
    assert torch.equal(PictureProcessor((8, 8), STILL).collate(pictures(), generator())["pixels"], plain)


def test_collating_leaves_its_items_alone() -> None:
    items = pictures()
    PictureProcessor((8, 8), AugmentOptions()).collate(items, generator())
    assert all(torch.equal(item["pixels"], kept["pixels"]) for item, kept in zip(items, pictures(), strict=True))


def test_pictures_of_a_batch_change_differently() -> None:
    same = pictures(1) * 4
    values = PictureProcessor((8, 8), AugmentOptions()).collate(same, generator())["pixels"]
    assert all(not torch.allclose(values[0], values[i]) for i in range(1, 4))


def test_white_stays_white_wherever_it_is_moved() -> None:
    strong = only(rotation=180, scale=2.0, shift=0.5, flip=True)
    processor = PictureProcessor((16, 16), strong)
    values = processor.collate([processor.blank()] * 8, generator())["pixels"]
    assert (values == 1).all()


def test_what_comes_into_view_is_white() -> None:
    processor = PictureProcessor((16, 16), only(shift=0.5))
    black = {"pixels": torch.zeros(3, 16, 16, dtype=torch.uint8)}
    values = processor.collate([black] * 16, generator())["pixels"]
    assert values.min() < -0.99 and values.max() == 1


def test_no_movement_moves_nothing() -> None:
    ink = torch.rand(2, 3, 8, 8, generator=generator())
    torch.testing.assert_close(move(ink, motion(2, STILL, generator())), ink, atol=1e-5, rtol=0)


@pytest.mark.parametrize("strengths", [{"rotation": 40.0}, {"scale": 0.5}, {"shift": 0.3}])
def test_a_movement_equals_torchvisions(strengths: dict[str, float]) -> None:
    ink = torch.rand(3, 3, 17, 17, generator=generator(1))
    moved = move(ink, motion(3, only(**strengths), generator(5)))
    turn, size, right, down, _ = (torch.rand(5, 3, generator=generator(5)) * 2 - 1).double()
    for i in range(3):
        angle = float(turn[i]) * strengths.get("rotation", 0.0)
        scale = (1 + strengths.get("scale", 0.0)) ** float(size[i])
        offset = [-float(amount[i]) * strengths.get("shift", 0.0) * 17 for amount in (right, down)]
        theirs = reference.affine(
            ink[i : i + 1], angle, offset, scale, [0.0, 0.0], interpolation=reference.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(moved[i : i + 1], theirs, atol=1e-4, rtol=0)


def test_flip_mirrors_some_pictures_and_leaves_the_others() -> None:
    ink = torch.rand(1, 3, 8, 8, generator=generator(1)).expand(16, -1, -1, -1)
    moved = move(ink, motion(16, only(flip=True), generator()))
    mirrored = [torch.allclose(picture, ink[0].flip(-1), atol=1e-5) for picture in moved]
    same = [torch.allclose(picture, ink[0], atol=1e-5) for picture in moved]
    assert any(mirrored) and any(same)
    assert all(a != b for a, b in zip(mirrored, same, strict=True))


def test_nothing_is_mirrored_by_default() -> None:
    assert not AugmentOptions().flip


def test_hue_brightness_and_contrast_keep_gray_gray() -> None:
    gray = torch.rand(4, 1, 3, 3, generator=generator()).expand(-1, 3, -1, -1)
    changed = colour(gray, only(brightness=0.3, contrast=0.3, saturation=0.3, hue=90), generator())
    torch.testing.assert_close(changed[:, 0], changed[:, 1])
    torch.testing.assert_close(changed[:, 0], changed[:, 2])


def test_hue_turns_colours_round_the_gray_axis() -> None:
    pixels = torch.rand(3, 3, 2, 2, generator=generator()) * 0.2 + 0.4
    changed = colour(pixels, only(hue=120), generator(7))
    turn = torch.rand(4, 3, generator=generator(7))[0] * 2 - 1
    axis = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / 3**0.5
    rotations = torch.linalg.matrix_exp(axis * (turn * 2 * torch.pi / 3).view(3, 1, 1))
    torch.testing.assert_close(changed, torch.einsum("icd,idhw->ichw", rotations, pixels))
    third = torch.linalg.matrix_exp(axis * 2 * torch.pi / 3)  # red becomes green, green blue, blue red
    torch.testing.assert_close(third, torch.eye(3).roll(1, dims=0), atol=1e-6, rtol=0)


def test_brightness_saturation_and_contrast_follow_their_formulas() -> None:
    pixels = torch.rand(3, 3, 2, 2, generator=generator()) * 0.2 + 0.4
    _, rich, far, light = torch.rand(4, 3, 1, 1, 1, generator=generator(7)) * 2 - 1
    luma = (pixels * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    torch.testing.assert_close(colour(pixels, only(brightness=0.2), generator(7)), pixels * (1 + 0.2 * light))
    torch.testing.assert_close(colour(pixels, only(contrast=0.2), generator(7)), (pixels - 0.5) * (1 + 0.2 * far) + 0.5)
    torch.testing.assert_close(
        colour(pixels, only(saturation=0.2), generator(7)), luma + (pixels - luma) * (1 + 0.2 * rich)
    )


def test_changed_colours_stay_in_range() -> None:
    processor = PictureProcessor((8, 8), AugmentOptions(brightness=1, contrast=1, saturation=1, hue=180))
    values = processor.collate(pictures(16), generator())["pixels"]
    assert values.min() >= -1 and values.max() <= 1


def test_a_pickled_processor_gives_the_same() -> None:
    processor = PictureProcessor((8, 8), AugmentOptions())
    copy = pickle.loads(pickle.dumps(processor))
    assert torch.equal(copy.blank()["pixels"], processor.blank()["pixels"])
    first, second = (p.collate(pictures(), generator())["pixels"] for p in (processor, copy))
    assert torch.equal(first, second)
