"""kill -9 at any moment of a run: nothing partial is taken for whole, nothing finished is made again."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builders import lasting, run_manifest, small_batch, tree, write_jsonl, write_manifest
from tests.support.forks import forked
from tests.support.processes import COMMAND, Running, running, started, until, writers

TABLES = {"a": "out/a.parquet", "b": "out/b.jsonl"}
Stamps = dict[str, tuple[int, int]]


def batch(folder: Path, rows: int = 5) -> Path:
    """A folder with a batch `m.json` of two tables and their audits, of which nothing is made."""
    small_batch(folder, rows)
    shutil.copy(folder / "dover.jsonl", folder / "b.jsonl")
    scores = {"a": "dover=dover.jsonl", "b": "dover=b.jsonl"}
    tables = [
        {
            "id": name,
            "features": "features.jsonl",
            "scores": [scores[name]],
            "out": out,
            "audit_json": f"out/{name}.audit.json",
        }
        for name, out in TABLES.items()
    ]
    write_manifest(folder / "m.json", tables)
    return folder


def changed(folder: Path) -> Path:
    """A batch that was complete, failed when a sidecar changed, and is mended; its records are long."""
    batch(folder)
    run_manifest(folder / "m.json")
    write_jsonl(folder / "b.jsonl", [{"clip_id": "c0", "score": "good"}])
    run_manifest(folder / "m.json")
    write_jsonl(folder / "b.jsonl", [{"clip_id": f"c{row}", "score": row} for row in range(5)])
    (journal,) = folder.glob(".*.state/*.jsonl")
    journal.write_bytes(journal.read_bytes() * 50)
    return folder


STARTS: dict[str, Callable[[Path], Path]] = {"nothing made": batch, "a sidecar changed": changed}


def undisturbed(start: Path) -> dict[str, bytes]:
    """What a run that is not killed leaves behind."""
    folder = Path(shutil.copytree(start, start.with_name("undisturbed")))
    assert run_manifest(folder / "m.json").exit_code == 0
    return lasting(folder)


def finished(folder: Path, whole: dict[str, bytes]) -> Stamps:
    """The files of the tables that are there whole, with inode and time of change."""
    there = lasting(folder)
    outputs = [(out, f"out/{name}.audit.json") for name, out in TABLES.items()]
    done = [pair for pair in outputs if all(there.get(name) == whole[name] for name in pair)]
    return {name: stamp(folder / name) for name in itertools.chain(*done)}


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is written again."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def recovers(folder: Path, before: dict[str, bytes], whole: dict[str, bytes], moment: str) -> None:
    """What stands after a crash is old or new, never partial; the next run makes the rest, and only that."""
    for name, content in lasting(folder).items():
        assert content in (before.get(name), whole.get(name)), f"{moment}: {name} is neither old nor new"
    kept = finished(folder, whole)
    assert run_manifest(folder / "m.json").exit_code == 0, moment
    assert lasting(folder) == whole, moment
    assert {name: stamp(folder / name) for name in kept} == kept, f"{moment}: a finished table was made again"
    assert [name for name in tree(folder) if name.endswith(".tmp")] == [], moment


@pytest.mark.parametrize(("start", "workers"), [("nothing made", "2"), ("a sidecar changed", "1")])
def test_killed_before_every_change_to_a_file(tmp_path: Path, start: str, workers: str) -> None:
    """A run that is killed before any change it makes to any file is finished by the next, to the byte.

    The moments: each file opened for writing, dated, renamed, removed, each folder made.
    """
    origin = STARTS[start](tmp_path / "start")
    before, whole = lasting(origin), undisturbed(origin)
    copies = tmp_path / "copies"
    copies.mkdir()
    crashes = (
        sys.executable,
        "-m",
        "tests.support.crashing",
        str(origin),
        "run",
        "m.json",
        "--workers",
        workers,
    )
    ended = started(copies, *crashes)
    assert ended.returncode == 0, ended.stderr
    moments = len(list(copies.iterdir()))
    assert moments > 20
    for moment in range(1, moments + 1):
        recovers(copies / str(moment), before, whole, f"before change {moment}")


def part_written(share: float) -> Callable[[Path, int, float], bool]:
    """Whether that share of the second table stands in its temporary file, or all of it at its place."""
    return lambda folder, size, _: (
        any(_size(path) >= share * size for path in folder.glob("out/.b.*.tmp"))
        or (folder / "out/b.jsonl").exists()
    )


def after(seconds: float) -> Callable[[Path, int, float], bool]:
    """Whether so much time has passed since the start."""
    return lambda _folder, _size, began: time.monotonic() - began >= seconds


MOMENTS = {f"{share:.0%} of a file": part_written(share) for share in (0.01, 0.3, 0.6)} | {
    f"after {seconds} s": after(seconds) for seconds in (0.3, 0.5, 0.7)
}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A batch whose second table takes a while to write, and what an undisturbed run leaves behind."""
    folder = batch(tmp_path_factory.mktemp("large") / "start", rows=10_000)
    return folder, undisturbed(folder)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_the_midst(tmp_path: Path, large: tuple[Path, dict[str, bytes]], moment: str) -> None:
    """A run that is killed while it writes, or at any other time, is finished by the next, to the byte."""
    origin, whole = large
    folder = Path(shutil.copytree(origin, tmp_path / "batch"))
    began, size = time.monotonic(), len(whole["out/b.jsonl"])
    with running(folder, *COMMAND, "run", "m.json", "--workers", "2"):
        until(lambda: MOMENTS[moment](folder, size, began), moment)
    for name, content in lasting(folder).items():
        assert content == whole[name], f"{name} is partial"
    assert forked(folder, "run", "m.json").returncode == 0
    assert lasting(folder) == whole
    assert [name for name in tree(folder) if name.endswith(".tmp")] == []


