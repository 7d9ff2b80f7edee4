"""What the commands do not import: no torch, and for help and lists no Hydra either. Times are not asserted."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "lightning", "wandb", "timm", "transformers", "datasets", "pyarrow", "numpy"}

SCRIPT = """
import sys
from mmlm_core.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "besides"),
    [
        (["--help"], ["hydra", "omegaconf", "rich", "yaml", "argparse"]),
        (["train", "--help"], ["hydra", "omegaconf", "rich"]),
        (["train", "trainer=debug", "--help"], ["hydra", "omegaconf", "rich"]),
        (["components"], ["hydra", "omegaconf", "yaml"]),
        (["plugins"], ["hydra", "omegaconf", "yaml"]),
        (["train", "--cfg", "job"], ["rich"]),
        (["compat"], []),
        (["--complete"], ["hydra", "omegaconf", "rich"]),
    ],
    ids=" ".join,
)
def test_a_command_that_trains_nothing_imports_nothing_heavy(arguments: list[str], besides: list[str]) -> None:
    assert imported(*arguments) & (HEAVY | set(besides)) == set()


def test_the_core_imports_no_hydra() -> None:
    script = ("import sys, mmlm_core, mmlm_core.compat, mmlm_core.plugins, mmlm_core.settings; "
              "print('hydra' in sys.modules, 'omegaconf' in sys.modules, 'torch' in sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False False False\n"
