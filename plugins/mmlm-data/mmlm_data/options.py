"""The options that the data sources share, and those of `table`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from mmlm_core.errors import DataError, OptionError, quoted, run_all
from mmlm_core.ranges import check_range
from mmlm_data.guessing import guess

__all__ = [
    "DELIMITERS",
    "JSON_LINES",
    "SUFFIXES",
    "DividedOptions",
    "FileOptions",
    "MappedOptions",
    "TableOptions",
    "check_encoding",
    "columns_of",
    "origins_of",
]

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PATTERN = frozenset("*?[{")
"""What makes a path one that may find many files."""
JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*DELIMITERS, ".json", *JSON_LINES, ".parquet", ".pq", ".arrow", ".feather")
"""The endings of the tables that can be read."""


@dataclass
class MappedOptions:
    """Files of rows: where they are, and which of their columns are read."""

    reads_inputs: ClassVar[bool] = False
    """Whether rows of this kind always have an input."""
    target_words: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What the targets of a column are, in the words of `Traits.provides`, where it is not `other_words`."""
    other_words: ClassVar[tuple[str, ...]] = ("target",)

    path: str | None = None
    """The file or folder."""
    validation: str | None = None
    """The same of the validation rows; without one, `validation_fraction` of the rows of `path`."""
    test: str | None = None
    """The same of the test rows; without one, `test_fraction` of the rows of `path`."""
    validation_fraction: float = 0.1
    """The share of the rows of `path` that are for validation."""
    test_fraction: float = 0.1
    """The share of the rows of `path` that are for the test."""
    split_seed: int = 0
    """Another number makes another division; rows added at the end leave a division by fractions as it is."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality, as `image: path`; a list of columns gives several items of one modality. Where
    nothing is said, columns of usual names are taken, and told."""
    target: str | None = None
    """The column that the model is to learn to say; where nothing is said, one of a usual name, which is told."""
    prompt: str | None = None
    """The column with what a generated text begins with."""

    def __post_init__(self) -> None:
        """Check the ranges and the mapping; guess what is not said, and note it as `guessed`, by option.

        The columns that were looked at for that are noted as `seen_columns`, for the messages of `mmlm_core.compat`.
        """
        self.guessed: dict[str, str] = {}
        self.seen_columns: list[str] = []
        check_range(self, "validation_fraction", 0, 1)
        check_range(self, "test_fraction", 0, 1)
        if self.validation_fraction + self.test_fraction >= 1:
            raise OptionError(
                "`validation_fraction` and `test_fraction` must leave rows to train on, "
                f"not sum up to {self.validation_fraction + self.test_fraction:g}."
            )
        for option in (each.name for each in fields(self)):
            value = getattr(self, option)
            if isinstance(value, str) and "\0" in value:
                raise OptionError(f"`{option}` must have no NUL character, which no path can have: {quoted(value)}.")
        columns_of(self.inputs)
        if self.path and not (self.inputs and self.target):
            nothing = not self.inputs and (self.reads_inputs or not self.target)
            with nullcontext() if nothing else suppress(DataError):  # what is mapped is enough for a run that is loaded
                self._guess(self.first_row())

    def first_row(self) -> Mapping[str, Any]:
        """Return the first row of the files, by which columns are guessed; empty: nothing is guessed.

        Raises:
            DataError: There is none.
        """
        return {}

    def wanted(self, path: str) -> dict[str, str]:
        """Return the columns that a path must have, each with the option that names it."""
        del path
        inputs = columns_of(self.inputs)
        wanted = {name: f"data.inputs.{modality}" for modality, names in inputs.items() for name in names}
        said = {"data.target": self.target, "data.prompt": self.prompt}
        return wanted | {name: option for option, name in said.items() if name}

    def check_files(self) -> None:
        """See `mmlm_core.named_files`."""
        paths = dict.fromkeys(filter(None, (self.path, self.validation, self.test)))
        run_all(partial(self.check_file, path) for path in paths)

    def place_files(self, folder: Path) -> list[str]:
        """See `mmlm_core.named_files`."""
        placed = []
        for option in ("path", "validation", "test"):
            path = getattr(self, option)
            if path and not path.startswith("~") and not _leads(Path(path)) and _leads(folder / path):
                setattr(self, option, str(folder / path))
                placed.append(path)
        return placed

    def check_file(self, path: str) -> None:
        """Raise where a path plainly lacks what is wanted, as well as can be said without reading it whole.

        Raises:
            DataError: It is missing, or lacks a column.
        """

    def _guess(self, row: Mapping[str, Any]) -> None:
        """Take columns of usual names for what is not said."""
        self.seen_columns = list(row)
        said = [name for names in columns_of(self.inputs).values() for name in names]
        inputs, target = guess(row, {*said, self.target, self.prompt})
        if not self.inputs:
            self.inputs = dict(inputs)
            self.guessed |= {f"inputs.{modality}": name for modality, name in inputs.items()}
        if not self.target and target:
            self.target = self.guessed["target"] = target


