"""Reads Parquet and Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

from mmlm_core.errors import DataError
from mmlm_data.parts import ArrowColumn, ArrowFile, Column, check_columns, columns_of_batches
from mmlm_data.spool import SMALL

__all__ = ["arrow_names", "first_arrow", "read_arrow"]

PARQUET = (".parquet", ".pq")


def read_arrow(path: Path, wanted: Mapping[str, str]) -> Mapping[str, Column]:
    """Return the wanted columns: those of an Arrow file memory-mapped, those of a large Parquet file laid down as such.

    Raises:
        DataError: The file cannot be read, or lacks a column.
    """
    if path.suffix.lower() not in PARQUET:
        names = arrow_names(path)
        check_columns(path, names, wanted)
        with _told(path, "Arrow"):
            return ArrowFile(path, list(wanted) or names[:1])
    with _told(path, "Parquet"), parquet.ParquetFile(path, memory_map=True) as file:
        names = file.schema_arrow.names
        check_columns(path, names, wanted)
        kept = list(wanted) or names[:1]
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(group).total_byte_size for group in groups) <= SMALL:
            table = file.read(columns=kept)
            return {name: ArrowColumn(path, table.column(name)) for name in table.column_names}
        schema = pa.schema([file.schema_arrow.field(name) for name in kept])
        batches = (batch.select(kept) for batch in file.iter_batches(columns=kept))
        return columns_of_batches(path, str(kept), schema, batches)


def arrow_names(path: Path) -> list[str]:
    """Return the names of a file's columns.

    Raises:
        DataError: The file cannot be read.
    """
    if path.suffix.lower() in PARQUET:
        with _told(path, "Parquet"), parquet.ParquetFile(path, memory_map=True) as file:
            names: list[str] = file.schema_arrow.names
            return names
    with _told(path, "Arrow"), pa.memory_map(str(path)) as file:
        return _reader(file).schema.names  # type: ignore[no-any-return]


def first_arrow(path: Path) -> dict[str, Any]:
    """Return the first row; empty where there is none.

    Raises:
        DataError: The file cannot be read.
    """
    if path.suffix.lower() in PARQUET:
        with _told(path, "Parquet"), parquet.ParquetFile(path, memory_map=True) as file:
            batches: Iterator[pa.RecordBatch] = file.iter_batches(batch_size=1)
            rows: list[dict[str, Any]] = next((batch.to_pylist() for batch in batches), [])
    else:
        with _told(path, "Arrow"), pa.memory_map(str(path)) as file:
            reader = _reader(file)
            stream = isinstance(reader, ipc.RecordBatchStreamReader)
            batches = iter(reader) if stream else (reader.get_batch(i) for i in range(reader.num_record_batches))
            first = next((batch for batch in batches if batch.num_rows), None)
            if first is not None:
                first.validate(full=True)  # else a damaged one may end the process
            rows = [] if first is None else first.slice(0, 1).to_pylist()
    return rows[0] if rows else {}


def _reader(file: pa.MemoryMappedFile) -> Any:
    """Return a reader of Arrow's file format, or of its stream format, as Hugging Face `datasets` writes it."""
    try:
        return ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        return ipc.open_stream(file)


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    """Tell of a file that cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError) as error:  # damaged pages are an `OSError`
        raise DataError(f"`{path}` cannot be read as {kind}: {' '.join(str(error).split()).rstrip('.')}.") from error
