"""Cuts a Parquet table into files of so many rows.

::

    python -m benchmarks.sharding TABLE FOLDER ROWS
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def cut(table: Path, folder: Path, rows: int) -> None:
    """Write the files, which are named by their number."""
    folder.mkdir()
    for number, batch in enumerate(pq.ParquetFile(table).iter_batches(batch_size=rows)):
        pq.write_table(pa.Table.from_batches([batch]), folder / f"part-{number:05}.parquet")


if __name__ == "__main__":
    cut(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
