"""Any call to the system that fails: a run ends with a message that names the file, the next one completes it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.builders import clips, lasting, tree, write_jsonl, write_manifest, write_text
from tests.support.forks import forked
from tests.support.processes import started

EVERY = int(os.environ.get("SECOND_OPINION_FAULTS_EVERY", "67"))
"""Of how many calls one fails; 1: each, which takes minutes; 0: each in each way."""

MANY = 300
"""Calls that a run of the smallest batch makes at least."""

SCORES = clips("c0", "c1", score=1)


def batch(folder: Path) -> Path:
    """A folder with a batch `m.json` of three tables in three formats, of which nothing is made."""
    write_jsonl(folder / "lines.jsonl", clips("c0", "c1", f=1))
    pq.write_table(pa.table({"clip_id": ["c0", "c1"], "f": [0.5, 1.5]}), folder / "columns.parquet")
    write_text(folder / "cells.csv", "clip_id,f\nc0,1\nc1,2\n")
    write_jsonl(folder / "dover.jsonl", SCORES)
    write_jsonl(folder / "each/c0.jsonl", clips("c0", score=1))
    write_jsonl(folder / "each/c1.jsonl", clips("c1", score=2))
    write_text(folder / "q.csv", "clip_id,score\nc0,1\nc1,2\n")
    tables = [
        ("lines", "lines.jsonl", "dover=dover.jsonl", "out/lines.jsonl"),
        ("columns", "columns.parquet", "dover=each/*.jsonl", "out/columns.parquet"),
        ("cells", "cells.csv", "q=q.csv", "out/cells.csv.gz"),
    ]
    entries = [
        {"id": name, "features": features, "scores": [scores], "out": out, "audit_json": f"out/{name}.json"}
        for name, features, scores, out in tables
    ]
    write_manifest(folder / "m.json", entries)
    return folder


def changed(folder: Path) -> Path:
    """The same, complete, but for a sidecar that has changed since; its records are long."""
    batch(folder)
    write_jsonl(folder / "dover.jsonl", clips("c0", "c1", score=2))
    assert forked(folder, "run", "m.json").returncode == 0
    write_jsonl(folder / "dover.jsonl", SCORES)
    (journal,) = folder.glob(".*.state/*.jsonl")
    journal.write_bytes(journal.read_bytes() * 50)
    return folder


def faulty(folder: Path) -> Path:
    """The same with nothing made, and with a sidecar that is faulty until `mend`."""
    write_jsonl(batch(folder) / "dover.jsonl", clips("c0", "c1", score="good"))
    return folder


def mend(folder: Path) -> None:
    """Have the sidecar be what it should, if it is not."""
    if (folder / "dover.jsonl").read_bytes() != b"".join(_line(row) for row in SCORES):
        write_jsonl(folder / "dover.jsonl", SCORES)


def _line(row: object) -> bytes:
    return json.dumps(row).encode() + b"\n"


STARTS: dict[str, Callable[[Path], Path]] = {
    "nothing made": batch,
    "a sidecar changed": changed,
    "a sidecar faulty": faulty,
}


@dataclass(frozen=True)
class Met:
    """How a command ended one of whose calls failed.

    Attributes:
        call: the call.
        path: the file it concerned, below the batch's folder.
        errno: how it failed.
        code: exit code.
    """

    call: str
    path: str
    errno: int
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Left:
    """How a run ended, and what it left behind."""

    code: int
    files: dict[str, bytes]


def undisturbed(start: Path, *, mended: bool = False) -> Left:
    """What a run leaves behind that nothing disturbs."""
    folder = Path(shutil.copytree(start, start.with_name(f"undisturbed-{mended}")))
    if mended:
        mend(folder)
    # In a process of its own, as are those that are compared with it.
    return Left(forked(folder, "run", "m.json").returncode, lasting(folder))


def met(copies: Path) -> Iterator[tuple[Path, Met]]:
    """Each copy with what became of it, in the order of the calls."""
    notes = sorted(copies.glob("*.json"), key=lambda path: int(path.name.partition("-")[0]))
    for note in notes:
        yield note.with_suffix(""), Met(**json.loads(note.read_text("utf-8")))


def named(path: str) -> str:
    """What a message calls the file at `path`: a temporary file is the one that it shall become."""
    folder, slash, name = path.rpartition("/")
    temporary = re.fullmatch(r"\.(.+)\.\w+-\d+-\w+\.tmp", name)
    return f"{folder}{slash}{temporary[1]}" if temporary else path


@pytest.mark.parametrize(
    ("start", "workers"), [("nothing made", "1"), ("a sidecar changed", "2"), ("a sidecar faulty", "1")]
)
def test_each_call_that_fails_once(tmp_path: Path, start: str, workers: str) -> None:
    """Whichever call fails: a usual end, or 1 and a message that names the file and why; the next run completes.

    Nothing is ever partial, and the completed batch is that of an undisturbed run, to the byte.
    """
    origin = STARTS[start](tmp_path / "start")
    before, usual = lasting(origin), undisturbed(origin)
    whole = undisturbed(origin, mended=True)
    assert whole.code == 0
    copies = tmp_path / "copies"
    copies.mkdir()
    runs = (sys.executable, "-m", "tests.support.faulting", str(origin), str(EVERY), "run", "m.json")
    ended = started(copies, *runs, "--workers", workers, timeout=7200)
    assert ended.returncode == 0, ended.stderr
    found = list(met(copies))
    assert len(found) * max(EVERY, 1) > MANY
    for folder, how in found:
        told(folder, how, usual, before)
        whole_or_old(folder, [before, usual.files, whole.files])
        mend(folder)
        assert forked(folder, "run", "m.json").returncode == 0, how
        assert lasting(folder) == whole.files, how
        assert [name for name in tree(folder) if name.endswith(".tmp")] == [], how


def told(folder: Path, how: Met, usual: Left, before: Mapping[str, bytes]) -> None:
    """The run ended as it would have, or says what failed and where, as nothing a user can cause is a traceback."""
    assert "Traceback" not in how.err, how
    assert "internal error" not in how.err, how
    if Left(how.code, lasting(folder)) == usual:
        return
    assert how.code == 1 or (how.code == 2 and lasting(folder) == before), how
    assert os.strerror(how.errno) in how.err, how
    assert named(how.path) in how.err, how


def whole_or_old(folder: Path, known: Sequence[Mapping[str, bytes]]) -> None:
    """No file is partial; what a failed report says depends on what failed."""
    for name, content in lasting(folder).items():
        if ".failed." not in name:
            assert content in [each.get(name) for each in known], f"{folder.name}: {name}"
