"""A plugin that imports what the core does not have."""

from mmlm_core import hook_impl  # noqa: F401

MMLM_API = 1
