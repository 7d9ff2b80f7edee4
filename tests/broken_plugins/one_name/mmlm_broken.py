"""A plugin that gives a name which another one gives too."""

from dataclasses import dataclass

import mmlm_core

MMLM_API = 1


@dataclass
class Options:
    """One of two."""


@mmlm_core.hookimpl
def mmlm_components():
    return [
        mmlm_core.Component("fusion", "disputed", Options, "nowhere:Disputed"),
        mmlm_core.Component("fusion", "undisputed", Options, "nowhere:Undisputed"),
    ]
