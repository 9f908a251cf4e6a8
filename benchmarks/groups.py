"""`second-opinion join` of a table in many small row groups, beside pyarrow reading it: whole processes, in turn.

python -m benchmarks.groups [--groups 1200] [--rows 1] [--columns 60] [--runs 5] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import median, module, spent, spread

FEATURES, SIDECAR = "groups.parquet", "groups.jsonl"


def main() -> None:
    """Make the table, read it and join it in turn, print the ratio."""
    given = arguments()
    with data_folder(given.folder) as folder:
        command = partial(module, "benchmarks.groups", "--groups", given.groups, "--rows", given.rows)
        spent(command("--columns", given.columns, "--only", "write"), folder)
        reading = command("--only", "read")
        joining = module(
            "pipeline", "join", "--features", FEATURES, "--scores", f"s={SIDECAR}", "--out", "o.parquet"
        )
        rounds = [(spent(reading, folder), spent(joining, folder)) for _ in range(given.runs)]
    read, joined = (median(costs) for costs in zip(*rounds, strict=True))
    print(
        f"{given.groups:,} row groups of {given.rows:,} rows x {given.columns} columns, {given.runs} rounds"
    )
    print(
        f"read: wall s {read.wall:.2f}, CPU s {read.cpu:.2f}; join: wall s {joined.wall:.2f}, CPU s {joined.cpu:.2f}"
    )
    print(f"join over read: {spread([join.wall / reading.wall for reading, join in rounds])}")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=1200)
    parser.add_argument("--rows", type=int, default=1, help="of each row group")
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--only", choices=["write", "read"], help="do this in the working folder, and nothing else"
    )
    add_folder(parser)
    return parser.parse_args()


def write(groups: int, rows: int, columns: int) -> None:
    """Write the table and a sidecar that covers it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = [f"clip_{row:07d}" for row in range(groups * rows)]
    random = np.random.default_rng(0)
    features = {f"f{column}": random.random(len(keys)) for column in range(columns - 1)}
    pq.write_table(pa.table({"clip_id": keys, **features}), FEATURES, row_group_size=rows)
    lines = (json.dumps({"clip_id": key, "score": row}) for row, key in enumerate(keys))
    Path(SIDECAR).write_text("\n".join(lines), "utf-8")


def read() -> None:
    """Read the table as anyone would."""
    import pyarrow.parquet as pq

    pq.read_table(FEATURES)


if __name__ == "__main__":
    asked = arguments()
    if asked.only == "write":
        write(asked.groups, asked.rows, asked.columns)
    elif asked.only == "read":
        read()
    else:
        main()
