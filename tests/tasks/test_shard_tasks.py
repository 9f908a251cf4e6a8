"""The tasks of tables in shards: what they require, who makes them, and what happens when somebody is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import luigi
import pytest

from pipeline.errors import InputError
from pipeline.join.large.groups import score_groups
from pipeline.join.large.shards import index_shards
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry
from pipeline.tasks import shards
from pipeline.tasks.graph import BatchReport, JoinedTable
from pipeline.tasks.shards import JoinedShard, PreparedScores
from tests.support.builders import (
    lasting,
    read_jsonl,
    run_manifest,
    tree,
    write_jsonl,
    write_manifest,
)
from tests.support.forks import forked
from tests.support.processes import COMMAND, luigid, running, started, until
from tests.support.sharded import SHARDS, entry, rows, scores, sharded, summary


def test_a_sidecar_that_changes_before_the_index(tmp_path: Path) -> None:
    """Shards that were joined from other scores are no part of an index: nothing is written."""
    batch = load_manifest(sharded(tmp_path))
    (table,) = BatchReport.of(batch).requires()
    assert luigi.build([*table.requires().values()], local_scheduler=True, log_level="CRITICAL")
    write_jsonl(tmp_path / "dover.jsonl", scores(11))
    with pytest.raises(InputError, match="shards or sidecars changed while they were joined"):
        table.run()
    assert not (tmp_path / "joined/_second_opinion.json").exists()


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ("dover.jsonl", {"clip_id": "z", "score": 1}),
        ("features/corpus=bvi/part-0.jsonl", {"clip_id": "z", "f": 1}),
    ],
)
def test_what_changes_while_the_whole_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, row: dict[str, object]
) -> None:
    """It is noticed before the index takes its name, and the next run makes all anew."""
    manifest = sharded(tmp_path)

    def changing(*given: Any) -> Any:
        write_jsonl(tmp_path / changed, [*read_jsonl(tmp_path / changed), row])
        return index_shards(*given)

    with monkeypatch.context() as patch:
        patch.setattr(shards, "index_shards", changing)
        assert run_manifest(manifest).exit_code == 1
    assert not (tmp_path / "joined/_second_opinion.json").exists()
    assert run_manifest(manifest).exit_code == 0


def test_the_tasks(tmp_path: Path) -> None:
    """The report needs the table, the table its shards, each shard its features and the scores that all share."""
    batch = load_manifest(sharded(tmp_path))
    (table,) = BatchReport.of(batch).requires()
    assert isinstance(table, JoinedTable)
    parts = table.requires()
    assert [*parts] == [f"features/{name}.jsonl" for name in SHARDS]
    assert all(isinstance(shard, JoinedShard) for shard in parts.values())
    needed = {shard.requires()["scores/0"].task_id for shard in parts.values()}
    assert len(needed) == 1
    assert table.output().path.endswith("joined/_second_opinion.json")
    assert luigi.build(
        [parts["features/corpus=bvi/part-0.jsonl"]], local_scheduler=True, log_level="CRITICAL"
    )
    assert (tmp_path / "joined/corpus=bvi/part-0.jsonl").exists()
    assert not (tmp_path / "joined/corpus=chug").exists()
    scores_task = parts["features/corpus=bvi/part-0.jsonl"].requires()["scores/0"]
    assert isinstance(scores_task, PreparedScores)
    assert scores_task.complete()
    write_jsonl(tmp_path / "dover.jsonl", scores(11))
    assert not scores_task.complete()


def test_prepared_scores_go_when_the_batch_is_complete(tmp_path: Path) -> None:
    """They are there as long as a shard may need them."""
    manifest = sharded(tmp_path, missing_policy="fail")
    write_jsonl(tmp_path / "dover.jsonl", scores(8))
    assert run_manifest(manifest).exit_code == 1
    folder = load_manifest(manifest).scores_dir
    assert {path.suffix for path in folder.iterdir()} == {".arrow", ".json", ".lock"}
    write_jsonl(tmp_path / "dover.jsonl", scores())
    assert run_manifest(manifest).exit_code == 0
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize("workers", [1, 4])
def test_the_bytes_do_not_depend_on_the_workers(tmp_path: Path, workers: int) -> None:
    """One worker and several write the same files."""
    for name, number in (("one", 1), ("several", workers)):
        (tmp_path / name).mkdir()
        ended = forked(tmp_path / name, "run", str(sharded(tmp_path / name)), "--workers", str(number))
        assert ended.returncode == 0, ended.stderr
    assert lasting(tmp_path / "one") == lasting(tmp_path / "several")


def test_workers_of_a_luigid_divide_the_shards(tmp_path: Path) -> None:
    """Two workers join each shard once, and write one report: that of a run without a luigid."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for folder in (alone, shared):
        folder.mkdir()
        sharded(folder)
    assert run_manifest(alone / "m.json").exit_code == 0
    with luigid(tmp_path / "luigid") as scheduler, contextlib.ExitStack() as stack:
        command = (*COMMAND, "run", "m.json", "--scheduler", scheduler.url)
        runs = [stack.enter_context(running(shared, *command)) for _ in range(2)]
        ended = [run.end() for run in runs]
    assert [each.returncode for each in ended] == [0, 0], ended
    assert lasting(shared) == lasting(alone)


