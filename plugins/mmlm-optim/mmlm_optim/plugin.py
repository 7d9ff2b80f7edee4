"""What the plugin declares. Imports no torch."""

from __future__ import annotations

from mmlm_core import Component, hookimpl
from mmlm_optim.options import (
    AdamWOptions,
    ConstantOptions,
    CosineOptions,
    LinearOptions,
    MuonOptions,
    SgdOptions,
)

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the optimizers and schedules."""
    return [
        Component("optimizer", "adamw", AdamWOptions, "mmlm_optim.adamw:AdamW"),
        Component("optimizer", "muon", MuonOptions, "mmlm_optim.muon:Muon"),
        Component("optimizer", "sgd", SgdOptions, "mmlm_optim.sgd:Sgd"),
        Component("schedule", "cosine", CosineOptions, "mmlm_optim.cosine:Cosine"),
        Component("schedule", "linear", LinearOptions, "mmlm_optim.linear:Linear"),
        Component("schedule", "constant", ConstantOptions, "mmlm_optim.constant:Constant"),
    ]
