"""Which parts of a model stay as they are in training: whole slots, modules in them, or their first stages."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mmlm_core.boxes import parts_of
from mmlm_core.errors import OptionError, did_you_mean, one_of
from mmlm_core.interfaces import Encoder
from mmlm_core.model import Model

__all__ = ["freeze"]

STAGE = ":"
MODULE = "."


def freeze(model: Model, names: Sequence[str]) -> None:
    """Freeze the parts of a model that `trainer.freeze` names.

    Args:
        model: Not yet trained.
        names: Each a slot (`encoder/image`), a module in it (`encoder/text.table`), or a slot with the number of its
            first stages (`encoder/image:2`).

    Raises:
        OptionError: The model has no such part, module or stages.
    """
    model.freeze([part for name in names for part in _named(model, name)])


def _named(model: Model, name: str) -> Sequence[nn.Module | nn.Parameter]:
    modules = parts_of(model)
    slot, stage, count = name.partition(STAGE)
    slot, dot, path = slot.partition(MODULE)
    if slot not in modules:
        raise OptionError(f"`trainer.freeze` names `{name}`, and this model has no part `{slot}`."
                          f"{did_you_mean(slot, modules)}{one_of(list(modules))}")  # fmt: skip
    part = modules[slot]
    if stage:
        return _first(part, slot, "" if dot else count, name)
    if not dot:
        return [part]
    inside = dict(part.named_modules())
    if path not in inside:
        children = [child for child, _ in part.named_children()]
        raise OptionError(f"`trainer.freeze` names `{name}`, and `{slot}` has no module `{path}`."
                          f"{did_you_mean(path, inside)}{one_of(children)}")  # fmt: skip
    return [inside[path]]


def _first(part: nn.Module, slot: str, count: str, name: str) -> Sequence[nn.Module | nn.Parameter]:
    stages = part.stages() if isinstance(part, Encoder) else []
    if not stages:
        child = next(iter(dict(part.named_children())), "NAME")
        raise OptionError(f"`trainer.freeze` names `{name}`, and `{slot}` has no stages: freeze it whole, or a module "
                          f"in it, as `{slot}{MODULE}{child}`.")  # fmt: skip
    if not count.isdecimal() or not 1 <= int(count) <= len(stages):
        raise OptionError(f"`trainer.freeze` must name from 1 to {len(stages)} stages of `{slot}`, as "
                          f"`{slot}{STAGE}1`, not `{name}`.")  # fmt: skip
    return [each for stage in stages[: int(count)] for each in stage]
