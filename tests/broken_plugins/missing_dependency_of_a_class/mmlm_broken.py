"""A plugin that can be declared; its class needs a package which is not installed."""

from dataclasses import dataclass

import mmlm_core

MMLM_API = 1


@dataclass
class Options:
    """One that cannot be built."""


@mmlm_core.hookimpl
def mmlm_components():
    return [mmlm_core.Component("fusion", "unbuildable", Options, "mmlm_broken_class:Unbuildable")]
