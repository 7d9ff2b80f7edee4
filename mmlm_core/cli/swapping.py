"""An experiment's options belong to what it chose: a part or a preset that is named instead keeps its own.

`experiment=emoji_captioning encoder/image=vit` would else set the channels of the experiment's CNN on a ViT, or leave
it a learning rate that was meant for another optimizer; and `experiment=emoji_captioning trainer=gpu` train on a CPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu, Preset
from mmlm_core.settings import Settings

__all__ = ["leave_out", "named_presets", "put_over", "swapped_slots"]


def leave_out(cfg: DictConfig, menu: Menu, overrides: Sequence[Override]) -> list[str]:
    """Take out of a composed configuration what an experiment set on parts that were chosen in place of its own.

    Args:
        cfg: What Hydra composed, its own node included; it is changed.
        menu: The choices.
        overrides: Those of the command line, whose values stay.

    Returns:
        A line for each part, which says what was left out.
    """
    choices, experiments, typed = _asked(cfg, menu, overrides)
    told = []
    for slot in swapped_slots(menu, experiments, choices):
        meant, chosen = _meant(menu, experiments, slot), choices.get(slot, "")
        path = slot.replace("/", ".")
        given = {key for preset in experiments for key in _at(preset.content, path)}
        lost = sorted(key for key in given if not _is_typed(f"{path}.{key}", typed))
        _restore(cfg, path, lost, menu.values(slot, chosen))
        if lost:
            options = ", ".join(f"`{key}`" for key in lost)
            told.append(f"`{slot}={chosen}` keeps its own options: what {_named(experiments)} sets for `{meant}` is "
                        f"left out ({options}).")  # fmt: skip
    return told


def put_over(cfg: DictConfig, menu: Menu, overrides: Sequence[Override]) -> list[str]:
    """Set in a composed configuration what named presets of the settings say, over what an experiment says.

    Args:
        cfg: What Hydra composed, its own node included; it is changed.
        menu: The choices.
        overrides: Those of the command line, whose values stay.

    Returns:
        A line for each preset, which says what of the experiment's it changed.
    """
    choices, experiments, typed = _asked(cfg, menu, overrides)
    told = []
    for group in named_presets(overrides) if experiments else ():
        over = []
        for _, own in menu.layers(group, choices[group]):
            for key, value in own.items():
                if not _is_typed(f"{group}.{key}", typed):
                    over += [key] if any(key in _at(preset.content, group) for preset in experiments) else []
                    OmegaConf.update(cfg, f"{group}.{key}", value)
        if over:
            options = ", ".join(f"`{key}`" for key in dict.fromkeys(over))
            told.append(f"`{group}={choices[group]}` holds over {_named(experiments)} ({options}).")
    return told


def named_presets(overrides: Sequence[Override]) -> list[str]:
    """Return the groups of settings of which the command line names a preset, as `trainer=gpu` does."""
    named = (override.key_or_group for override in overrides)
    return [group for group in dict.fromkeys(named) if group in Settings.groups()]


def swapped_slots(menu: Menu, experiments: Sequence[Preset], choices: Mapping[str, str]) -> list[str]:
    """Return the slots whose choice is another component than an experiment's, or those that it extends, chose."""
    if not experiments:
        return []
    meant = {slot: _meant(menu, experiments, slot) for slot in menu.slots}
    return [
        slot for slot in menu.slots if menu.component(slot, meant[slot]) != menu.component(slot, choices.get(slot, ""))
    ]


def _named(experiments: Sequence[Preset]) -> str:
    """Return what chose the files of an experiment: `experiment=x`, or `experiment=x scale=y`."""
    own = [preset.typed for preset in experiments if preset.group == EXPERIMENT][-1:]
    return f"`{' '.join([*own, *(preset.typed for preset in experiments if preset.group != EXPERIMENT)])}`"


def _asked(
    cfg: DictConfig, menu: Menu, overrides: Sequence[Override]
) -> tuple[dict[str, str], Sequence[Preset], tuple[str, ...]]:
    """Return what was chosen for each group, the experiment and those that it extends, and the paths of `_typed`."""
    choices = {str(group): str(name) for group, name in cfg.hydra.runtime.choices.items()}
    return choices, menu.experiments(choices.get(EXPERIMENT, ""), choices.get(SCALE, "")), _typed(menu, overrides)


def _typed(menu: Menu, overrides: Sequence[Override]) -> tuple[str, ...]:
    """Return the paths whose values the command line gives, each with a dot behind it."""
    keys = (override.key_or_group for override in overrides)
    return tuple(f"{key.replace('/', '.')}." for key in keys if key not in menu.groups)


def _is_typed(path: str, typed: Sequence[str]) -> bool:
    return any(f"{path}.".startswith(kept) or kept.startswith(f"{path}.") for kept in typed)


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
