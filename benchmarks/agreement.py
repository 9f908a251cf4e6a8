"""Whether joined tables are the same: columns, rows in order, values. One column is in memory at a time.

::

    python -m benchmarks.agreement OUT OUT...
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def disagreement(one: pq.ParquetFile, other: pq.ParquetFile) -> str | None:
    """The first thing in which two tables differ; None: there is none."""
    names = one.schema_arrow.names
    if names != other.schema_arrow.names:
        return f"columns {names} and {other.schema_arrow.names}"
    if one.metadata.num_rows != other.metadata.num_rows:
        return f"{one.metadata.num_rows} and {other.metadata.num_rows} rows"
    return next((fault for name in names if (fault := _differing(name, one, other)) is not None), None)


def _differing(name: str, one: pq.ParquetFile, other: pq.ParquetFile) -> str | None:
    mine, theirs = _column(one, name), _column(other, name)
    if mine.type != theirs.type:
        return f"column {name}: {mine.type} and {theirs.type}"
    return None if mine.equals(theirs) else f"column {name}: {_first(mine, theirs)}"


def _column(table: pq.ParquetFile, name: str) -> Any:
    """A column; texts as one type, of which Arrow knows several."""
    column = table.read([name]).column(0)
    return column.cast(pa.string()) if "string" in str(column.type) else column


def _first(mine: Any, theirs: Any) -> str:
    pairs = enumerate(zip(mine.to_pylist(), theirs.to_pylist(), strict=True))
    row, (one, other) = next((row, pair) for row, pair in pairs if pair[0] != pair[1])
    return f"row {row}: {one!r} and {other!r}"


def main(outs: list[str]) -> None:
    """Compare each table with the next one."""
    for one, other in itertools.pairwise(outs):
        with pq.ParquetFile(one) as first, pq.ParquetFile(other) as second:
            if (fault := disagreement(first, second)) is not None:
                raise SystemExit(f"{one} and {other} are not the same: {fault}")


if __name__ == "__main__":
    main(sys.argv[1:])
