"""An experiment's options belong to the parts that it chose: a part that is chosen instead keeps its own.

`experiment=emoji_captioning encoder/image=vit` would else set the channels of the experiment's CNN on a ViT, or leave
it a learning rate that was meant for another optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from mmlm_core.cli.menu import EXPERIMENT, Menu, Preset

__all__ = ["leave_out", "swapped_slots"]


def leave_out(cfg: DictConfig, menu: Menu, overrides: Sequence[Override]) -> list[str]:
    """Take out of a composed configuration what an experiment set on parts that were chosen in place of its own.

    Args:
        cfg: What Hydra composed, its own node included; it is changed.
        menu: The choices.
        overrides: Those of the command line, whose values stay.

    Returns:
        A line for each part, which says what was left out.
    """
    choices = {str(group): str(name) for group, name in cfg.hydra.runtime.choices.items()}
    name = choices.get(EXPERIMENT, "")
    experiments = menu.experiments(name)
    typed = tuple(f"{override.key_or_group.replace('/', '.')}." for override in overrides
                  if override.key_or_group not in menu.groups)  # fmt: skip
    told = []
    for slot in swapped_slots(menu, experiments, choices):
        meant, chosen = _meant(menu, experiments, slot), choices.get(slot, "")
        path = slot.replace("/", ".")
        given = {key for preset in experiments for key in _at(preset.content, path)}
        lost = sorted(key for key in given if not any(f"{path}.{key}.".startswith(kept) or
                                                      kept.startswith(f"{path}.{key}.") for kept in typed))  # fmt: skip
        _restore(cfg, path, lost, menu.values(slot, chosen))
        if lost:
            options = ", ".join(f"`{key}`" for key in lost)
            told.append(f"`{slot}={chosen}` keeps its own options: what `{EXPERIMENT}={name}` sets for `{meant}` is "
                        f"left out ({options}).")  # fmt: skip
    return told


def swapped_slots(menu: Menu, experiments: Sequence[Preset], choices: Mapping[str, str]) -> list[str]:
    """Return the slots whose choice is another component than an experiment's, or those that it extends, chose."""
    if not experiments:
        return []
    meant = {slot: _meant(menu, experiments, slot) for slot in menu.slots}
    return [
        slot for slot in menu.slots if menu.component(slot, meant[slot]) != menu.component(slot, choices.get(slot, ""))
    ]


def _meant(menu: Menu, experiments: Sequence[Preset], slot: str) -> str:
    """Return the choice that the experiment's options of a slot were written for."""
    named = (dict(preset.bases).get(slot) for preset in reversed(experiments))
    return next((name for name in named if name), menu.defaults.get(slot, ""))


def _at(content: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    node: Any = content
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _restore(cfg: DictConfig, path: str, keys: Sequence[str], own: Mapping[str, Any]) -> None:
    """Set options back to the choice's own values; those that it has not, go."""
    node = OmegaConf.select(cfg, path)
    if not isinstance(node, DictConfig):
        return
    with open_dict(node):
        for key in keys:
            if key in own:
                node[key] = own[key]
            else:
                node.pop(key, None)
