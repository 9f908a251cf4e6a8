"""A batch from the first run to the last: who fails, who waits, and what is not touched."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ManifestError, OutputError
from pipeline.tasks.run import BatchResult
from tests.support.builders import (
    forking,
    read_jsonl,
    run_main,
    run_manifest,
    small_batch,
    table_entry,
    tree,
    write_jsonl,
    write_manifest,
)

ALL_OK = {"a": "ok", "b": "ok", "c": "ok"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch `m.json` of the tables a, b and c, each with its own feature table and sidecar."""
    tables = []
    for name in "abc":
        write_jsonl(tmp_path / f"{name}.jsonl", [{"clip_id": "c0"}, {"clip_id": "c1"}])
        write_jsonl(
            tmp_path / f"{name}.dover.jsonl", [{"clip_id": "c0", "score": 1}, {"clip_id": "c1", "score": 2}]
        )
        tables.append(table_entry(name))
    write_manifest(tmp_path / "m.json", tables)
    return tmp_path


def spoil(folder: Path, name: str) -> None:
    """A score of the table's sidecar is no number."""
    write_jsonl(folder / f"{name}.dover.jsonl", [{"clip_id": "c0", "score": "good"}])


def statuses(result: BatchResult) -> dict[str, str]:
    """The status of each table."""
    return {table["id"]: table["status"] for table in result.report["tables"]}


