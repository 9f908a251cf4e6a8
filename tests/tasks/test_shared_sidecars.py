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

import luigi
import pandas as pd
import pytest
from hypothesis import given, settings

from pipeline.errors import BatchError
from pipeline.join import materialize
from pipeline.join.large import matching, prepared
from pipeline.join.large.groups import score_groups, shared_groups
from pipeline.join.matching import Joining
from pipeline.join.matching import begin as by_itself
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.sidecars.record import Scores
from pipeline.join.threads import ReadAhead
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry, TableEntry
from pipeline.storage.locations import Location
from pipeline.storage.shared.lock import one_at_a_time
from pipeline.tasks.graph import BatchReport
from tests.join.test_large import ended
from tests.join.test_oracle import COMMON
from tests.support.batches import Batch, batches
from tests.support.builders import clips, lasting, read_jsonl, run_manifest, write_jsonl, write_manifest
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
    tables = load_manifest(two_tables(tmp_path, missing_policy="drop", prefix="p")).tables
    assert [shared_groups(table, tables) for table in tables] == [[(0,), (1,)], [(1,), (2,)]]
    tables = load_manifest(two_tables(tmp_path, key_normalize="stem")).tables
    assert [shared_groups(table, tables) for table in tables] == [[], []]


def test_sidecars_of_one_table_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no other table reads is not kept, and what is shared must be large by itself."""
    kept: list[str] = []
    monkeypatch.setattr(prepared, "_write", lambda *_: kept.append("written"))
    manifest = two_tables(tmp_path)
    sizes = [(tmp_path / f"{name}.jsonl").stat().st_size for name in ("dover", "qalign")]
    with kept_from(sum(sizes) + 1):
        assert run_manifest(manifest).exit_code == 0
    assert kept == []


def test_an_aspect_and_a_label_may_be_one_scorer(tmp_path: Path) -> None:
    """Sidecars of one scorer are put together, however they name it."""
    for name, first in (("a", 0), ("b", 3)):
        rows = [{"clip_id": f"c{at}", "technical": at, "score": at} for at in range(first, first + 3)]
        write_jsonl(tmp_path / f"{name}.jsonl", rows)
    write_jsonl(tmp_path / "f.jsonl", clips(*(f"c{at}" for at in range(6))))
    scores = [
        {"path": "a.jsonl", "label": "dover", "score_fields": {"technical": "technical"}},
        "dover-technical=b.jsonl",
    ]
    tables = [
        {"id": name, "features": "f.jsonl", "scores": scores, "out": f"{name}.jsonl"} for name in ("t", "u")
    ]
    with kept_from(0):
        assert run_manifest(write_manifest(tmp_path / "m.json", tables)).exit_code == 0
    joined = [row["second_opinion_dover_technical_score"] for row in read_jsonl(tmp_path / "u.jsonl")]
    assert joined == [0, 1, 2, 3, 4, 5]


def test_a_sidecar_that_is_replaced_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of a file that is not there any more are not joined: the table fails, and the next run joins the new ones."""
    real = prepared.read_sidecar  # type: ignore[attr-defined]  # the function of this name there

    def replacing(entry: SidecarEntry, *given: Any) -> list[Scores]:
        if entry.path == "qalign.jsonl":
            rows = [{"clip_id": f"c{at}", "score": 99} for at in range(6)]
            write_jsonl(tmp_path / "dover.jsonl", rows)
        found: list[Scores] = real(entry, *given)
        return found

    manifest = two_tables(tmp_path)
    monkeypatch.setattr(prepared, "read_sidecar", replacing)
    with kept_from(0):
        failed = run_manifest(manifest).report["tables"][0]
        assert "dover.jsonl: the file changed while it was being read" in failed["error"]
        assert run_manifest(manifest).exit_code == 0
    assert pd.read_parquet(tmp_path / "out/t.parquet")["second_opinion_dover_score"][0] == 99


def test_luigis_own_command_leaves_nothing_kept(tmp_path: Path) -> None:
    """Who runs the report by Luigi finds no prepared scores afterwards either."""
    batch = load_manifest(two_tables(tmp_path))
    with kept_from(0):
        assert luigi.build([BatchReport.of(batch)], local_scheduler=True, log_level="CRITICAL")
    assert [*batch.scores_dir.iterdir()] == []


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
            with contextlib.suppress(BatchError):
                return matching.source_of(entry, base, Path(kept), score_groups(entry)[:1]).matching
            return by_itself(entry, base, ahead)

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
