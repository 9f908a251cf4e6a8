"""No join at all: pyarrow reads the feature table and writes it as Parquet, as it does by default."""

from __future__ import annotations

import sys

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq


def table(features: str) -> pa.Table:
    """The whole feature table."""
    if ".csv" in features:
        return pacsv.read_csv(features)
    return pajson.read_json(features) if ".jsonl" in features else pq.read_table(features)


if __name__ == "__main__":
    pq.write_table(table(sys.argv[1]), sys.argv[2])
