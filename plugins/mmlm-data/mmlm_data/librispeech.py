"""The data source `librispeech`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_core.errors import DataError, quoted
from mmlm_core.runs import is_main
from mmlm_data.file_source import FileSource
from mmlm_data.folders import relative
from mmlm_data.media import modality_of
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing, files_below, openable
from mmlm_data.spans import Lines
from mmlm_data.speech_options import LibrispeechOptions
from mmlm_data.splits import WORDS

__all__ = ["LibrispeechSource"]

_log = logging.getLogger(__name__)

TRANSCRIPTS = ".trans.txt"


class LibrispeechSource(FileSource):
    """LibriSpeech (Panayotov et al. 2015): `SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac`.

    Args:
        options: The options.
    """

    name = "librispeech"
    own_split = "split"

    def __init__(self, options: LibrispeechOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        root = existing(path)
        if not root.is_dir():
            raise DataError(f"`{path}` must be the folder of LibriSpeech, or one in it, not a file.")
        strays: list[str] = []
        rows = [
            row for file in files_below(root) if file.name.endswith(TRANSCRIPTS) for row in _rows(root, file, strays)
        ]
        if not rows:
            raise DataError(f"`{path}` has no transcripts: no file whose name ends in `{TRANSCRIPTS}`.")
        if strays and is_main():
            _log.warning("`%s`: sounds without a transcript are left out: %s, as `%s`.", path, f"{len(strays):,}",
                         strays[0])  # fmt: skip
        schema = pa.schema({name: pa.string() for name in self.options.own_columns})
        return [part_of_rows(root, rows, schema, root, keys="id")]


def _rows(root: Path, file: Path, strays: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what one chapter says, and note the sounds that it says nothing of."""
    sounds = {sound.stem: sound for sound in sorted(file.parent.iterdir()) if modality_of(sound.name) == "audio"}
    subset = (root.absolute() / relative(root, file)).parts[-4]
    with openable(file):
        lines = Lines(file, "utf-8")
    said: set[str] = set()
    for place in range(len(lines)):
        name, _, text = lines[place].strip().partition(" ")
        if name in said:
            raise DataError(f"`{file}` line {lines.number(place)} is of {quoted(name)}, as is one before: each sound "
                            "must have one transcript.")  # fmt: skip
        said.add(name)
        if name not in sounds:
            raise DataError(f"`{file}` line {lines.number(place)} is of {quoted(name)}: no such sound is beside it.")
        speaker, _, rest = name.partition("-")
        yield {
            "audio": relative(root, sounds[name]),
            "transcript": text.strip(),
            "speaker": speaker,
            "chapter": rest.partition("-")[0],
            "subset": subset,
            "split": WORDS.get(subset.partition("-")[0].lower()),
            "id": name,
        }
    strays += sorted(sounds.keys() - said)
