"""Sidecars that several tables of a batch read are read once."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from pipeline.join import materialize
from pipeline.join.large import matching, prepared
from pipeline.join.matching import Joining
from pipeline.join.matching import begin as in_memory_or_not
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.sidecars.record import Scores
from pipeline.join.threads import ReadAhead
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry, TableEntry
from pipeline.storage.locations import Location
from pipeline.storage.shared.lock import one_at_a_time
from tests.join.test_large import ended
from tests.join.test_oracle import COMMON
from tests.support.batches import Batch, batches
from tests.support.builders import clips, lasting, run_manifest, write_jsonl, write_manifest
from tests.support.examples import EXAMPLES
from tests.support.processes import started

CRASHING = """
import runpy
from pipeline.join.large import matching
matching.MIN_SHARED_BYTES = 0
runpy.run_module("tests.support.crashing", run_name="__main__")
"""
"""As `python -m tests.support.crashing`, but sidecars of any size are kept."""

SCORES: dict[str, Any] = {"dover": "dover.jsonl", "qalign": "qalign.jsonl"}


@contextlib.contextmanager
def kept_from(size: int) -> Iterator[None]:
    """Sidecars that are shared are kept from this size on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MIN_SHARED_BYTES", size)
        yield


def two_tables(folder: Path, **changed: Any) -> Path:
    """A manifest of two tables with the same sidecars, in another order, and one of their own."""
    for name, label in (("dover", "dover"), ("qalign", "qalign"), ("own", "own")):
        rows = [{"clip_id": f"c{at}", "score": at / 4} for at in range(6)]
        write_jsonl(folder / f"{name}.jsonl", [{**row, "competitor": label} for row in rows])
    for name, first in (("t", 0), ("u", 3)):
        write_jsonl(folder / f"{name}.jsonl", clips(*(f"c{at}" for at in range(first, first + 3)), "none"))
    both = [f"{label}={path}" for label, path in SCORES.items()]
    tables = [
        {
            "id": "t",
            "features": "t.jsonl",
            "scores": both,
            "out": "out/t.parquet",
            "audit_json": "out/t.json",
        },
        {"id": "u", "features": "u.jsonl", "scores": ["own=own.jsonl", *both[::-1]], "out": "out/u.csv"},
    ]
    return write_manifest(folder / "m.json", [tables[0], tables[1] | changed])


def test_each_sidecar_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joined tables, audits and report are those of tables that read for themselves, and nothing kept is left."""
    read: list[str] = []

    def reading(entry: SidecarEntry, *given: Any) -> list[Scores]:
        read.append(entry.path)
        return read_sidecar(entry, *given)

    with kept_from(1 << 40):
        assert run_manifest(two_tables(tmp_path / "apart")).exit_code == 0
    monkeypatch.setattr(prepared, "read_sidecar", reading)
    with kept_from(0):
        assert run_manifest(manifest := two_tables(tmp_path / "shared")).exit_code == 0
    assert sorted(read) == ["dover.jsonl", "own.jsonl", "qalign.jsonl"]
    assert lasting(tmp_path / "shared") == lasting(tmp_path / "apart")
    assert [*load_manifest(manifest).scores_dir.iterdir()] == []


def test_other_ways_to_read_are_not_shared(tmp_path: Path) -> None:
    """Tables share a sidecar if they read it in the same way; the rest of their options may differ."""
    assert load_manifest(two_tables(tmp_path, missing_policy="drop", prefix="p")).sharing == {"t", "u"}
    assert load_manifest(two_tables(tmp_path, key_normalize="stem")).sharing == set()


def test_a_fault_is_that_of_every_table(tmp_path: Path) -> None:
    """A faulty sidecar fails each table that reads it, by the message that it would have by itself."""
    messages = []
    for size in (1 << 40, 0):
        folder = tmp_path / str(size)
        manifest = two_tables(folder)
        write_jsonl(folder / "dover.jsonl", [{"clip_id": "c0", "score": "high"}])
        with kept_from(size):
            result = run_manifest(manifest)
        assert result.exit_code == 1
        messages.append([table["error"] for table in result.report["tables"]])
    assert messages[0] == messages[1]
    assert all("dover.jsonl line 1: field score: found 'high'" in each for each in messages[0])


@settings(COMMON, max_examples=EXAMPLES)
@given(batch=batches())
def test_the_result_is_that_of_a_join_in_memory(batch: Batch) -> None:
    """Joined table and audit are equal byte for byte, and so are errors."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other, TemporaryDirectory() as kept:
        for name in (one, other):
            batch.write(Path(name))
        in_memory = ended(batch, Path(one))

        def begin(entry: TableEntry, base: Location, ahead: ReadAhead) -> Joining:
            with kept_from(0):
                scores = matching.shared_scores(entry, base, Path(kept), lambda _doing, _share: None)
            return in_memory_or_not(entry, base, ahead) if scores is None else scores.matching

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(materialize, "begin", begin)
            assert ended(batch, Path(other)) == in_memory


def test_killed_before_every_change_to_a_file(tmp_path: Path) -> None:
    """A run that is killed before any change it makes is finished by the next, and nothing kept is left."""
    origin, copies = two_tables(tmp_path / "start").parent, tmp_path / "copies"
    whole = shutil.copytree(origin, tmp_path / "whole")
    assert run_manifest(whole / "m.json").exit_code == 0
    copies.mkdir()
    ended = started(copies, sys.executable, "-c", CRASHING, str(origin), "run", "m.json")
    assert ended.returncode == 0, ended.stderr
    for copy in sorted(copies.iterdir()):
        with kept_from(0):
            assert run_manifest(copy / "m.json").exit_code == 0
        assert lasting(copy) == lasting(whole), copy.name
        kept = load_manifest(copy / "m.json").scores_dir
        assert not kept.exists() or [*kept.iterdir()] == []


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """While one is in the block the lock is taken, and free afterwards."""
    path = tmp_path / "x.lock"
    with one_at_a_time(path), path.open("rb") as other, pytest.raises(BlockingIOError, match="unavailable"):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
