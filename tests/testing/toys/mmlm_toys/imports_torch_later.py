"""A plugin that imports torch when it is asked what it provides."""

from mmlm_core import Component, Traits, hookimpl
from mmlm_toys.plugin import ToyOptions

MMLM_API = 1


def traits(options: ToyOptions) -> Traits:
    """Return nothing, slowly."""
    import torch

    return Traits(provides=frozenset({str(torch.float32)}))


@hookimpl
def mmlm_components():
    """Return the toy schedule."""
    return [Component("schedule", "toy", ToyOptions, "mmlm_toys.schedule:ToySchedule", traits=traits)]
