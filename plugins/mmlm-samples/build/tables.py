"""Write a data file: Parquet, as small as its codec makes it, byte-identical when written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["report", "write"]

# A page is compressed by itself: one page per column lets the codec see all of the rows at once.
_ONE_PAGE = 1 << 30


def write(path: Path, table: pa.Table, metadata: Mapping[str, str], plain: Collection[str] = ()) -> None:
    """Write a table as one row group.

    Args:
        path: The file.
        table: The rows.
        metadata: What the file says about itself, such as its licence.
        plain: Columns whose values hardly repeat, for which a dictionary is of no use.
    """
    leaves = [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in table.schema]
    repeating = [leaf for leaf in leaves if leaf not in plain]
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        compression_level=22,
        data_page_size=_ONE_PAGE,
        write_batch_size=table.num_rows,
        max_rows_per_page=table.num_rows,
        dictionary_pagesize_limit=_ONE_PAGE,
        use_dictionary=repeating,
        write_statistics=repeating,
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=table.num_rows)
        writer.add_key_value_metadata(dict(metadata))
    print(f"wrote {path.name}: {table.num_rows} rows, {path.stat().st_size} bytes")


def report(table: pa.Table, *columns: str) -> None:
    """Print how many rows there are for each combination of values in these columns."""
    counts = Counter(zip(*(table[column].to_pylist() for column in columns), strict=True))
    for values, count in sorted(counts.items()):
        print("  " + ", ".join(f"{column} {value}" for column, value in zip(columns, values, strict=True)), count)
