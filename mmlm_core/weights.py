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
        load_model(model, str(path))
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise RunError(f"`{path}` does not hold the weights of this composition: {reason}") from error
