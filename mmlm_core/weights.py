"""Reads and writes the weights of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmlm_core.errors import RunError
from mmlm_core.files import replacing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_weights", "save_weights"]


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's weights, atomically; tensors that are shared are written once."""
    from safetensors.torch import save_model

    with replacing(path) as temporary:
        save_model(model, str(temporary))
        temporary.chmod(0o644)  # safetensors writes for the owner alone


def load_weights(model: nn.Module, path: Path) -> None:
    """Read weights into a model.

    Raises:
        RunError: The file is missing, broken, or holds other weights than the model has.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    if not path.is_file():
        raise RunError(f"`{path}` is missing: the run has no weights yet.")
    try:
        _check_numbers(model, path)
        load_model(model, str(path))
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise RunError(f"`{path}` does not hold the weights of this composition: {reason}") from error


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