def worker(run: Running, folder: Path) -> int:
    """The number of a process of the run that writes a table, which is not the run's first."""
    number = min(until(lambda: writers(run, folder / "out/b.jsonl"), "a table that is being written"))
    assert number != run.pid
    return number


def test_a_worker_that_is_killed(tmp_path: Path, large: tuple[Path, dict[str, bytes]]) -> None:
    """A worker process that is killed fails its table, with a message; the others are made, the next run finishes."""
    origin, whole = large
    folder = Path(shutil.copytree(origin, tmp_path / "batch"))
    with running(folder, *COMMAND, "run", "m.json", "--workers", "2") as run:
        os.kill(worker(run, folder), signal.SIGKILL)
        ended = run.end()
    assert ended.returncode == 1
    assert "b: its process was ended from outside, or ran out of memory; run again" in ended.stderr
    assert set(lasting(folder)) >= {"out/a.parquet", "out/a.audit.json", "m.report.failed.json"}
    assert not (folder / "out/b.jsonl").exists()
    assert forked(folder, "run", "m.json").returncode == 0
    assert lasting(folder) == whole


def test_workers_that_outlive_their_run(tmp_path: Path, large: tuple[Path, dict[str, bytes]]) -> None:
    """Where only a run's first process is killed, its workers hold the batch to their end: 4, then it is finished."""
    origin, whole = large
    folder = Path(shutil.copytree(origin, tmp_path / "batch"))
    with running(folder, *COMMAND, "run", "m.json", "--workers", "2") as run:
        orphan = worker(run, folder)
        os.kill(orphan, signal.SIGSTOP)
        os.kill(run.pid, signal.SIGKILL)
        until(lambda: not run.runs, "the end of the first process")
        held = forked(folder, "run", "m.json")
        assert held.returncode == 4
        assert "holds this batch" in held.stderr
        os.kill(orphan, signal.SIGCONT)
        codes = iter(lambda: forked(folder, "run", "m.json").returncode, 0)
        assert set(itertools.islice(codes, 50)) <= {4}
    assert lasting(folder) == whole
