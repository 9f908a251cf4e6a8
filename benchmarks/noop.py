"""How long a run takes in which nothing has changed, against the least it could take.

The least: start Python with luigi, and stat the same files. The two are timed in turn, as whole processes.

    python -m benchmarks.noop [--tables 1000] [--megabytes 10] [--runs 7] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LEAST = """
import json, os, luigi
for table in json.load(open("m.json"))["tables"]:
    for path in (table["features"], table["scores"][0].partition("=")[2], table["out"], table["audit_json"]):
        os.stat(path)
"""
COLUMNS = 60


def main() -> None:
    """Make the batch if it is not there, and time both commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--megabytes", type=float, default=10.0, help="size of each feature table")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="kept, and used again; default: a temporary one")
    given = parser.parse_args()
    if given.folder:
        measure(given.folder, given.tables, given.megabytes, given.runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.tables, given.megabytes, given.runs)


def measure(folder: Path, tables: int, megabytes: float, runs: int) -> None:
    """Print the median times of both commands and the ratio pair by pair."""
    run = [sys.executable, "-m", "pipeline", "run", "m.json"]
    make_batch(folder, tables, megabytes)
    first = seconds(run, folder)
    pairs = [(seconds(run, folder), seconds([sys.executable, "-c", LEAST], folder)) for _ in range(runs)]
    ratios = [ours / least for ours, least in pairs]
    print(f"{tables} tables of {megabytes:g} MB; first run {first:.1f} s")
    print(
        f"no-op {statistics.median(ours for ours, _ in pairs):.3f} s, least {statistics.median(least for _, least in pairs):.3f} s"
    )
    print(
        f"ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f} over {runs} pairs)"
    )


def make_batch(folder: Path, tables: int, megabytes: float) -> None:
    """A batch of equal Parquet tables with one sidecar each, unless the folder holds one."""
    if (folder / "m.json").exists():
        return
    for name in ("f", "s"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = max(1, int(megabytes * 1e6 / 8 / COLUMNS))
    numbers = [float(hash((row, 1.5)) % 10**9) for row in range(rows)]
    columns = {f"x{column}": pa.array(numbers[column:] + numbers[:column]) for column in range(COLUMNS)}
    pq.write_table(
        pa.table({"clip_id": [f"c{row}" for row in range(rows)], **columns}), folder / "f/0.parquet"
    )
    (folder / "s/0.jsonl").write_text(
        "".join(json.dumps({"clip_id": f"c{row}", "score": row / 7}) + "\n" for row in range(rows))
    )
    for table in range(1, tables):
        shutil.copy(folder / "f/0.parquet", folder / f"f/{table}.parquet")
        shutil.copy(folder / "s/0.jsonl", folder / f"s/{table}.jsonl")
    entries = [
        {
            "id": f"t{table}",
            "features": f"f/{table}.parquet",
            "scores": [f"dover=s/{table}.jsonl"],
            "out": f"o/{table}.parquet",
            "audit_json": f"o/{table}.json",
        }
        for table in range(tables)
    ]
    (folder / "m.json").write_text(json.dumps({"tables": entries}))


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of a whole process that must succeed."""
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": "/usr/bin:/bin"}
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
