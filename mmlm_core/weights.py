"""Reads and writes the weights of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmlm_core.errors import RunError
from mmlm_core.files import replacing

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["load_weights", "save_weights"]


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's weights, atomically; tensors that are shared are written once."""
    from safetensors.torch import save_model

    with replacing(path) as temporary:
        save_model(model, str(temporary))
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
    from safetensors.torch import load_file, load_model

    if not path.is_file():
        raise RunError(f"`{path}` is missing: the run has no weights yet.")
    try:
        _check(model, load_file(str(path)), path, edits)
        missing, unknown = load_model(model, str(path), strict=False)
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    if missing or unknown:
        faults = [*(f"`{name}` is missing in it" for name in sorted(missing)),
                  *(f"`{name}` is no weight of the model" for name in sorted(unknown))]  # fmt: skip
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