@dataclass
class DividedOptions(MappedOptions):
    """Files of rows that are divided by groups and by folds."""

    group_column: str | None = None
    """A column, as a speaker or a patient: all rows that have the same there are in one split."""
    groups: str | None = None
    """A column, as a gender or a device: an evaluation tells the metrics of the rows of each of its values apart."""
    folds: int | None = None
    """Divide `path` into so many folds of one size, of which `fold` is the test (the validation, where `test` names a
    file of its own) and the others are for training."""
    fold: int = 0
    """The fold that is held out, from 0; all in turn: `data.folds=5 data.fold=0,1,2,3,4 --multirun`."""
    limit: int | None = None
    """Rows of a split that are read at most, from its beginning."""

    def __post_init__(self) -> None:
        """Check that options do not contradict each other, too."""
        check_range(self, "folds", 2)
        check_range(self, "fold", 0)
        check_range(self, "limit", 1)
        if self.folds and self.fold >= self.folds:
            raise OptionError(
                f"`fold` must be from 0 to {self.folds - 1}, since there are {self.folds} `folds`, not {self.fold}."
            )
        if self.folds and self.validation and self.test:
            raise OptionError("`folds` holds out rows of `path`: `validation` or `test` must be left out for them.")
        super().__post_init__()

    def wanted(self, path: str) -> dict[str, str]:
        """See `MappedOptions.wanted`."""
        said = {"data.groups": self.groups}
        if path == self.path:
            said["data.group_column"] = self.group_column
        return super().wanted(path) | {name: option for option, name in said.items() if name}


@dataclass
class FileOptions(DividedOptions):
    """Files of rows that can be divided in any way, since each row can be asked for."""

    own_columns: ClassVar[tuple[str, ...]] = ()
    """The columns that the format itself has; empty: they are the file's."""

    split_column: str | None = None
    """A column of `path` that says each row's split: train, validation (or valid, val, dev), test."""
    target_files: bool = False
    """The target's cells name files, as masks, relative to the file that names them."""

    def __post_init__(self) -> None:
        """Check that the splits are said once, too."""
        if self.split_column and (self.validation or self.test):
            raise OptionError("`split_column` must be left out where `validation` or `test` names a file of its own.")
        if self.split_column and (self.group_column or self.folds):
            raise OptionError("`split_column` says each row's split: `group_column` and `folds` must be left out.")
        super().__post_init__()

    def wanted(self, path: str) -> dict[str, str]:
        """See `MappedOptions.wanted`."""
        said = {self.split_column: "data.split_column"} if self.split_column and path == self.path else {}
        return super().wanted(path) | said

    def check_file(self, path: str) -> None:
        """See `MappedOptions.check_file`."""
        from mmlm_data.paths import existing

        if not PATTERN & {*path}:
            existing(path)
        if self.own_columns:
            from mmlm_data.parts import check_columns

            check_columns(Path(path), self.own_columns, self.wanted(path))


@dataclass
class TableOptions(FileOptions):
    """Rows of a CSV, TSV, JSON, JSON lines, Parquet or Arrow file, with columns mapped to modalities."""

    other_words: ClassVar[tuple[str, ...]] = ("target", "target:any")

    path: str | None = None
    """The file, read by its ending: .csv, .tsv, .json, .jsonl, .parquet, .arrow; or a folder of such files, or a
    pattern, as `rows-*.parquet`."""
    encoding: str = "utf-8"
    """The encoding of CSV, TSV and JSON files: utf-8, utf-16, gb18030, latin-1, ..."""

    def __post_init__(self) -> None:
        """Check the encoding too."""
        check_encoding(self.encoding)
        super().__post_init__()

    def first_row(self) -> Mapping[str, Any]:
        """See `FileOptions.first_row`."""
        from mmlm_data.reading import first_row

        return first_row(self.path or "", self.encoding)

    def check_file(self, path: str) -> None:
        """See `MappedOptions.check_file`."""
        from mmlm_data.reading import check_headers

        check_headers(path, self.wanted(path), self.encoding)


def _leads(path: Path) -> bool:
    """Whether a path leads somewhere; a pattern does where the folder is there in which it begins."""
    for begin in (*reversed(path.parents), path):
        if PATTERN & {*begin.name}:
            return begin.parent.exists()
    return path.exists()


def columns_of(inputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the columns of each modality; a modality that is mapped to nothing has none.

    Raises:
        OptionError: A modality is mapped to something else than columns.
    """
    columns = {}
    for modality, named in inputs.items():
        listed = [] if named is None else list(named) if isinstance(named, list | tuple) else [named]
        if not all(isinstance(name, str) for name in listed):
            raise OptionError(f"`inputs.{modality}` must be a column or a list of columns, not {quoted(named)}.")
        columns[modality] = listed
    return columns


def origins_of(inputs: Mapping[str, Sequence[str]], target: str | None, prompt: str | None) -> dict[str, str]:
    """Return `Example.origins` of rows whose parts are these columns."""
    said = {"target": target, "prompt": prompt}
    listed = {modality: names[0] if len(names) == 1 else f"[{','.join(names)}]" for modality, names in inputs.items()}
    return {modality: f"data.inputs.{modality}={names}" for modality, names in listed.items()} | {
        part: f"data.{part}={name}" for part, name in said.items() if name
    }


def check_encoding(encoding: str) -> None:
    """Raise `OptionError` unless Python knows an encoding."""
    try:
        "".encode(encoding)  # some codecs are of bytes, as base64
        if encoding.lower() in ("idna", "punycode"):  # of names in the net alone
            raise LookupError(encoding)
    except (LookupError, UnicodeError):
        raise OptionError(
            f"`encoding` must be one that Python knows, as `utf-8`, `utf-16`, `gb18030`, `latin-1`, not `{encoding}`."
        ) from None
