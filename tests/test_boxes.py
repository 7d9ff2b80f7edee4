"""What is told of a composed model's boxes."""

from dataclasses import dataclass, field
from typing import Any

from mmlm_core.boxes import changed


@dataclass
class Inner:
    flip: bool = False
    hue: float = 0.5


@dataclass
class Options:
    width: int = 8
    inputs: dict[str, Any] = field(default_factory=dict)
    augment: Inner = field(default_factory=Inner)


def test_options_that_differ_from_their_defaults_are_told_as_the_command_line_takes_them() -> None:
    assert changed(Options()) == ""
    options = Options(width=9, inputs={"image": "path"}, augment=Inner(flip=True))
    assert changed(options) == "width=9 inputs.image=path augment.flip=True"
