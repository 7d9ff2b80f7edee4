"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """The tokens' vectors, to each of which a convolution over its neighbours is added."""

    kernel: int = 3
    """Tokens that the convolution sees at once; odd, so that a token has as many on either side."""
    max_tokens: int = 512
    """Tokens of a text that are read; what follows is cut off."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "kernel", 1)
        check_range(self, "max_tokens", 1)
        if self.kernel % 2 == 0:
            raise OptionError(f"`kernel` must be odd, not {self.kernel}.")


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSEncoder",
            traits=Traits(provides=frozenset({"sequence", "tokens"}), uses_tokenizer=True),
            tiny={"max_tokens": 16},
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
