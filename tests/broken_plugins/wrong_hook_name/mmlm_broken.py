"""A plugin whose hook has a name that there is not."""

import mmlm_core

MMLM_API = 1


@mmlm_core.hookimpl
def mmlm_componentz():
    return []
