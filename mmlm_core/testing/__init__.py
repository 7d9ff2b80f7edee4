"""For plugin authors: the contracts that a component must keep, as tests; and combinations of components."""

from mmlm_core.testing.contracts import contracts

__all__ = ["contracts"]
