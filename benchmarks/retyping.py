"""Writes a Parquet table as CSV or JSON Lines, compressed if the name says so.

::

    python -m benchmarks.retyping TABLE OUT
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROWS = 1 << 16


def write(table: str, out: str) -> None:
    """Write the table some rows at a time, as scorers and pandas do: a float has its shortest digits."""
    source = pq.ParquetFile(table)
    with pa.output_stream(out) as stream:
        if ".csv" in out:
            with pacsv.CSVWriter(
                stream, source.schema_arrow, write_options=pacsv.WriteOptions(quoting_style="none")
            ) as writer:
                for batch in source.iter_batches(ROWS):
                    writer.write_batch(batch)
        else:
            for batch in source.iter_batches(ROWS):
                stream.write(_lines(batch.to_pylist()))


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


if __name__ == "__main__":
    write(*sys.argv[1:])
