"""Reads and writes the weights of a run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
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


def load_weights(model: nn.Module, path: Path) -> None:
    """Read weights into a model.

    Raises:
        RunError: The file is missing, broken, or holds other weights than the model has.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise RunError(f"`{path}` is missing: the run has no weights yet.")
    try:
        _check_numbers(model, path)
        missing, unexpected = model.load_state_dict(load_file(str(path)), strict=False)
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise RunError(f"`{path}` does not hold the weights of this composition: {reason}") from error
    lacking = set(missing)
    for name, more in _named(model.state_dict()).items():
        if not lacking >= {name, *more}:  # under one of its names the tensor was there
            lacking -= {name, *more}
    faults = {"missing": sorted(lacking), "unexpected": sorted(unexpected)}
    if any(faults.values()):
        told = "; ".join(
            f"{what}: {', '.join(f'`{name}`' for name in names)}" for what, names in faults.items() if names
        )
        raise RunError(f"`{path}` does not hold the weights of this composition: {told[:300]}.")


def _check_numbers(model: nn.Module, path: Path) -> None:
    """Refuse weights that would be read without a word and are none: of another type, or not finite.

    Raises:
        RunError: There are such.
    """
    from safetensors.torch import load_file

    wanted = model.state_dict()
    for name, tensor in load_file(str(path)).items():
        if name in wanted and tensor.dtype.is_floating_point != wanted[name].dtype.is_floating_point:
            raise RunError(f"`{path}` does not hold the weights of this composition: `{name}` is {tensor.dtype}, and "
                           f"must be {wanted[name].dtype}.")  # fmt: skip
        if tensor.dtype.is_floating_point and not tensor.isfinite().all():
            raise RunError(f"`{path}` is of no use: `{name}` holds numbers that are not finite.")


def _named(state: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Return the first name of each tensor, with its others."""
    names: dict[Hashable, list[str]] = {}
    for name in sorted(state):
        tensor = state[name]
        place = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else name
        names.setdefault(place, []).append(name)
    return {first: more for first, *more in names.values()}
