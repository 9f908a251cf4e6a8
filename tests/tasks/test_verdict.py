"""What a run says at its end, and that nothing beside the batch changes it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import BatchBusyError, BatchError, InputError, OutputError
from pipeline.storage import writing
from pipeline.storage.shared.journal import Journals
from pipeline.storage.shared.lock import holding
from pipeline.tasks import graph as tasks
from pipeline.tasks.run import BatchResult
from tests.support.builders import (
    batch_of,
    clips,
    run_main,
    run_manifest,
    table_entry,
    write_jsonl,
    write_manifest,
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A batch of the tables a and b that has not run yet."""
    return batch_of(tmp_path, "ab")


def spoil(manifest: Path, *names: str) -> None:
    """A score of each of these tables is no number."""
    for name in names:
        write_jsonl(manifest.with_name(f"{name}.dover.jsonl"), clips("c0", score="good"))


def statuses(result: BatchResult) -> list[str]:
    """The status of each table."""
    return [table["status"] for table in result.report["tables"]]


def test_a_manifest_that_is_edited_meanwhile(manifest: Path) -> None:
    """What a run makes of two manifests is no batch: it says so, and the next run makes the batch of the new one."""

    def edit(*_: object) -> None:
        write_manifest(manifest, [table_entry("b")])

    with pytest.raises(BatchError, match=r"m\.json: the manifest changed while the batch ran; run again"):
        run_manifest(manifest, watch=edit)
    assert not manifest.with_name("m.report.failed.json").exists()
    assert statuses(run_manifest(manifest)) == ["ok"]


def test_a_manifest_that_goes_meanwhile(manifest: Path) -> None:
    """A manifest that is no longer there has changed."""
    with pytest.raises(BatchError, match="the manifest changed while the batch ran"):
        run_manifest(manifest, watch=lambda *_: manifest.unlink(missing_ok=True))


def test_an_input_that_changes_while_it_is_read(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report names what failed in the run, though the inputs are others by now."""

    def changing(entry: Any, base: Path, *_: object, **__: object) -> None:
        write_jsonl(base / entry.features.path, clips("c0", "c1", "c2"))
        raise InputError(f"{entry.features.path}: the file changed while it was being read")

    monkeypatch.setattr(tasks, "materialize_entry", changing)
    first, _ = run_manifest(manifest).report["tables"]
    assert (first["status"], first["error"]) == (
        "failed",
        "a.jsonl: the file changed while it was being read",
    )


def test_fail_fast_tells_only_of_what_was_tried(manifest: Path) -> None:
    """A table that failed in an earlier run and was not tried in this one is not run."""
    spoil(manifest, "a", "b")
    assert statuses(run_manifest(manifest)) == ["failed", "failed"]
    assert statuses(run_manifest(manifest, fail_fast=True)) == ["failed", "not_run"]


def test_a_run_log_that_cannot_be_written(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict stands without the run log; that there is none is said."""
    manifest.with_name("m.run-log.jsonl").mkdir()
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 0
    assert "m.report.json (ok)\nsha256: " in ended.out
    assert "m.run-log.jsonl: cannot be written: Is a directory; the batch is not affected" in ended.err


def test_a_complete_batch_on_a_read_only_file_system(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is complete is so wherever it lies, though nothing can be noted or removed there."""
    digest = run_manifest(manifest).sha256
    for path in (manifest.with_name("a.jsonl"), manifest.with_name("m.report.json")):
        path.touch()  # so that it is read again, which a run would like to remember

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    def refuse_record(*_: object) -> None:
        raise OutputError("Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Journals, "append", refuse_record)
    result = run_manifest(manifest)
    assert (result.exit_code, result.sha256) == (0, digest)


def test_the_verdict_is_given_while_the_batch_is_held(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other run can change the batch before the report of this one is written."""
    spoil(manifest, "a")
    write_whole = writing.write_whole

    def held(path: Path, content: bytes) -> None:
        with pytest.raises(BatchBusyError, match="holds this batch"):
            holding(manifest.with_name("m.lock"), shared=False).__enter__()
        write_whole(path, content)

    monkeypatch.setattr(writing, "write_whole", held)
    assert run_manifest(manifest).exit_code == 1
    assert manifest.with_name("m.report.failed.json").exists()
