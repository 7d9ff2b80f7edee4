"""A plugin whose hook asks for what it is not given."""

import mmlm_core

MMLM_API = 1


@mmlm_core.hookimpl
def mmlm_components(registry):
    return []
