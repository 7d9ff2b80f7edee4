"""The light commands with 40 further plugins of 5 components each, beside the same commands without them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.common import ratio, seconds
from tests.cli.many_plugins import write_plugins

COMMANDS = {
    "mmlm --help": ["--help"],
    "mmlm components": ["components"],
    "mmlm train --help": ["train", "--help"],
    "mmlm train --cfg job": ["train", "experiment=emoji_captioning", "--cfg", "job"],
}


def main(rounds: int = 7) -> None:
    command = str(Path(sys.executable).with_name("mmlm"))

    def took(words: list[str], path: str) -> float:
        environment = {**os.environ, "PYTHONPATH": path}
        return seconds(lambda: subprocess.run([command, *words], check=True, capture_output=True, env=environment))

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as empty:
        count = len(write_plugins(Path(folder)))
        for name, words in COMMANDS.items():
            took(words, folder)  # compile the modules
            median, low, high = ratio(
                lambda words=words: took(words, empty), lambda words=words: took(words, folder), rounds
            )
            alone = took(words, empty)
            print(f"{name:24} with {count} further components {median:.2f} x as long  ({low:.2f} to {high:.2f}; goal at "
                  f"most 2; alone {alone:.3f} s)", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
