"""The other plugin, of another distribution."""

from dataclasses import dataclass

import mmlm_core

MMLM_API = 1


@dataclass
class Options:
    """The other of two."""


@mmlm_core.hookimpl
def mmlm_components():
    return [mmlm_core.Component("fusion", "disputed", Options, "elsewhere:Disputed")]
