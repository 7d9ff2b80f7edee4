"""What Lightning or the machine cannot do is told in our words."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlm_core.errors import OptionError
from mmlm_core.settings import Settings, TrainerOptions
from mmlm_core.training.assembly import make_trainer


@pytest.mark.parametrize("options", [{"accelerator": "warp"}, {"strategy": "zzz"}, {"accelerator": "tpu"}])
def test_an_accelerator_or_strategy_that_is_not_there_is_told(options: dict[str, str], tmp_path: Path) -> None:
    name, value = next(iter(options.items()))
    with pytest.raises(OptionError, match=f"Lightning cannot train with .*`trainer.{name}={value}`"):
        make_trainer(Settings(trainer=TrainerOptions(**options)), tmp_path, [], False)
