"""The options of `huggingface`. Imports neither torch, nor pyarrow, nor datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mmlm_data.options import FileOptions

__all__ = ["HuggingFaceOptions"]


@dataclass
class HuggingFaceOptions(FileOptions):
    """Whatever Hugging Face `datasets` opens: a name on the Hub where there is a network, or a folder here."""

    other_words: ClassVar[tuple[str, ...]] = ("target", "target:any")

    path: str | None = None
    """The name, as `imdb` or `nyu-mll/glue`; or a folder: what `save_to_disk` wrote, or files that `load_dataset`
    reads. Its own splits are the splits; one that it lacks is a fraction of the training's."""
    config: str | None = None
    """The configuration, where the data set has several, as `sst2`."""
    revision: str | None = None
    """The version on the Hub: a branch, a tag, or (to be sure) a commit."""

    def first_row(self) -> Mapping[str, Any]:
        """See `FileOptions.first_row`."""
        from mmlm_data.hub import load

        splits = load(self.path or "", self.config, self.revision)
        features = next(iter(splits.values())).features
        return dict.fromkeys(features, "")

    def check_file(self, path: str) -> None:
        """See `FileOptions.check_file`: a name may be of the Hub."""
