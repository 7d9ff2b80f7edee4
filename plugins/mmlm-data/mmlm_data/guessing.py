"""Which columns of a table are the inputs and the target, by their usual names. Imports neither torch nor pyarrow."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from mmlm_core.runs import is_main
from mmlm_data.media import modality_of

if TYPE_CHECKING:
    from mmlm_data.options import MappedOptions

__all__ = ["guess", "say_guesses"]

_log = logging.getLogger(__name__)

INPUTS = {
    "image": ("image", "images", "image_path", "image_file", "img", "picture", "photo", "jpg", "jpeg", "png", "webp"),
    "audio": ("audio", "audio_path", "audio_filepath", "audio_file", "sound", "speech", "wav", "flac", "mp3"),
    "text": ("text", "question", "sentence", "review", "source", "document", "article", "passage", "content", "input"),
}  # fmt: skip
"""The names by which a modality's column is known, the surest first."""

FILES = ("file_name", "filename", "file", "filepath", "file_path", "path")
"""Names of columns of files, whose ending says the modality."""

TARGETS = ("target", "label", "caption", "captions", "answer", "translation", "summary", "transcript", "transcription",
           "labels", "class", "category", "sentiment", "rating", "stars", "score", "tags", "output", "response",
           "completion", "cls", "txt")  # fmt: skip
"""The names by which a target's column is known, the surest first."""


def guess(row: Mapping[str, Any], taken: Collection[str | None] = ()) -> tuple[dict[str, str], str | None]:
    """Return the columns of usual names: of each modality, and of the target, where there is one.

    Args:
        row: A row, by column.
        taken: Columns that have a use already.

    Example:
        >>> guess({"id": 7, "file_name": "cat.png", "caption": "a cat"})
        ({'image': 'file_name'}, 'caption')
    """
    free = {name.lower(): name for name in row if name not in taken}
    inputs = {}
    for modality, usual in INPUTS.items():
        found = next((free[name] for name in usual if name in free), None)
        if found is not None:
            inputs[modality] = found
    for name in FILES:
        modality = modality_of(row[free[name]]) if name in free else ""
        if modality:
            inputs.setdefault(modality, free[name])
    return inputs, next((free[name] for name in TARGETS if name in free), None)


def say_guesses(options: MappedOptions) -> None:
    """Tell which columns were taken for what was not said; once for all processes of a job."""
    for option, column in options.guessed.items() if is_main() else ():
        _log.warning("`%s`: using the column `%s` as `data.%s`.", options.path, column, option)