def test_killed_before_every_change_to_a_file(tmp_path: Path) -> None:
    """A run that is killed before any change it makes is finished by the next; whole shards are not made again."""
    origin, whole = tmp_path / "start", tmp_path / "whole"
    origin.mkdir()
    sharded(origin)
    shutil.copytree(origin, whole)
    assert run_manifest(whole / "m.json").exit_code == 0
    expected = lasting(whole)
    copies = tmp_path / "copies"
    copies.mkdir()
    ended = started(copies, sys.executable, "-m", "tests.support.crashing", str(origin), "run", "m.json")
    assert ended.returncode == 0, ended.stderr
    for copy in sorted(copies.iterdir()):
        there = {
            name: (copy / name).stat().st_mtime_ns
            for name, content in lasting(copy).items()
            if name.startswith("joined/corpus") and expected.get(name) == content
        }
        assert run_manifest(copy / "m.json").exit_code == 0
        assert lasting(copy) == expected, copy.name
        assert {name: (copy / name).stat().st_mtime_ns for name in there} == there
        assert [name for name in tree(copy) if name.endswith(".tmp")] == []


def test_a_run_that_is_killed_is_resumed(tmp_path: Path) -> None:
    """Kill -9 of a run with processes: shards that are there stay as they are."""
    manifest = sharded(tmp_path)
    for number in range(30):
        write_jsonl(tmp_path / f"features/corpus=more/{number:02}.jsonl", rows(0, 12))
    with running(tmp_path, *COMMAND, "run", "m.json", "--workers", "2") as run:
        until(lambda: len([*(tmp_path / "joined").rglob("*.jsonl")]) > 3, "some joined shards")
        os.killpg(run.pid, signal.SIGKILL)
        run.end()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "joined").rglob("[!.]*.jsonl")}
    assert run_manifest(manifest).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert summary(tmp_path)["input_rows"] == 370


def test_sidecars_are_prepared_in_groups(tmp_path: Path) -> None:
    """Sidecars of one label are read together, those of others beside them; without a label all are together."""
    manifest = sharded(
        tmp_path, scores=["dover=dover.jsonl", "q=q.jsonl", "dover=more.jsonl"], audit_json=None
    )
    write_jsonl(tmp_path / "more.jsonl", [{"clip_id": "c99", "score": 1}])
    write_jsonl(tmp_path / "q.jsonl", scores(5))
    write_jsonl(tmp_path / "all.jsonl", [row for each in SHARDS.values() for row in rows(*each)])
    table = load_manifest(manifest).table("t")
    assert score_groups(table) == [(0, 2), (1,)]
    assert score_groups(replace(table, scores=(*table.scores, SidecarEntry("free.jsonl")))) == [(0, 1, 2, 3)]
    assert run_manifest(manifest, workers=2).exit_code == 0
    one = entry(features="all.jsonl", out="one.jsonl", scores=[*table.as_json()["scores"]], audit_json=None)
    write_manifest(tmp_path / "one.json", [one])
    assert run_manifest(tmp_path / "one.json").exit_code == 0
    assert summary(tmp_path) == summary(tmp_path, "one")


def test_prepared_scores_that_are_damaged(tmp_path: Path) -> None:
    """They are read anew: they are the project's own, and no user's fault."""
    manifest = sharded(tmp_path, missing_policy="fail")
    write_jsonl(tmp_path / "dover.jsonl", scores(8))
    assert run_manifest(manifest).exit_code == 1
    for path in load_manifest(manifest).scores_dir.iterdir():
        path.write_bytes(path.read_bytes()[:-20])
    write_manifest(tmp_path / "m.json", [entry()])
    write_jsonl(tmp_path / "features/corpus=new/part-0.jsonl", rows(0, 1))
    assert run_manifest(manifest).exit_code == 0
