"""The options of speech with transcripts. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mmlm_data.options import FileOptions

__all__ = ["CommonVoiceOptions", "LibrispeechOptions", "ManifestOptions"]


@dataclass
class LibrispeechOptions(FileOptions):
    """LibriSpeech and others of its layout: sounds in folders by speaker and chapter, with `.trans.txt` files."""

    own_columns: ClassVar[tuple[str, ...]] = ("audio", "transcript", "speaker", "chapter", "subset", "split", "id")

    path: str | None = None
    """The folder, as `LibriSpeech` or `LibriSpeech/train-clean-100`. Folders that begin with `train`, `dev` and `test`
    are the splits."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"audio": "audio"})
    """The column of each modality. Columns: `audio`, `transcript`, `speaker`, `chapter`, `subset`, `id`."""
    target: str | None = "transcript"
    """The column that the model is to learn to say."""


@dataclass
class CommonVoiceOptions(FileOptions):
    """Common Voice: a TSV of sentences beside a folder `clips` of sounds."""

    path: str | None = None
    """The folder of a language, whose `train.tsv`, `dev.tsv` and `test.tsv` are the splits; or a TSV, as
    `validated.tsv`."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"audio": "audio"})
    """The column of each modality. Columns: `audio`, and the file's own, as `sentence`, `client_id`, `gender`."""
    target: str | None = "sentence"
    """The column that the model is to learn to say."""


@dataclass
class ManifestOptions(FileOptions):
    """A manifest: JSON lines that name sounds and say their transcripts, as NeMo has them."""

    path: str | None = None
    """The file; lines as `{"audio_filepath": "a.wav", "duration": 1.5, "text": "hello"}`; or a folder or a pattern."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"audio": "audio_filepath"})
    """The column of each modality."""
    target: str | None = "text"
    """The column that the model is to learn to say."""

    def check_file(self, path: str) -> None:
        """See `MappedOptions.check_file`."""
        from mmlm_data.reading import check_headers

        check_headers(path, self.wanted(path))
