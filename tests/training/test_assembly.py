"""What Lightning or the machine cannot do is told in our words."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlm_core.errors import OptionError
from mmlm_core.settings import Precision, Settings, TrainerOptions
from mmlm_core.training.assembly import choose_precision, make_trainer


@pytest.mark.parametrize("options", [{"accelerator": "warp"}, {"strategy": "zzz"}, {"accelerator": "tpu"}])
def test_an_accelerator_or_strategy_that_is_not_there_is_told(options: dict[str, str], tmp_path: Path) -> None:
    name, value = next(iter(options.items()))
    with pytest.raises(OptionError, match=f"Lightning cannot train with .*`trainer.{name}={value}`"):
        make_trainer(Settings(trainer=TrainerOptions(**options)), tmp_path, [], False)


@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed_stage_2"])
def test_a_strategy_that_cuts_the_model_into_pieces_is_refused(strategy: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as refused:
        make_trainer(Settings(trainer=TrainerOptions(strategy=strategy)), tmp_path, [], False)
    assert str(refused.value) == (f"`trainer.strategy={strategy}` cuts the model into pieces, which the saved weights and "
                                  "their average would be too: train with `auto` or `ddp`.")  # fmt: skip


def test_half_precision_is_not_silently_another_one_on_a_cpu() -> None:
    with pytest.raises(OptionError, match=r"`trainer\.precision=fp16` needs a GPU"):
        choose_precision(TrainerOptions(precision=Precision.FP16, accelerator="cpu"))
