"""A configuration that could run code is refused."""

from typing import Any

import pytest

from mmlm_core.errors import RunError
from mmlm_core.safety import refuse_unsafe


@pytest.mark.parametrize(
    ("mapping", "path", "value"),
    [
        ({"backbone": {"_target_": "os.system"}}, "backbone._target_", "os.system"),
        ({"data": {"inputs": [{"image": "${oc.env:HOME}"}]}}, "data.inputs[0].image", "${oc.env:HOME}"),
    ],
)
def test_a_configuration_that_could_run_code_is_refused(mapping: dict[str, Any], path: str, value: str) -> None:
    with pytest.raises(RunError) as refused:
        refuse_unsafe(mapping, "runs/x/config.yaml")
    assert str(refused.value) == (
        f"`{path}` of runs/x/config.yaml is `{value}`: a run's configuration holds plain values only, "
        "so that loading it runs no code."
    )


def test_a_target_is_refused_whatever_it_holds() -> None:
    with pytest.raises(RunError, match=r"`head\._target_` of `x` is"):
        refuse_unsafe({"head": {"_target_": ["os.system"]}}, "`x`")
