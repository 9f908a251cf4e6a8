"""A feature table is never in memory whole: one that is larger by much takes hardly more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import write_jsonl
from tests.processes import COMMAND, environment

SMALL, LARGE = 24, 96  # MB; beside what pyarrow reads ahead of a CSV, 64 MB
CELLS = 200
FEATURES = {f"f{cell}": cell + 0.123456 for cell in range(CELLS)}
NAMES = ("clip_id", *FEATURES)


def write_table(path: Path, megabytes: int) -> int:
    """A table of clips c0, c1 ... and many measured values, in the format of its name; the number of its rows."""
    values = list(FEATURES.values())
    csv = path.suffix == ".csv"
    rest = ",".join(map(str, values)) if csv else json.dumps(FEATURES)[1:]
    rows = megabytes * 1_000_000 // len(rest)
    with path.open("w", encoding="ascii") as stream:
        if csv:
            stream.write(",".join(NAMES) + "\n")
        for row in range(rows):
            stream.write(f"c{row},{rest}\n" if csv else f'{{"clip_id": "c{row}", {rest}\n')
    return rows


def peak_megabytes(folder: Path, features: str, out: str) -> float:
    """The most resident memory of a join of one sidecar onto the table."""
    process = subprocess.Popen(
        [*COMMAND, "join", "--features", features, "--scores", "nr=nr.jsonl", "--out", out]
        + ["--missing-policy", "mark"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("out", ["same", ".parquet"])
def test_a_table_streams(tmp_path: Path, suffix: str, out: str) -> None:
    """Four times the rows take less than a third of what was added to the file."""
    write_jsonl(tmp_path / "nr.jsonl", [{"clip_id": "c1", "score": 0.5}])
    out = f"out{suffix if out == 'same' else out}"
    peaks = []
    for megabytes in (SMALL, LARGE):
        write_table(tmp_path / f"f{suffix}", megabytes)
        peaks.append(peak_megabytes(tmp_path, f"f{suffix}", out))
    assert peaks[1] - peaks[0] < (LARGE - SMALL) / 3, peaks