def times(folder: Path) -> dict[str, int]:
    """When each file was last changed."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def remade(folder: Path, change: Callable[[], object]) -> tuple[BatchResult, set[str]]:
    """Run the batch, make a change, run it again: the second result, and the outputs that it made."""
    assert statuses(run_manifest(folder / "m.json")) == ALL_OK
    change()
    before = times(folder)
    result = run_manifest(folder / "m.json")
    return result, {
        name for name, time in times(folder).items() if before.get(name) != time and name[:4] == "out/"
    }


def outputs(*tables: str) -> set[str]:
    """The files that the tables leave behind."""
    return {f"out/{name}.{suffix}" for name in tables for suffix in ("parquet", "audit.json")}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_other_table_still_runs(folder: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """A table that fails and one that waits leave the others alone; the batch has failed: exit code 1."""
    forking(monkeypatch)
    spoil(folder, "a")
    (folder / "b.dover.jsonl").unlink()
    result = run_manifest(folder / "m.json", workers=workers)
    assert result.exit_code == 1
    assert statuses(result) == {"a": "failed", "b": "waiting", "c": "ok"}
    assert set(tree(folder / "out")) == {"c.parquet", "c.audit.json"}


def test_a_batch_that_only_waits(folder: Path) -> None:
    """Where nothing failed but an input is not there yet, the exit code is 3."""
    (folder / "b.jsonl").unlink()
    result = run_manifest(folder / "m.json")
    assert (result.exit_code, statuses(result)) == (3, ALL_OK | {"b": "waiting"})


def test_a_batch_that_is_resumed(folder: Path) -> None:
    """Once the missing input is there, only its table is made, and the batch is complete: exit code 0."""
    scores = folder / "b.dover.jsonl"
    scores.rename(folder / "later")
    run_manifest(folder / "m.json")
    before = times(folder / "out")
    (folder / "later").rename(scores)
    assert run_manifest(folder / "m.json").exit_code == 0
    after = times(folder / "out")
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"b.parquet", "b.audit.json"}


def test_fail_fast(folder: Path) -> None:
    """With `fail_fast` no table begins after one has failed; the failed report is still left.

    Tables begin in the manifest's order.
    """
    spoil(folder, "a")
    result = run_manifest(folder / "m.json", fail_fast=True)
    assert result.exit_code == 1
    assert statuses(result) == {"a": "failed", "b": "not_run", "c": "not_run"}
    assert json.loads((folder / "m.report.failed.json").read_bytes()) == result.report
    assert not (folder / "out").exists()


def test_fail_fast_does_not_mind_a_waiting_table(folder: Path) -> None:
    """A table whose input is not there yet has not failed: the others are made."""
    (folder / "a.jsonl").unlink()
    result = run_manifest(folder / "m.json", fail_fast=True)
    assert (result.exit_code, statuses(result)) == (3, ALL_OK | {"a": "waiting"})


def test_fail_fast_forgets_failures_of_earlier_runs(folder: Path) -> None:
    """What failed in an earlier run does not stop this one."""
    sound = (folder / "a.dover.jsonl").read_bytes()
    spoil(folder, "a")
    run_manifest(folder / "m.json", fail_fast=True)
    (folder / "a.dover.jsonl").write_bytes(sound)
    assert statuses(run_manifest(folder / "m.json", fail_fast=True)) == ALL_OK


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_run_touches_nothing(folder: Path, workers: int) -> None:
    """What is already right is not touched, not even its modification time, and the digest is the same."""
    first = run_manifest(folder / "m.json")
    before = times(folder)
    again = run_manifest(folder / "m.json", workers=workers)
    assert times(folder) == before
    assert (again.exit_code, again.sha256) == (0, first.sha256)


def edit(path: Path, old: bytes, new: bytes) -> None:
    """Change the content of a file, and neither its size nor its time of change."""
    found = path.stat()
    content = path.read_bytes()
    assert old in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


OUTPUT_CHANGES: dict[str, Callable[[Path], object]] = {
    "deleted output": lambda folder: (folder / "out/b.parquet").unlink(),
    "deleted audit": lambda folder: (folder / "out/b.audit.json").unlink(),
    "edited output": lambda folder: edit(folder / "out/b.parquet", b"dover", b"other"),
    "edited audit": lambda folder: edit(folder / "out/b.audit.json", b"dover", b"other"),
    "truncated output": lambda folder: (folder / "out/b.parquet").write_bytes(b"PAR1"),
}


@pytest.mark.parametrize("change", OUTPUT_CHANGES.values(), ids=OUTPUT_CHANGES.keys())
def test_a_spoilt_output_is_made_again(folder: Path, change: Callable[[Path], object]) -> None:
    """A missing, truncated or edited output does not exist: exactly its table is made again, as it was."""
    first = run_manifest(folder / "m.json")
    before = tree(folder / "out")
    result, made = remade(folder, lambda: change(folder))
    assert made == outputs("b")
    assert tree(folder / "out") == before
    assert (result.exit_code, result.sha256) == (0, first.sha256)


INPUT_CHANGES: dict[str, Callable[[Path], object]] = {
    "edited sidecar": lambda folder: edit(folder / "b.dover.jsonl", b'"score": 2', b'"score": 7'),
    "other features": lambda folder: write_jsonl(folder / "b.jsonl", [{"clip_id": "c1"}]),
    "other option": lambda folder: write_manifest(
        folder / "m.json", [table_entry("a"), table_entry("b", prefix="so"), table_entry("c")]
    ),
}


@pytest.mark.parametrize("change", INPUT_CHANGES.values(), ids=INPUT_CHANGES.keys())
def test_a_changed_input_or_option(folder: Path, change: Callable[[Path], object]) -> None:
    """A changed input or option invalidates exactly its table; an edit shows under the old size and time too."""
    result, made = remade(folder, lambda: change(folder))
    assert (made, result.exit_code) == (outputs("b"), 0)


REPORT_CHANGES: dict[str, Callable[[Path], object]] = {
    "deleted JSON": lambda folder: (folder / "m.report.json").unlink(),
    "deleted Markdown": lambda folder: (folder / "m.report.md").unlink(),
    "edited JSON": lambda folder: edit(folder / "m.report.json", b"dover", b"other"),
    "edited Markdown": lambda folder: edit(folder / "m.report.md", b"dover", b"other"),
}


@pytest.mark.parametrize("change", REPORT_CHANGES.values(), ids=REPORT_CHANGES.keys())
def test_a_spoilt_report_is_written_again(folder: Path, change: Callable[[Path], object]) -> None:
    """A report that is gone or was edited is written again, the same; no table is."""
    first = run_manifest(folder / "m.json")
    before = {name: (folder / name).read_bytes() for name in ("m.report.json", "m.report.md")}
    result, made = remade(folder, lambda: change(folder))
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert (made, result.sha256) == (set(), first.sha256)


def test_an_input_that_has_gone(folder: Path) -> None:
    """An input that has gone does not invalidate a table that was complete."""
    result, made = remade(folder, (folder / "b.dover.jsonl").unlink)
    assert (made, result.exit_code) == (set(), 0)


def test_a_changed_manifest_changes_the_report_alone(folder: Path) -> None:
    """A manifest with other blanks or another order of tables makes another report, and no table again."""
    first = run_manifest(folder / "m.json")
    result, made = remade(
        folder,
        lambda: write_manifest(folder / "m.json", [table_entry("c"), table_entry("b"), table_entry("a")]),
    )
    assert (made, list(statuses(result))) == (set(), ["c", "b", "a"])
    assert result.sha256 != first.sha256


def test_the_state_folder_may_be_deleted(folder: Path) -> None:
    """Without the project's own records the tables are made again, and are the same."""
    first = run_manifest(folder / "m.json")
    before = tree(folder / "out")
    for state in folder.glob(".*.state"):
        shutil.rmtree(state)
    assert run_manifest(folder / "m.json").sha256 == first.sha256
    assert tree(folder / "out") == before


