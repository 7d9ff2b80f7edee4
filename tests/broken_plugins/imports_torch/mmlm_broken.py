"""A plugin that imports torch when it is declared."""

from dataclasses import dataclass

import torch  # noqa: F401

import mmlm_core

MMLM_API = 1


@dataclass
class Options:
    """A slow one."""


@mmlm_core.hookimpl
def mmlm_components():
    return [mmlm_core.Component("fusion", "slow", Options, "mmlm_broken:Slow")]
