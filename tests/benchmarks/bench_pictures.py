"""C8: a JPEG file to 224 pixels, by the processors of pictures, against PIL alone: opened, converted, resized, a tensor.

A small one of 640 x 480, and a large one of 4000 x 3000 as a camera makes it. A model of timm wants pixels as its own
transform makes them (resized to 256, and the middle cut out), for which a small picture has no smaller scale; so it is
compared with that transform too.
"""

import io

import numpy as np
import torch
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from mmlm_image.options import AugmentOptions, TimmOptions
from mmlm_image.processor import PictureProcessor
from mmlm_image.timm import Timm
from tests.benchmarks.common import line, ratio, seconds

SIZE, TIMES = 224, 5


def photograph(width: int, height: int) -> bytes:
    """Return a JPEG file with slow and fast changes."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((width, height))) + random.normal(0, 3, (height, width, 3))
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def plain(content: bytes) -> torch.Tensor:
    picture = Image.open(io.BytesIO(content)).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).contiguous()


def main() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)
    ours = PictureProcessor((SIZE, SIZE), AugmentOptions(enabled=False))
    encoder = Timm(TimmOptions(model="resnet18", size=SIZE))
    timms, config = encoder.processor(), resolve_data_config({"img_size": SIZE}, model=encoder.model)
    transform = create_transform(**config)

    def own(content: bytes) -> torch.Tensor:
        return transform(Image.open(io.BytesIO(content)).convert("RGB"))

    for told, shape, goal in (("640 x 480", (640, 480), "1.3"), ("4000 x 3000", (4000, 3000), "5")):
        content = photograph(*shape)
        for name, processor in (("`cnn` and `vit`", ours), ("`timm`", timms)):
            pair = [lambda work=work: seconds(lambda: [work(content) for _ in range(TIMES)])  # noqa: B023
                    for work in (processor.process, plain)]  # fmt: skip
            line(f"a JPEG of {told} to {SIZE}, {name} over PIL alone", ratio(*pair), goal)
        pair = [lambda work=work: seconds(lambda: [work(content) for _ in range(TIMES)])  # noqa: B023
                for work in (timms.process, own)]  # fmt: skip
        line(f"a JPEG of {told} to {SIZE}, `timm` over timm's own transform", ratio(*pair), goal)


if __name__ == "__main__":
    main()
