"""A plugin whose hook has forgotten the brackets."""

import mmlm_core

MMLM_API = 1


@mmlm_core.hookimpl
def mmlm_config_packages():
    return "mmlm_broken.conf"
