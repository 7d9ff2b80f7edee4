"""What a processor says of its geometry is where its pixels come from."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data.config import resolve_data_config

from mmlm_core.geometry import EXTENT, MOTION, PLACEMENT, follow
from mmlm_image.options import AugmentOptions
from mmlm_image.processor import PictureProcessor
from mmlm_image.timm import TimmProcessor

COLOURS = torch.tensor([[200, 30, 30], [30, 200, 30], [30, 30, 200], [230, 230, 40]], dtype=torch.uint8)
SIZES = [(64, 64), (96, 64), (50, 120)]
STRONG = AugmentOptions(rotation=30, scale=0.4, shift=0.2, flip=True, brightness=0, contrast=0, saturation=0, hue=0)


def quarters(width, height):
    """A picture of four colours, and which of them each pixel has."""
    down, across = np.indices((height, width))
    labels = 2 * (down >= height // 3) + (across >= width // 4)
    return Image.fromarray(COLOURS.numpy()[labels]), torch.from_numpy(labels)


def nearest(pixels):
    """The colour that each pixel is nearest to, and whether it is near."""
    values = (pixels + 1) * 127.5
    distances = (values.unsqueeze(1) - COLOURS.float().view(1, 4, 3, 1, 1)).norm(dim=2)
    return distances.argmin(1), distances.amin(1) < 8


def timm_processor(mode):
    config = resolve_data_config({"img_size": 64}, model=timm.create_model("test_resnet"))
    return TimmProcessor({**config, "crop_mode": mode}, STRONG)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["fitted", "center", "squash", "border"])
def test_labels_follow_their_picture(kind, size, moved):
    processor = PictureProcessor((64, 64), STRONG) if kind == "fitted" else timm_processor(kind)
    picture, labels = quarters(*size)
    item = processor.process(picture)
    assert item[EXTENT].tolist() == [size[1], size[0]]
    placed = follow(labels[None], item[PLACEMENT][None], (64, 64), outside=9).expand(8, -1, -1)
    made = processor.collate([item] * 8, torch.Generator().manual_seed(0) if moved else None)
    assert (MOTION in made) is moved
    if moved:
        placed = follow(placed, made[MOTION], (64, 64), outside=9)
    found, clear = nearest(made["pixels"])
    inside = clear & (placed != 9)
    assert inside.float().mean() > 0.25
    assert (found == placed)[inside].float().mean() > 0.995  # a border may lie a pixel off
    assert (clear & (placed == 9)).float().mean() < 0.02  # a row, where timm rounds to whole pixels


def test_a_jpeg_that_is_read_small_still_tells_its_own_size(tmp_path):
    Image.new("RGB", (400, 200), (9, 9, 9)).save(tmp_path / "wide.jpg")
    item = PictureProcessor((32, 32), STRONG).process(str(tmp_path / "wide.jpg"))
    assert item[EXTENT].tolist() == [200, 400]
    assert item[PLACEMENT].tolist() == [[1, 0, 0], [0, 2, 0]]
