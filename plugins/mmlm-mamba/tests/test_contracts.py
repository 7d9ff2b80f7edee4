from mmlm_core.testing import contracts

globals().update(contracts("mmlm_mamba.plugin"))
