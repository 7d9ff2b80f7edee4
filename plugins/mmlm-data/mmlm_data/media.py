"""The modality that a file's ending says. Imports neither torch nor pyarrow."""

from __future__ import annotations

import mimetypes
from typing import Any

__all__ = ["modality_of"]

ENDINGS = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".avif"),
    "audio": (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aif", ".aiff"),
    "video": (".mp4", ".mov", ".avi", ".mkv", ".webm"),
}
"""The usual ones, since what the `mimetypes` module knows differs between machines."""


def modality_of(name: Any) -> str:
    """Return the modality of a file of pictures, sound or film, by its ending; empty where it is none.

    Example:
        >>> modality_of("clips/one.FLAC")
        'audio'
    """
    if not isinstance(name, str):
        return ""
    for modality, endings in ENDINGS.items():
        if name.lower().endswith(endings):
            return modality
    modality = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    return modality if modality in ENDINGS else ""
