"""Opens data sets with Hugging Face `datasets`, and says in our words why one cannot be opened."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError

__all__ = ["load"]


@cache
def load(path: str, config: str | None, revision: str | None) -> Mapping[str, Any]:
    """Return the splits of a data set, memory-mapped.

    Args:
        path: A name on the Hub, or a folder.
        config: The configuration, where there are several.
        revision: The version on the Hub.

    Raises:
        DataError: It cannot be opened.
    """
    import datasets

    folder = Path(path).expanduser()
    here = folder.exists()
    datasets.disable_progress_bars()
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
            found = datasets.load_from_disk(str(folder))
        else:
            found = datasets.load_dataset(str(folder) if here else path, config, revision=revision)
    except Exception as error:  # of the network, of the Hub, of the files: `datasets` has no common base
        reason = " ".join(str(error).split()).rstrip(".")[:300] or type(error).__name__
        way = ("" if here else " Without a network, give a folder here: what `load_dataset(...).save_to_disk(FOLDER)` "
               "wrote on a machine that has one.")  # fmt: skip
        raise DataError(f"`{path}` cannot be opened as a data set: {reason}.{way}") from error
    return found if isinstance(found, Mapping) else {"train": found}
