"""What this machine cannot do is told before anything slow begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmlm_core import machine
from mmlm_core.errors import MmlmError
from mmlm_core.readiness import ACCELERATORS, SHARDED, STRATEGIES, check_machine
from mmlm_core.settings import Precision, RunOptions, Settings, TrainerOptions

MOST = max(machine.cores(), 2)


def refusal(folder: Path, **options: object) -> str:
    with pytest.raises(MmlmError) as refused:
        check_machine(Settings(trainer=TrainerOptions(**options), run=RunOptions(folder=str(folder))))  # type: ignore[arg-type]
    return str(refused.value)


def test_the_names_are_those_that_lightning_knows() -> None:
    from lightning.pytorch.accelerators import AcceleratorRegistry
    from lightning.pytorch.strategies import StrategyRegistry

    known = {name for name in StrategyRegistry.available_strategies() if not name.startswith(SHARDED)}
    assert known == {*STRATEGIES} - {"auto"}
    assert set(AcceleratorRegistry.available_accelerators()) == {*ACCELERATORS} - {"auto", "gpu"}


def test_an_unknown_strategy_names_the_nearest(tmp_path: Path) -> None:
    assert refusal(tmp_path, strategy="dpp").startswith(
        "`trainer.strategy=dpp` is no strategy of Lightning. Did you mean `ddp`? Choices: `auto`, `ddp`, `ddp_find_"
    )


@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed_stage_2"])
def test_a_strategy_that_cuts_the_model_into_pieces_is_refused(strategy: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, strategy=strategy) == (
        f"`trainer.strategy={strategy}` cuts the model into pieces, which the saved weights and "
        "their average would be too: train with `auto` or `ddp`."
    )


def test_an_unknown_accelerator_names_the_choices(tmp_path: Path) -> None:
    assert refusal(tmp_path, accelerator="warp") == (
        "`trainer.accelerator=warp` is no accelerator of Lightning. Choices: `auto`, `cpu`, `cuda`, `gpu`, `mps`, `tpu`."
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, accelerator="cuda") == (
        "`trainer.accelerator=cuda` needs a GPU, and torch finds none here (`mmlm doctor` says more): train with "
        "`trainer.accelerator=cpu`."
    )


def test_half_precision_is_not_silently_another_one_on_a_cpu(tmp_path: Path) -> None:
    assert refusal(tmp_path, precision=Precision.FP16, accelerator="cpu") == (
        "`trainer.precision=fp16` needs a GPU; a CPU computes in `fp32`, or in `bf16` where it can."
    )


def test_more_processes_than_cores_are_refused_but_two(tmp_path: Path) -> None:
    told = refusal(tmp_path, devices=MOST + 1, accelerator="cpu")
    assert told.startswith(f"`trainer.devices={MOST + 1}` must be at most {MOST}: they are processes of a CPU")
    check_machine(
        Settings(trainer=TrainerOptions(devices=MOST, accelerator="cpu"), run=RunOptions(folder=str(tmp_path)))
    )


def test_more_gpus_than_there_are_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert refusal(tmp_path, devices=3, accelerator="gpu") == (
        "`trainer.devices=3` must be at most 2, the GPUs of this machine."
    )


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file" / "runs", accelerator="warp").startswith("2 things are wrong:\n- `trainer.acc")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "file" / "runs"
    (tmp_path / "file").write_text("")
    assert refusal(folder) == (
        f"`run.folder={folder}` cannot hold runs: Not a directory. Name a folder that can be written."
    )


def test_trying_the_folder_leaves_nothing(tmp_path: Path) -> None:
    check_machine(Settings(run=RunOptions(folder=str(tmp_path / "a" / "b"))))
    assert list(tmp_path.iterdir()) == []


def test_what_needs_no_torch_is_told_without_it(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom mmlm_core.errors import MmlmError\nfrom mmlm_core.readiness import check_machine\n"
        "from mmlm_core.settings import *\n"
        f"check_machine(Settings(run=RunOptions(folder={str(tmp_path)!r})))\n"
        "try:\n    check_machine(Settings(trainer=TrainerOptions(strategy='xx', accelerator='cpu', devices=9999)))\n"
        "except MmlmError:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
