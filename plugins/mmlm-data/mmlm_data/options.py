"""The options of this plugin's components. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["DELIMITERS", "JSON_LINES", "SUFFIXES", "TableOptions", "columns_of"]

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*DELIMITERS, ".json", *JSON_LINES, ".parquet", ".pq")
"""The endings of the files that can be read."""


@dataclass
class TableOptions:
    """Rows of a CSV, TSV, JSON, JSON lines or Parquet file, with columns mapped to modalities."""

    path: str | None = None
    """The file, read by its ending: .csv, .tsv, .json, .jsonl, .parquet."""
    validation: str | None = None
    """A file of validation rows; without one, `validation_fraction` of the rows of `path`."""
    test: str | None = None
    """A file of test rows; without one, `test_fraction` of the rows of `path`."""
    validation_fraction: float = 0.1
    """The share of the rows of `path` that are for validation."""
    test_fraction: float = 0.1
    """The share of the rows of `path` that are for the test."""
    split_column: str | None = None
    """A column of `path` that says each row's split: train, validation (or valid, val, dev), test."""
    split_seed: int = 0
    """Another number makes another division by fractions; rows added at the end leave a division as it is."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality, as `image: path`; a list of columns gives several items of one modality."""
    target: str | None = None
    """The column that the model is to learn to say."""
    prompt: str | None = None
    """The column with what a generated text begins with."""
    limit: int | None = None
    """Rows of a split that are read at most, from its beginning."""
    encoding: str = "utf-8"
    """The encoding of CSV, TSV and JSON files: utf-8, utf-16, gb18030, latin-1, ..."""

    def __post_init__(self) -> None:
        """Check the ranges, the mapping, and that options do not contradict each other."""
        check_range(self, "validation_fraction", 0, 1)
        check_range(self, "test_fraction", 0, 1)
        check_range(self, "limit", 1)
        if self.validation_fraction + self.test_fraction >= 1:
            raise OptionError(
                "`validation_fraction` and `test_fraction` must leave rows to train on, "
                f"not sum up to {self.validation_fraction + self.test_fraction:g}."
            )
        if self.split_column and (self.validation or self.test):
            raise OptionError("`split_column` must be left out where `validation` or `test` names a file of its own.")
        try:
            "".encode(self.encoding)  # some codecs are of bytes, as base64
        except LookupError:
            raise OptionError(
                f"`encoding` must be one that Python knows, as `utf-8`, `utf-16`, `gb18030`, `latin-1`, "
                f"not `{self.encoding}`."
            ) from None
        columns_of(self.inputs)


def columns_of(inputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the columns of each modality; a modality that is mapped to nothing has none.

    Raises:
        OptionError: A modality is mapped to something else than columns.
    """
    columns = {}
    for modality, named in inputs.items():
        listed = [] if named is None else list(named) if isinstance(named, list | tuple) else [named]
        if not all(isinstance(name, str) for name in listed):
            raise OptionError(f"`inputs.{modality}` must be a column or a list of columns, not {named!r}.")
        columns[modality] = listed
    return columns
