"""C6, with a frozen encoder: a training whose features are kept, from its second epoch on, against one without.

A captioner over a frozen ResNet-18 of timm (weights drawn at random) at 224 pixels, and the decoder of C6; photographs of
640 x 480 as JPEG files. Both keep prepared rows in memory, so that the one without decodes its pictures only once, too.
"""

import os
import tempfile
from pathlib import Path

import torch
from PIL import Image

from tests.benchmarks.common import line, ratio
from tests.benchmarks.trainings import seconds_a_step

ROWS, BATCH, EPOCHS = 64, 16, 3


def table(folder: Path) -> list[str]:
    """Write pictures and their captions, and return the overrides that train on them."""
    lines = ["picture,caption"]
    for number in range(ROWS):
        Image.effect_noise((640, 480), 50 + number).convert("RGB").save(folder / f"{number}.jpg", quality=90)
        lines.append(f"{number}.jpg,a picture of the noise number {number} and nothing else in it")
    (folder / "rows.csv").write_text("\n".join(lines))
    return [
        "data=table", f"data.path={folder / 'rows.csv'}", "data.inputs.image=picture", "data.target=caption",
        "data.validation_fraction=0", "data.test_fraction=0", "tokenizer=word", "encoder/image=timm",
        "encoder.image.model=resnet18", "fusion=cross_attention", "backbone=transformer", "backbone.width=256",
        "backbone.depth=4", "backbone.heads=4", "head=captioning", f"loader.batch_size={BATCH}", "trainer.threads=1",
        "trainer.freeze=[encoder/image]", f"trainer.max_epochs={EPOCHS}", "trainer.precision=fp32",
    ]  # fmt: skip


def main() -> None:
    """Print the ratio."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = name
        overrides, steps = table(Path(name)), ROWS // BATCH

        def measured(*more: str) -> float:
            return seconds_a_step([*overrides, *more], EPOCHS * steps, skip=steps)

        figures = ratio(measured, lambda: measured("loader.features=off"), rounds=3)
        line("a step over a frozen ResNet-18, features kept against computed", figures, "at least 6")
        size = sum(path.stat().st_size for path in Path(name).rglob("*.data"))
        print(f"{'kept for each picture':64} {size / ROWS / 1024:5.0f} KiB")


if __name__ == "__main__":
    main()
