"""Reads and writes the weights of a run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmlm_core.errors import RunError
from mmlm_core.files import replacing

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["load_weights", "save_weights"]


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's weights, atomically; a tensor that has several names is written once, the others as metadata.

    (Not by safetensors' `save_model`: it refuses weights that lie side by side in one storage, as a GPU's recurrent
    layers do.)
    """
    from safetensors.torch import save_file

    state = model.state_dict()
    others = {other: name for name, more in _named(state).items() for other in more}
    kept = {name: tensor.contiguous() for name, tensor in state.items() if name not in others}
    with replacing(path) as temporary:
        save_file(kept, str(temporary), metadata=others or None)
        temporary.chmod(0o644)  # safetensors writes for the owner alone


def load_weights(model: nn.Module, path: Path, edits: Sequence[str] = ()) -> None:
    """Read weights into a model.

    Args:
        model: Which has the weights' names and shapes.
        path: The file.
        edits: What is known to differ between the model that was saved and this one, for messages.

    Raises:
        RunError: The file is missing, broken, or holds other weights than the model has.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise RunError(f"`{path}` is missing: the run has no weights yet.")
    try:
        saved = load_file(str(path))
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    _check(model, saved, path, edits)
    missing, unknown = model.load_state_dict(saved, strict=False)
    there = {name for first, more in _named(model.state_dict()).items() for name in (first, *more)
             if not saved.keys().isdisjoint((first, *more))}  # fmt: skip
    faults = [*(f"`{name}` is missing in it" for name in sorted(set(missing) - there)),
              *(f"`{name}` is no weight of the model" for name in sorted(unknown))]  # fmt: skip
    if faults:
        raise _other_weights(path, faults, edits)


def _check(model: nn.Module, saved: Mapping[str, Tensor], path: Path, edits: Sequence[str]) -> None:
    """Refuse weights of other shapes, and what would be read without a word: of another type, or not finite.

    Raises:
        RunError: There are such.
    """
    wanted = model.state_dict()
    both = {name: (tensor, wanted[name]) for name, tensor in saved.items() if name in wanted}
    faults = [f"`{name}` is {list(old.shape)} in it and {list(new.shape)} in the model"
              for name, (old, new) in both.items() if old.shape != new.shape]  # fmt: skip
    faults = faults or [
        f"`{name}` is {old.dtype}, and must be {new.dtype}"
        for name, (old, new) in both.items() if old.dtype.is_floating_point != new.dtype.is_floating_point
    ]  # fmt: skip
    if faults:
        raise _other_weights(path, faults, edits)
    for name, tensor in saved.items():
        if tensor.dtype.is_floating_point and not tensor.isfinite().all():
            raise RunError(f"`{path}` is of no use: `{name}` holds numbers that are not finite.")


def _other_weights(path: Path, faults: Sequence[str], edits: Sequence[str]) -> RunError:
    """Return the error of weights of another model: the first fault stands for all, which have the same cause."""
    more = f", and so on for {len(faults) - 1} more" if len(faults) > 1 else ""
    cause = f" Since the training, the configuration was changed: {'; '.join(edits)}." if edits else ""
    return RunError(f"`{path}` does not hold the weights of this composition: {faults[0]}{more}.{cause}")


def _named(state: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Return the first name of each tensor, with its others."""
    names: dict[Hashable, list[str]] = {}
    for name in sorted(state):
        tensor = state[name]
        place = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else name
        names.setdefault(place, []).append(name)
    return {first: more for first, *more in names.values()}