def test_the_run_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run that made something adds a line: raw argv, host, durations, peak memory; no report cites it."""
    forking(monkeypatch)
    run_manifest(folder / "m.json", workers=2)
    (folder / "out/b.parquet").unlink()
    run_manifest(folder / "m.json")
    first, second = read_jsonl(folder / "m.run-log.jsonl")
    assert (first["argv"], first["host"], first["workers"]) == (sys.argv, socket.gethostname(), 2)
    assert first["seconds"] > 0
    assert first["peak_memory_mb"] > 1
    assert set(first["tables_ended_after_seconds"]) == {"a", "b", "c"}
    assert second["workers"] == 1
    assert b"run-log" not in (folder / "m.report.json").read_bytes()


def test_a_faulty_manifest_writes_nothing(folder: Path) -> None:
    """A manifest with a fault is refused as a whole before anything is written."""
    write_manifest(folder / "m.json", [table_entry("a"), table_entry("b", out="out/a.parquet")])
    before = tree(folder)
    with pytest.raises(
        ManifestError, match=r"(?s)nothing was written.*tables\[1\]\.out: .*is also tables\[0\]\.out"
    ):
        run_manifest(folder / "m.json")
    assert tree(folder) == before


def test_a_report_that_cannot_be_written(folder: Path) -> None:
    """A report whose folder is a file is an error that says so."""
    with pytest.raises(OutputError, match=r"m\.json/r\.md: cannot be written: (File exists|Not a directory)"):
        run_manifest(folder / "m.json", report_md=folder / "m.json" / "r.md")


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` prints the tables, the report and its digest to stdout, and a line per table to a log."""
    ended = run_main(capsys, "run", folder / "m.json")
    assert ended.code == 0
    assert (
        f"report: {folder}/m.report.json (ok)\nsha256: {run_manifest(folder / 'm.json').sha256}\n"
        in ended.out
    )
    assert "dover 2/0/0" in ended.out
    assert ended.err.splitlines() == [
        f"{name}: complete ({number} of 3)" for number, name in enumerate("abc", 1)
    ]


def test_the_command_on_failure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors go to stderr, each with its table, without a traceback."""
    spoil(folder, "a")
    (folder / "b.dover.jsonl").unlink()
    ended = run_main(capsys, "run", folder / "m.json")
    assert ended.code == 1
    assert "second-opinion: b: b.dover.jsonl: the file is not there yet" in ended.err
    assert "a.dover.jsonl line 1" in ended.err
    assert "Traceback" not in ended.err + ended.out
    assert "m.report.failed.json (failed)" in ended.out


def test_an_error_names_files_as_the_manifest_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads out of the base folder stays whole in the message."""
    small_batch(tmp_path / "sub", features="../nosuch.jsonl")
    monkeypatch.chdir(tmp_path / "sub")
    result = run_manifest(Path("m.json"))
    assert result.report["tables"][0]["error"] == "../nosuch.jsonl: the file is not there yet"


def test_the_report_does_not_depend_on_how_the_base_folder_is_spelled(tmp_path: Path) -> None:
    """The base folder by its name or by a link gives the same report, which stands as it is."""
    manifest = small_batch(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    first = run_manifest(manifest)
    assert run_manifest(manifest, base_dir=tmp_path / "link").sha256 == first.sha256


def test_a_table_that_drop_left_empty_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scorers that share no clip leave nothing under drop; the run is complete, and says so."""
    manifest = small_batch(tmp_path, rows=2, scores=["a=a.jsonl", "b=b.jsonl"], missing_policy="drop")
    write_jsonl(tmp_path / "a.jsonl", [{"clip_id": "c0", "score": 1}])
    write_jsonl(tmp_path / "b.jsonl", [{"clip_id": "c1", "score": 1}])
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 0
    assert "t: missing_policy drop left none of 2 rows" in ended.err
