"""A feature table is never in memory whole: one that is larger by much takes hardly more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.join.tables import open_table
from tests.support.builders import write_jsonl
from tests.support.processes import COMMAND, environment

CELLS = 200
FEATURES = {f"f{cell}": cell + 0.123456 for cell in range(CELLS)}
NAMES = ("clip_id", *FEATURES)


def write_table(path: Path, megabytes: int) -> None:
    """A table of clips c0, c1 ... and many measured values, in the format of its name."""
    values = list(FEATURES.values())
    csv = path.suffix == ".csv"
    rest = ",".join(map(str, values)) if csv else json.dumps(FEATURES)[1:]
    rows = megabytes * 1_000_000 // len(rest)
    with path.open("w", encoding="ascii") as stream:
        if csv:
            stream.write(",".join(NAMES) + "\n")
        for row in range(rows):
            stream.write(f"c{row},{rest}\n" if csv else f'{{"clip_id": "c{row}", {rest}\n')


def peak_megabytes(folder: Path, features: str, out: str) -> float:
    """The most resident memory of a join of one sidecar onto the table."""
    joining = f"join --features {features} --scores nr=nr.jsonl --out {out} --missing-policy mark"
    process = subprocess.Popen(
        [*COMMAND, *joining.split()],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.mark.parametrize(
    ("suffix", "out", "small", "large"), [(".csv", "out.parquet", 96, 240), (".jsonl", "out.jsonl", 24, 96)]
)
def test_a_table_streams(tmp_path: Path, suffix: str, out: str, small: int, large: int) -> None:
    """Memory grows by less than half of what was added to the file, which held at once would take all of it.

    The small file, in MB, fills all that is read ahead.
    """
    write_jsonl(tmp_path / "nr.jsonl", [{"clip_id": "c1", "score": 0.5}])
    peaks = []
    for megabytes in (small, large):
        write_table(tmp_path / f"f{suffix}", megabytes)
        peaks.append(peak_megabytes(tmp_path, f"f{suffix}", out))
    assert peaks[1] - peaks[0] < (large - small) / 2, peaks


def test_a_row_group_streams(tmp_path: Path) -> None:
    """Of a Parquet table of one row group, less than the table is in memory while its rows are given."""
    megabytes = 160
    column = pa.array(np.random.default_rng(0).random(500_000))
    written = {f"f{at}": column for at in range(megabytes // 4)}
    pq.write_table(pa.table({"clip_id": pa.array(range(500_000)), **written}), tmp_path / "f.parquet")
    del column, written
    before = pa.total_allocated_bytes()
    features = open_table(tmp_path / "f.parquet", None)
    held = [pa.total_allocated_bytes() - before for _ in features.chunks("arrow")]
    assert max(held) < megabytes * 1e6
