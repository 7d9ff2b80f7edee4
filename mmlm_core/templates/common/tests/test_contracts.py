"""What every component of its kind keeps."""

from mmlm_core.testing import contracts

globals().update(contracts("NEWPACKAGE.plugin"))
