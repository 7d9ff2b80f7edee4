"""The features of frozen encoders, which are computed once: which encoders, where they are kept, and by which name."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmlm_core.composition import Choice, Composition
from mmlm_core.data.feature_store import FeatureStore, stores, usage
from mmlm_core.data.recalling import DIGEST, KNOWN, MASK, ORDER, PENDING, VALUES, under
from mmlm_core.errors import RunError
from mmlm_core.files import cache_folder, read_json, write_json
from mmlm_core.hookspecs import GROUP
from mmlm_core.interfaces import Encoder
from mmlm_core.model import Model
from mmlm_core.options import plain
from mmlm_core.types import Batch, Features, Items

__all__ = ["FeatureCache"]

FORMAT = 1
"""Changes with what is kept, and how."""

ABOUT = "about.json"


@dataclass
class _Kept:
    """An encoder whose features are kept.

    Attributes:
        encoder: It.
        store: Where.
        about: What it is, for people; and `grid` and `rate` of all its features, once they are known.
    """

    encoder: Encoder
    store: FeatureStore
    about: dict[str, Any] = field(default_factory=dict)


class FeatureCache:
    """Keeps the features of wholly frozen encoders on disk.

    They are kept under a name that follows from all that they depend on: the encoder's weights, its class, its options,
    the source text of its package, the libraries that the package needs, the arithmetic; and in there by the item's
    content.

    Args:
        composition: What the model is made of.
        model: With its weights.
        arithmetic: What else the features depend on: the device, the precision.
    """

    def __init__(self, composition: Composition, model: Model, arithmetic: str) -> None:
        options = composition.settings.loader
        self._kept: dict[str, _Kept] = {}
        self._hints: list[str] = []
        frozen = {name: encoder for name, encoder in model.encoders.items() if model.is_frozen(encoder)}
        if options.features == "off":
            return
        for name, encoder in frozen.items():
            assert isinstance(encoder, Encoder)
            processor, choice = encoder.processor(), composition[f"encoder/{name}"]
            if not processor.content or "tokens" in choice.traits.provides:  # which token each is would not be kept
                continue
            root = cache_folder("features") if options.features == "auto" else Path(options.features)
            about = _about(choice, encoder, arithmetic)
            folder = root / _name(about, encoder)
            store = FeatureStore(folder, int(options.features_gib * 2**30))
            store.open()
            with suppress(RunError):
                about = read_json(folder / ABOUT)
            self._kept[name] = _Kept(encoder, store, about)
            if processor.augments:
                self._hints.append(f"encoder/{name} is frozen, but its training items are augmented, so that they are "
                                   "encoded anew each time")  # fmt: skip

    @property
    def stores(self) -> dict[str, FeatureStore]:
        """The store of each modality whose features are kept."""
        return {name: kept.store for name, kept in self._kept.items()}

    def told(self) -> str:
        """Return a line of each encoder: where its features are kept, and how many are there."""
        lines = []
        for name, kept in self._kept.items():
            own, others = usage(kept.store.folder), stores(kept.store.folder)
            also = f" (beside {len(others)} of other encoders, {_size(sum(map(usage, others)))}, which can be deleted)"
            lines.append(f"features of encoder/{name} are kept in {kept.store.folder}: {len(kept.store):,} known, "
                         f"{_size(own)}{also if others else ''}")  # fmt: skip
        return "\n".join([*lines, *self._hints])

    def complete(self, batch: Batch) -> Batch:
        """Return a batch with the features of its items: those that are known, and those that are computed now."""
        inputs = {
            name: self._completed(self._kept[name], items) if name in self._kept and ORDER in items.tensors else items
            for name, items in batch.inputs.items()
        }
        return replace(batch, inputs=inputs)

    def _completed(self, kept: _Kept, items: Items) -> Items:
        tensors = items.tensors
        known, pending = under(KNOWN, tensors), under(PENDING, tensors)
        others = {name: tensor for name, tensor in tensors.items() if not name.startswith((KNOWN, PENDING))}
        order = others.pop(ORDER)
        features = Features(known[VALUES], known.get(MASK), _grid(kept), kept.about.get("rate")) if known else None
        if pending:
            digests = pending.pop(DIGEST)
            with torch.no_grad():
                made = kept.encoder(pending)
            _keep(kept, made, digests, others, order)
            features = made if features is None else _joined(features, made, order)
        return replace(items, tensors=others, features=features)


def _keep(kept: _Kept, made: Features, digests: Tensor, others: dict[str, Tensor], order: Tensor) -> None:
    """Keep features by item, each without its padding, and what else is wanted of the items."""
    if kept.store.ended:
        return
    lengths = made.valid.sum(1)
    steps = torch.arange(made.values.shape[1], device=lengths.device)
    padded_behind = torch.equal(made.valid, steps < lengths.unsqueeze(1))
    if not padded_behind or not _is_like_the_others(kept, made):
        return
    places = order.argsort()[len(order) - len(digests) :].tolist()  # of the pending items among all
    moved = {name: tensor.cpu() for name, tensor in others.items()}
    values = made.values.detach().cpu()
    kept.store.add({
        bytes(digest): {VALUES: values[row, :length], **{name: tensor[place] for name, tensor in moved.items()}}
        for row, (digest, length, place) in enumerate(zip(digests.tolist(), lengths.tolist(), places, strict=True))
        if any(digest)
    })  # fmt: skip


def _is_like_the_others(kept: _Kept, made: Features) -> bool:
    """Return whether features have the grid and the rate of those before; the first ones say what these are."""
    told = {"grid": made.grid and list(made.grid), "rate": made.rate}
    if "grid" not in kept.about:
        kept.about |= told
        write_json(kept.store.folder / ABOUT, kept.about)
    return all(kept.about[name] == value for name, value in told.items())


def _joined(known: Features, made: Features, order: Tensor) -> Features:
    """Return the features of all items in their order."""
    longest = max(part.values.shape[1] for part in (known, made))
    values = torch.cat([_longer(part.values, longest) for part in (known, made)])[order]
    masks = torch.cat([_longer(part.valid, longest) for part in (known, made)])[order]
    ragged = any(part.mask is not None or part.values.shape[1] < longest for part in (known, made))
    return replace(made, values=values, mask=masks if ragged else None)


def _longer(tensor: Tensor, length: int) -> Tensor:
    """Return a tensor that is padded behind. Shape: [I, T, ...] -> [I, length, ...]."""
    missing = tensor.new_zeros(tensor.shape[0], length - tensor.shape[1], *tensor.shape[2:])
    return torch.cat([tensor, missing], dim=1)


def _grid(kept: _Kept) -> tuple[int, int] | None:
    grid = kept.about.get("grid")
    return None if grid is None else (grid[0], grid[1])


def _about(choice: Choice, encoder: Encoder, arithmetic: str) -> dict[str, Any]:
    """Return what the features depend on beside the weights and the items, as plain values."""
    package = type(encoder).__module__.partition(".")[0]
    return {
        "format": FORMAT,
        "encoder": f"{type(encoder).__module__}.{type(encoder).__qualname__}",
        "options": plain(choice.options),
        "arithmetic": arithmetic,
        "sources": _sources(package),
        "libraries": _libraries(package),
    }


def _name(about: dict[str, Any], encoder: Encoder) -> str:
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True, default=str).encode(), digest_size=16)
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _sources(package: str) -> str:
    """Return a digest of the source text of a package and of the core's reading of media."""
    folders = [Path(path) for path in getattr(sys.modules.get(package), "__path__", [])]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    named = [getattr(sys.modules.get(name), "__file__", None) for name in (package, "mmlm_core.media")]
    files = sorted({*files, *(Path(name) for name in named if name)})
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=16).hexdigest()


def _libraries(package: str) -> dict[str, str]:
    """Return the versions of the distributions that a plugin's distribution needs, and of those that all need."""
    points = [point for point in metadata.entry_points(group=GROUP) if point.module.partition(".")[0] == package]
    needed: Iterable[str] = [name for point in points if point.dist for name in point.dist.requires or []]
    names = {"torch", "pillow", *(re.split(r"[^\w.-]", name, maxsplit=1)[0] for name in needed)}
    versions = {}
    for name in sorted(names):
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
