"""What the plugin declares. Imports no torch."""

from __future__ import annotations

from mmlm_core import Component, Need, Traits, hookimpl
from mmlm_fusion.options import (
    BottleneckOptions,
    ConcatOptions,
    CrossAttentionOptions,
    FilmOptions,
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
    keeps = Traits(provides=frozenset({"positions"}))
    return [
        Component(
            "fusion",
            "bottleneck",
            BottleneckOptions,
            "mmlm_fusion.bottleneck:Bottleneck",
            traits=_between("lets the inputs exchange"),
            tiny={"tokens": 2, "heads": 2},
        ),
        Component("fusion", "concat", ConcatOptions, "mmlm_fusion.concat:Concat", traits=_concat_traits),
        Component(
            "fusion",
            "cross_attention",
            CrossAttentionOptions,
            "mmlm_fusion.cross_attention:CrossAttention",
            traits=_between("attends to the inputs"),
            tiny={"heads": 2},
        ),
        Component("fusion", "film", FilmOptions, "mmlm_fusion.film:Film", traits=_between("modulates by the inputs")),
        Component("fusion", "late", LateOptions, "mmlm_fusion.late:Late", traits=_late_traits),
        Component("projection", "linear", LinearOptions, "mmlm_fusion.linear:Linear", traits=keeps),
        Component("projection", "mlp", MlpOptions, "mmlm_fusion.mlp:Mlp", traits=keeps),
        Component(
            "projection",
            "perceiver",
            PerceiverOptions,
            "mmlm_fusion.perceiver:Perceiver",
            tiny={"positions": 2, "depth": 1, "heads": 2},
        ),
        Component(
            "projection",
            "pixel_shuffle",
            PixelShuffleOptions,
            "mmlm_fusion.pixel_shuffle:PixelShuffle",
            traits=Traits(provides=frozenset({"grid"})),
        ),
        Component("projection", "pool", PoolOptions, "mmlm_fusion.pool:Pool"),
    ]


def _between(because: str) -> Traits:
    """Return the traits of a fusion that takes inputs out of the sequence, to act on it between the layers."""
    return Traits(provides=frozenset({"between"}), needs=(Need("encoder", because=because, unread=True),))


def _concat_traits(options: ConcatOptions) -> Traits:
    marked = [
        Need(f"encoder/{name}", because=f"puts {'the text' if name == 'text' else f'`{name}`'} where markers say")
        for name in (*options.markers, *(["text"] if options.markers else []))
    ]
    return Traits(needs=tuple(marked))


def _late_traits(options: LateOptions) -> Traits:
    if options.average:
        many = "averages what the head's queries read of each input"
        whole = "averages whole readings, and a text is written token after token"
        return Traits(
            provides=frozenset({"apart"}),
            needs=(
                Need("encoder", because=many),
                Need("head", has=frozenset({"queries"}), because=many),
                Need("head", has=frozenset({"generates"}), because=whole, absent=True),
            ),
        )
    apart = "keeps every input apart, so that what the head does not read reaches nothing"
    return Traits(provides=frozenset({"apart"}), needs=(Need("encoder", because=apart, unread=True, absent=True),))
