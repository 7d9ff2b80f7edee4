"""A plugin whose hook fails."""

import mmlm_core

MMLM_API = 1


@mmlm_core.hookimpl
def mmlm_components():
    raise KeyError("width")
