"""A plugin that has forgotten to mark its hook."""

MMLM_API = 1


def mmlm_components():
    return []
