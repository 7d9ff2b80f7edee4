"""What the toys declare; torch is not imported here."""

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl

MMLM_API = 1


@dataclass
class ToyOptions:
    """A toy for proving the contracts."""

    fault: str = ""
    """The fault that it has; nothing: it is correct."""


@dataclass
class ToyProjectionOptions(ToyOptions):
    """A toy projection."""

    every: int = 1
    """Of how many positions one is kept."""


@dataclass
class ToyFusionOptions(ToyOptions):
    """A toy fusion."""

    between: bool = False
    """Act between the layers, too."""


def backbone_traits(options: ToyOptions) -> Traits:
    """Return what the toy backbone provides."""
    provides = {"causal", "bidirectional", "cache"} if options.fault != "says_nothing" else {"cache"}
    provides -= {"cache"} if options.fault == "does_not_say_that_it_steps" else set()
    return Traits(provides=frozenset(provides))


def head_traits(options: ToyOptions) -> Traits:
    """Return whose positions the toy head reads."""
    return Traits(reads=frozenset({"image"} if options.fault == "misnames_what_it_reads" else {"text"}))


@hookimpl
def mmlm_components() -> list[Component]:
    """Return a component of each kind."""
    sequence = Traits(provides=frozenset({"sequence"}))
    offsets = Traits(provides=frozenset({"offsets"}))
    data = Traits(provides=frozenset({"input:text", "target"}))
    return [
        Component("tokenizer", "toy", ToyOptions, "mmlm_toys.tokenizer:ToyTokenizer", traits=offsets),
        Component("encoder/text", "toy", ToyOptions, "mmlm_toys.encoder:ToyEncoder", traits=sequence),
        Component("projection", "toy", ToyProjectionOptions, "mmlm_toys.projection:ToyProjection"),
        Component(
            "fusion",
            "toy",
            ToyFusionOptions,
            "mmlm_toys.fusion:ToyFusion",
            traits=Traits(provides=frozenset({"between"})),
        ),
        Component("backbone", "toy", ToyOptions, "mmlm_toys.backbone:ToyBackbone", traits=backbone_traits),
        Component("head", "toy", ToyOptions, "mmlm_toys.head:ToyHead", traits=head_traits),
        Component("data", "toy", ToyOptions, "mmlm_toys.data:ToyData", traits=data),
        Component("optimizer", "toy", ToyOptions, "mmlm_toys.optimizer:ToyOptimizer"),
        Component("schedule", "toy", ToyOptions, "mmlm_toys.schedule:ToySchedule"),
    ]
