"""Where tables are made: in the run's own process or in one of their own, and what is read for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi.configuration
import pytest

from pipeline.join.materialize import materialize_entry
from pipeline.manifest.batch import load_manifest
from pipeline.tasks import graph as tasks
from pipeline.tasks import shared
from pipeline.tasks.graph import BatchReport
from pipeline.tasks.run import run_batch
from pipeline.tasks.shared import SMALL_BYTES
from tests.support.builders import (
    batch_of,
    clips,
    run_manifest,
    table_entry,
    tree,
    write_jsonl,
    write_manifest,
)


@pytest.fixture
def makers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which each table that is made leaves a file `<its out> <number of the process>`."""
    folder = tmp_path / "makers"
    folder.mkdir()

    def noted(entry: Any, *args: Any, **how: Any) -> Any:
        (folder / f"{Path(entry.out).stem} {os.getpid()}").touch()
        return materialize_entry(entry, *args, **how)

    monkeypatch.setattr(tasks, "materialize_entry", noted)
    return folder


@pytest.fixture
def forced() -> Iterator[None]:
    """A configuration of Luigi that asks for processes whatever they cost."""
    settings = luigi.configuration.get_config()  # type: ignore[no-untyped-call]  # luigi's
    settings.set("worker", "force_multiprocessing", "true")
    yield
    settings.remove_option("worker", "force_multiprocessing")


def made_here(makers: Path) -> dict[str, bool]:
    """Each table with whether this process made it."""
    made = (path.name.split() for path in makers.iterdir())
    return {table: process == str(os.getpid()) for table, process in made}


def test_only_a_large_table_has_a_process_of_its_own(tmp_path: Path, makers: Path) -> None:
    """With two workers a table that reads little is made in the run's own process, any other beside it."""
    manifest = batch_of(tmp_path / "batch", "abc")
    write_jsonl(tmp_path / "batch/b.jsonl", [*clips("c0"), *clips("c1", much="x" * SMALL_BYTES)])
    assert run_manifest(manifest, workers=2).exit_code == 0
    assert made_here(makers) == {"a": True, "b": False, "c": True}


@pytest.mark.usefixtures("forced")
def test_luigi_may_be_told_to_fork(tmp_path: Path, makers: Path) -> None:
    """Where Luigi's configuration asks for processes, each table has one."""
    assert run_manifest(batch_of(tmp_path / "batch", "ab"), workers=2).exit_code == 0
    assert made_here(makers) == {"a": False, "b": False}


def test_a_table_whose_input_is_not_there(tmp_path: Path, makers: Path) -> None:
    """A table whose input is not there is not begun, and the others are joined."""
    manifest = batch_of(tmp_path / "batch", "ab")
    (tmp_path / "batch/a.jsonl").unlink()
    assert run_manifest(manifest, workers=2).exit_code == 3
    assert set(made_here(makers)) == {"b"}


def test_the_manifest_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks of a batch that has just been read take it from there."""
    batch = load_manifest(batch_of(tmp_path, "ab"))
    monkeypatch.setattr(shared, "load_manifest", lambda *places: pytest.fail(f"read again: {places}"))
    assert run_batch(batch).exit_code == 0


def test_a_manifest_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """A task goes by its manifest as it stands, though another was read before it."""
    manifest = batch_of(tmp_path, "ab")
    batch = load_manifest(manifest)
    write_manifest(manifest, [table_entry("b")])
    assert [table.table for table in BatchReport.of(batch).requires()] == ["b"]
    task = BatchReport.of(load_manifest(manifest))
    write_manifest(manifest, [table_entry("a")])
    assert [table.table for table in task.requires()] == ["a"]


def test_the_same_name_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest is known by where it is, not by its name from the working folder."""
    for place in ("first", "second"):
        batch_of(tmp_path / place, "a")
        monkeypatch.chdir(tmp_path / place)
        assert run_manifest(Path("m.json")).exit_code == 0
    assert set(tree(tmp_path / "second/out")) == {"a.parquet", "a.audit.json"}


def test_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    """A folder's link is followed anew by each run."""
    link = tmp_path / "link"
    for place in ("first", "second"):
        batch_of(tmp_path / place, "a")
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / place)
        assert run_manifest(link / "m.json").exit_code == 0
    assert set(tree(tmp_path / "second/out")) == {"a.parquet", "a.audit.json"}
