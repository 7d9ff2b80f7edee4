"""What this plugin gives. Imports neither torch nor pyarrow."""

from __future__ import annotations

from mmlm_core import Component, Traits, hookimpl
from mmlm_data.options import SUFFIXES, TableOptions, columns_of

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the components."""
    return [
        Component(
            kind="data",
            name="table",
            options=TableOptions,
            target="mmlm_data.table:TableSource",
            traits=_table_traits,
            suffixes=SUFFIXES,
        )
    ]


def _table_traits(options: TableOptions) -> Traits:
    provides = {f"input:{modality}" for modality, columns in columns_of(options.inputs).items() if columns}
    return Traits(provides=frozenset(provides | ({"target"} if options.target else set())))
