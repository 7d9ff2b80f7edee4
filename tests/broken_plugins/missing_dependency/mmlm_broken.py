"""A plugin that needs a package which is not installed."""

import a_package_that_is_not_installed  # noqa: F401

MMLM_API = 1
