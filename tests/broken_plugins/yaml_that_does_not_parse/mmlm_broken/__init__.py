"""A plugin with a YAML file that is none, and one that is."""

import mmlm_core

MMLM_API = 1


@mmlm_core.hookimpl
def mmlm_config_packages():
    return ["mmlm_broken.conf"]
