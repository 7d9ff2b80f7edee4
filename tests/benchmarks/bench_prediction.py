"""`mmlm predict` on one picture: the time of the first caption, less that of a bare `import torch`, as whole processes."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.common import seconds

TRAIN = [
    "train", "experiment=emoji_captioning", "data.limit=64", "trainer.max_minutes=null", "trainer.max_steps=2",
    "tracker.wandb=off", "trainer.progress=false", "run.name=bench",
]  # fmt: skip


def main(runs: int = 5) -> None:
    from PIL import Image

    command = str(Path(sys.executable).with_name("mmlm"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([command, *TRAIN, f"run.folder={folder}"], check=True, capture_output=True)
        picture = Path(folder, "cat.png")
        Image.new("RGB", (64, 64), "orange").save(picture)
        caption = [command, "predict", f"{folder}/bench", str(picture)]
        torch = [sys.executable, "-c", "import torch"]
        gaps = []
        for _ in range(runs):
            ours = seconds(lambda: subprocess.run(caption, check=True, capture_output=True))
            gaps.append(ours - seconds(lambda: subprocess.run(torch, check=True, capture_output=True)))
    print(
        f"the first caption after `import torch`: {statistics.median(gaps):.2f} s ({min(gaps):.2f} to {max(gaps):.2f}; goal 1.5 s)"
    )


if __name__ == "__main__":
    main()
