"""What the plugin declares. Imports no torch."""

from __future__ import annotations

from mmlm_core import Component, Need, Traits, hookimpl
from mmlm_fusion.options import (
    ConcatOptions,
    CrossAttentionOptions,
    LateOptions,
    LinearOptions,
    MlpOptions,
    PerceiverOptions,
    PixelShuffleOptions,
    PoolOptions,
)

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the fusions and projections."""
    attends = Traits(
        provides=frozenset({"between"}), needs=(Need("encoder", because="attends to the inputs", unread=True),)
    )
    separates = Traits(
        provides=frozenset({"apart"}),
        needs=(
            Need(
                "encoder",
                because="keeps every input apart, so that what the head does not read reaches nothing",
                unread=True,
                absent=True,
            ),
        ),
    )
    keeps = Traits(provides=frozenset({"positions"}))
    return [
        Component("fusion", "concat", ConcatOptions, "mmlm_fusion.concat:Concat"),
        Component(
            "fusion",
            "cross_attention",
            CrossAttentionOptions,
            "mmlm_fusion.cross_attention:CrossAttention",
            traits=attends,
            tiny={"heads": 2},
        ),
        Component("fusion", "late", LateOptions, "mmlm_fusion.late:Late", traits=separates),
        Component("projection", "linear", LinearOptions, "mmlm_fusion.linear:Linear", traits=keeps),
        Component("projection", "mlp", MlpOptions, "mmlm_fusion.mlp:Mlp", traits=keeps),
        Component(
            "projection",
            "perceiver",
            PerceiverOptions,
            "mmlm_fusion.perceiver:Perceiver",
            tiny={"positions": 2, "depth": 1, "heads": 2},
        ),
        Component("projection", "pixel_shuffle", PixelShuffleOptions, "mmlm_fusion.pixel_shuffle:PixelShuffle"),
        Component("projection", "pool", PoolOptions, "mmlm_fusion.pool:Pool"),
    ]
