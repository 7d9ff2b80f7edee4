"""Times of the light commands, as whole processes, beside a bare interpreter; and that none of them imports torch."""

import statistics
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.common import seconds

COMMANDS = {
    "mmlm --help": (["--help"], 0.15),
    "mmlm train --help": (["train", "--help"], 0.3),
    "mmlm components": (["components"], 0.3),
    "mmlm train --cfg job": (["train", "experiment=emoji_captioning", "--cfg", "job"], 0.7),
}


def main(runs: int = 7) -> None:
    command = str(Path(sys.executable).with_name("mmlm"))
    bare = [seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(runs)]
    print(f"{'a bare interpreter':30} {statistics.median(bare):.3f} s")
    for name, (words, goal) in COMMANDS.items():
        times = [
            seconds(lambda words=words: subprocess.run([command, *words], check=True, capture_output=True))
            for _ in range(runs)
        ]
        imported = subprocess.run(
            [sys.executable, "-X", "importtime", command, *words], check=True, capture_output=True, text=True
        ).stderr
        torch = any(row.split("|")[-1].strip() == "torch" for row in imported.splitlines())
        print(
            f"{name:30} {statistics.median(times):.3f} s  (goal {goal} s)  torch imported: {'yes' if torch else 'no'}"
        )


if __name__ == "__main__":
    main()
