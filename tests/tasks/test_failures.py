"""Why a table failed is read from its record: who writes it, and what is shown if nobody could."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi.configuration
import pytest

from pipeline.errors import InputError, OutputError
from pipeline.join.materialize import materialize_entry
from pipeline.manifest.batch import load_manifest
from pipeline.records.receipts import Receipts
from pipeline.tasks import graph
from pipeline.tasks.graph import BatchReport
from pipeline.tasks.run import BatchResult
from pipeline.tasks.shared import PROCESS_DIED
from tests.support.builders import batch_of, forking, run_manifest

PARENT = os.getpid()
UNRECORDED = ".m.report.json.state: no record says why; its process was ended, or the folder cannot be written to; run again"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A batch of the tables a, b and c; with two workers each has a process of its own."""
    forking(monkeypatch)
    return batch_of(tmp_path, "abc")


@pytest.fixture
def one_second() -> Iterator[None]:
    """A configuration of Luigi that ends a task's process after a second."""
    settings = luigi.configuration.get_config()  # type: ignore[no-untyped-call]  # luigi's
    settings.set("worker", "timeout", "1")
    yield
    settings.remove_option("worker", "timeout")


def joining(monkeypatch: pytest.MonkeyPatch, table: str, instead: Callable[[], object]) -> None:
    """Have something else happen where one table is joined."""

    def joined(entry: Any, *args: Any, **how: Any) -> Any:
        if entry.id == table:
            instead()
        return materialize_entry(entry, *args, **how)

    monkeypatch.setattr(graph, "materialize_entry", joined)


def failing(exc: Exception) -> Callable[[], object]:
    """What raises that exception."""

    def fail() -> None:
        raise exc

    return fail


def ending(number: signal.Signals) -> Callable[[], object]:
    """What has its own process receive a signal."""
    return lambda: os.kill(os.getpid(), number)


def unwritable(monkeypatch: pytest.MonkeyPatch, *, everywhere: bool) -> None:
    """Have no failure recorded by processes other than this one, or by this one either."""
    record = Receipts.record_failure

    def refuse(self: Receipts, *args: Any) -> None:
        if everywhere or os.getpid() != PARENT:
            raise OutputError(".m.report.json.state: cannot be written: No space left on device")
        record(self, *args)

    monkeypatch.setattr(Receipts, "record_failure", refuse)


def outcomes(result: BatchResult) -> dict[str, str]:
    """Of each table its error, or its status if it has none."""
    return {table["id"]: table.get("error", table["status"]) for table in result.report["tables"]}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("exc", "message"),
    [
        (InputError("a.jsonl: found a folder"), "a.jsonl: found a folder"),
        (ValueError("odd"), "internal error: ValueError: odd"),
    ],
)
def test_a_task_records_every_exception(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, workers: int, exc: Exception, message: str
) -> None:
    """The report shows what was raised, in whichever process; the other tables are joined."""
    joining(monkeypatch, "a", failing(exc))
    assert outcomes(run_manifest(manifest, workers=workers)) == {"a": message, "b": "ok", "c": "ok"}


def test_a_process_that_is_killed(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can record nothing: the process that started it records that it died."""
    joining(monkeypatch, "a", ending(signal.SIGKILL))
    assert outcomes(run_manifest(manifest, workers=2)) == {"a": PROCESS_DIED, "b": "ok", "c": "ok"}


def test_fail_fast_after_a_process_that_is_killed(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table whose process died has failed: the report shows it, and some tables are not begun."""
    joining(monkeypatch, "a", ending(signal.SIGKILL))
    result = run_manifest(manifest, workers=2, fail_fast=True)
    assert (result.exit_code, outcomes(result)["a"]) == (1, PROCESS_DIED)


@pytest.mark.usefixtures("one_second")
def test_a_process_that_takes_too_long(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that Luigi ends, as its configuration sets a timeout, was ended from outside."""
    joining(monkeypatch, "a", signal.pause)
    assert outcomes(run_manifest(manifest, workers=2))["a"] == PROCESS_DIED


def test_a_worker_that_is_told_to_end(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM to one worker ends it as an interrupt would, without a record; the run that goes on reports that."""
    joining(monkeypatch, "a", ending(signal.SIGTERM))
    assert outcomes(run_manifest(manifest, workers=2)) == {"a": UNRECORDED, "b": "ok", "c": "ok"}


def test_a_failure_that_its_process_cannot_record(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the reason is lost, the message does not invent one."""
    joining(monkeypatch, "a", failing(InputError("a.jsonl: found a folder")))
    unwritable(monkeypatch, everywhere=False)
    assert outcomes(run_manifest(manifest, workers=2)) == {"a": UNRECORDED, "b": "ok", "c": "ok"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_that_nobody_can_record(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """The run ends with the reason why the record cannot be written."""
    joining(monkeypatch, "a", failing(InputError("a.jsonl: found a folder")))
    unwritable(monkeypatch, everywhere=True)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        run_manifest(manifest, workers=workers)


def test_what_the_visualiser_shows(manifest: Path) -> None:
    """The message of an error, with files named from the base folder; of an internal error the traceback."""
    report = BatchReport.of(load_manifest(manifest))
    for task in (report, *report.requires()):
        shown = task.on_failure(InputError(f"{manifest.parent}/a.jsonl: found a folder"))
        assert shown == "a.jsonl: found a folder"
        assert task.on_failure(ValueError("odd")).startswith("Runtime error:\n")
