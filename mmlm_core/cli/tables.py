"""Tables of rows to predict for, opened by the data sources that can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.composition import Composition
from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.registry import Registry

if TYPE_CHECKING:
    from mmlm_core.interfaces import DataSource

__all__ = ["Tables"]


class Tables:
    """Opens tables: by the run's own data source where it can, as it is set; else by any that is installed.

    Args:
        composition: Of the run.
        registry: What is installed.
    """

    def __init__(self, composition: Composition, registry: Registry) -> None:
        self._modalities = composition.modalities()
        own = composition.choices.get("data")
        self._options = {} if own is None else {own.component.name: own.options}
        self._openers = {
            suffix: name for name in registry.names("data") for suffix in registry.get("data", name).suffixes
        }
        if own is not None:
            self._openers |= dict.fromkeys(own.component.suffixes, own.component.name)
        self._registry = registry
        named = getattr(own.options, "inputs", None) if own else None
        self._usual = {
            modality: list(names) if isinstance(names, list | tuple) else [names]
            for modality, names in (named if isinstance(named, Mapping) else {}).items()
        }

    def opens(self, path: Path) -> bool:
        """Whether a file's ending is that of a table."""
        return path.suffix.lower() in self._openers

    def rows(self, path: Path, named: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table.

        A modality's column is the one that is named; else that of the run's data, or the one that has the modality's
        name.

        Args:
            path: The file.
            named: The columns that the user names, by modality or `prompt`.

        Raises:
            DataError: The file cannot be read, or has no column for what the model reads.
        """
        source = self._source(path)
        known = source.columns(path)
        for name, column in named.items():
            if column not in known:
                raise _missing(path, name, column, known)
        inputs = {modality: self._columns(modality, named, known) for modality in self._modalities}
        inputs = {modality: columns for modality, columns in inputs.items() if columns}
        if self._modalities and not inputs:
            first = self._modalities[0]
            raise _missing(path, first, first, known)
        prompt = named.get("prompt", "prompt")
        for number, example in enumerate(source.open(path, inputs, prompt if prompt in known else None), 1):
            row: dict[str, Any] = {"key": f"{path}:{number}"}
            row |= {modality: list(items) for modality, items in example.inputs.items() if items}
            yield row if example.prompt is None else {**row, "prompt": example.prompt}

    def _columns(self, modality: str, named: Mapping[str, str], known: list[str]) -> list[str]:
        """Return the columns of a modality that are there."""
        if modality in named:
            return [named[modality]]
        usual = [name for name in self._usual.get(modality, ()) if name in known]
        return usual or [name for name in (modality,) if name in known]

    def _source(self, path: Path) -> DataSource:
        if not path.is_file():
            near = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"`--table {path}` is no file.{did_you_mean(str(path), near)}")
        if not self.opens(path):
            told = one_of(sorted(self._openers)).replace("Choices", "Endings")
            raise DataError(f"`{path}` must be a table.{told if self._openers else ' No installed plugin opens one.'}")
        name = self._openers[path.suffix.lower()]
        component = self._registry.get("data", name)
        made: DataSource = component.load()(self._options.get(name) or component.options())
        return made


def _missing(path: Path, modality: str, column: str, known: list[str]) -> DataError:
    columns = one_of(known).replace("Choices", "Columns")
    return DataError(f"`{path}` has no column `{column}`: name it with `--column {modality}=COLUMN`."
                     f"{did_you_mean(column, known)}{columns}")  # fmt: skip
