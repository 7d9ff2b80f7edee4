"""A composed model as boxes: what fills each slot, who gives it, how large it is. For the terminal and the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmlm_core.composition import Composition
from mmlm_core.options import plain
from mmlm_core.plugins import Plugins

if TYPE_CHECKING:
    from torch import nn

    from mmlm_core.interfaces import Tokenizer
    from mmlm_core.model import Model

__all__ = ["Box", "boxes", "changed", "count", "parts_of", "short", "told_rows"]


@dataclass(frozen=True)
class Box:
    """One slot of a composed model.

    Attributes:
        slot: Where it stands: `encoder/image`.
        choice: What fills it: `cnn`.
        giver: The distribution that gives it, with its version.
        size: Its width, depth or vocabulary, in words.
        parameters: Of its own: those that an earlier box has are not counted again.
        changed: The options that differ from their defaults, as `width=64`.
    """

    slot: str
    choice: str
    giver: str
    size: str
    parameters: int
    changed: str


def boxes(composition: Composition, plugins: Plugins, model: Model, tokenizer: Tokenizer | None) -> list[Box]:
    """Return the boxes of a model in the order in which it is read."""
    modules = parts_of(model)
    seen: set[int] = set()
    made = []
    for slot, choice in composition.choices.items():
        component = choice.component
        if slot == "tokenizer" and tokenizer is None:
            continue
        part = modules.get(slot)
        made.append(
            Box(
                slot,
                component.name,
                _giver(plugins, component.kind, component.name),
                _size(slot, part, composition, tokenizer, modules),
                0 if part is None else _own(part, seen),
                changed(choice.options),
            )
        )
    return made


def changed(options: Any) -> str:
    """Return the options that are not at their defaults, as `width=64 inputs.image=path`."""
    return " ".join(_differing(plain(options), plain(type(options)())))


def _differing(now: Mapping[str, Any], default: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in now.items():
        before = default.get(name)
        if isinstance(value, Mapping) and value:
            yield from _differing(value, before if isinstance(before, Mapping) else {}, f"{path}{name}.")
        elif name not in default or value != before:
            yield f"{path}{name}={value}"


def count(model: nn.Module) -> int:
    """Return how many parameters a module has, shared ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def short(number: float) -> str:
    """Return a number of parameters as `12`, `3.4 k`, `1.16 M` or `7.2 B`."""
    for bound, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= bound:
            return f"{number / bound:.3g} {unit}"
    return str(int(number))


def parts_of(model: Model) -> dict[str, nn.Module]:
    """Return the modules of a model by slot, in the order in which it is read."""
    return {
        **{f"encoder/{name}": part for name, part in model.encoders.items()},
        **{f"projection/{name}": part for name, part in model.projections.items()},
        "fusion": model.fusion,
        "backbone": model.backbone,
        "head": model.head,
    }


def told_rows(rows: Mapping[str, int | None]) -> str:
    """Return how many rows the splits have, as `900 train, 100 test`."""
    return ", ".join(f"{split} streamed" if count is None else f"{count:,} {split}" for split, count in rows.items())


def _own(part: nn.Module, seen: set[int]) -> int:
    own = [parameter for parameter in part.parameters() if id(parameter) not in seen]
    seen.update(id(parameter) for parameter in own)
    return sum(parameter.numel() for parameter in own)


def _size(
    slot: str, part: Any, composition: Composition, tokenizer: Tokenizer | None, parts: dict[str, nn.Module]
) -> str:
    if slot == "tokenizer" and tokenizer is not None:
        return f"{tokenizer.vocabulary:,} tokens"
    if slot == "backbone":
        return f"width {part.width}, {part.depth} layer{'' if part.depth == 1 else 's'}"
    if slot.startswith("encoder/"):
        return f"width {part.width}"
    if slot.startswith("projection/"):
        encoder: Any = parts[f"encoder/{slot.partition('/')[2]}"]
        backbone: Any = parts["backbone"]
        return f"{encoder.width} to {backbone.width}"
    return ""


def _giver(plugins: Plugins, kind: str, name: str) -> str:
    giver = plugins.registry.giver(kind, name)
    version = next((plugin.version for plugin in plugins.found if plugin.distribution == giver), "")
    return f"{giver} {version}".strip()
