"""A plugin for an API that this mmlm does not have."""

MMLM_API = 2
