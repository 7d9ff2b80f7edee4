"""Checkpoints for resuming: written whole or not at all, and read without running code."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from mmlm_core.errors import RunError
from mmlm_core.files import replacing

__all__ = ["WholeCheckpoints"]


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's files, written beside the old one and then put in its place; a killed write leaves the old one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint."""
        del storage_options
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint: tensors and plain values only.

        Raises:
            RunError: It is broken, or holds anything else.
        """
        del weights_only
        try:
            with ZipFile(path) as file:
                broken = file.testzip()  # torch does not compare the checksums
            if broken is not None:
                raise RunError(f"The checkpoint `{path}` is damaged: the checksum of its part `{broken}` is wrong.")
            loaded: dict[str, Any] = torch.load(path, map_location=map_location or "cpu", weights_only=True)
        except RunError:
            raise
        except Exception as error:  # whatever the bytes are, torch finds something to say about them
            reason = " ".join(str(error).split())[:200]
            raise RunError(f"The checkpoint `{path}` cannot be read: {reason}") from error
        return loaded
