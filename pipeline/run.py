"""One run of a batch: Luigi makes what is not complete, then the verdict, the report's digest, the run log."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import files, runlog
from pipeline.errors import BatchError, InputMissingError
from pipeline.manifest import Batch, failed_path, load_manifest
from pipeline.markdown import to_markdown
from pipeline.receipts import Failure, Receipts
from pipeline.report import Report, TableState, build_report, render
from pipeline.targets import ReportTarget, TableTarget
from pipeline.tasks import BatchReport, Watch, build, write_report


@dataclass(frozen=True)
class BatchResult:
    """How a run of a batch ended.

    Attributes:
        report: the report, complete or failed.
        report_json: where it stands.
        sha256: the digest of its bytes, which a training job cites if the batch is complete.
        exit_code: 0 complete, 1 a table failed, 3 nothing failed but an input is not there yet.
    """

    report: Report
    report_json: Path
    sha256: str
    exit_code: int


def run_batch(
    manifest: str | Path,
    *,
    base_dir: str | Path | None = None,
    report_json: str | Path | None = None,
    report_md: str | Path | None = None,
    workers: int = 1,
    fail_fast: bool = False,
    scheduler: str | None = None,
    watch: Watch | None = None,
) -> BatchResult:
    """Make what is missing or stale of a batch, and its report.

    :param workers: number of processes that make tables.
    :param fail_fast: do not begin another table once one has failed.
    :param scheduler: URL of a luigid; None: the scheduler in this process.
    :param watch: called with a table's id and whether it is complete, as each ends.
    :raises ManifestError: the manifest has a fault; nothing was written.
    :raises BatchError: the report cannot be written.
    """
    batch = load_manifest(manifest, base_dir, report_json, report_md)
    if not ReportTarget(batch).exists():
        with _interruptible():
            _make(batch, workers, fail_fast, scheduler, watch or (lambda _table, _complete: None))
    return _verdict(batch)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGTERM unwind as Ctrl-C does, and no second signal cut short what removes half-written files.

    Workers inherit it: a Ctrl-C reaches them from the terminal, and at once SIGTERM from Luigi.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    unwinding = False

    def interrupt(*_: object) -> None:
        nonlocal unwinding
        if not unwinding:
            unwinding = True
            # A worker process would show a traceback for a KeyboardInterrupt.
            raise KeyboardInterrupt if multiprocessing.parent_process() is None else SystemExit

    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _make(batch: Batch, workers: int, fail_fast: bool, scheduler: str | None, watch: Watch) -> None:
    started = time.time()
    receipts = Receipts(batch.state_dir)
    receipts.clear_failures()
    ended: dict[str, float] = {}
    died: set[str] = set()

    def note(table: str, complete: bool) -> None:
        ended[table] = time.time() - started
        if complete:
            died.discard(table)
        else:
            died.add(table)
        watch(table, complete)

    root = BatchReport(
        manifest=str(batch.manifest),
        base_dir=str(batch.base_dir),
        report_json=str(batch.report_json),
        report_md=str(batch.report_md),
        fail_fast=fail_fast,
    )
    build(root, workers, scheduler, note)
    if not fail_fast:  # which leaves tables untried, and these no record either
        for table in died:
            if receipts.failure(table) is None:
                receipts.record_failure(
                    table, Failure("failed", "its process was ended from outside; out of memory?")
                )
    runlog.append(batch, started, ended, workers)


def _verdict(batch: Batch) -> BatchResult:
    """Whether the batch is complete, told by its files alone; leaves the failed report if it is not."""
    receipts = Receipts(batch.state_dir)
    made = {entry.id: TableTarget(batch, entry).made() for entry in batch.tables}
    if all(made.values()):
        if not ReportTarget(batch).exists():
            write_report(batch)  # the task could not; its error is told from here
        for path in (batch.report_json, batch.report_md):
            files.remove(failed_path(path))
        failures: dict[str, Failure | None] = {}
    else:
        failures = {entry.id: receipts.failure(entry.id) for entry in batch.tables}
    report = build_report(
        batch, [TableState(entry, made[entry.id], failures.get(entry.id)) for entry in batch.tables]
    )
    content = render(report)
    path = batch.report_json
    if report["status"] == "failed":
        path = failed_path(batch.report_json)
        files.write_whole(path, content)
        files.write_whole(failed_path(batch.report_md), to_markdown(report))
    return BatchResult(report, path, hashlib.sha256(content).hexdigest(), _exit_code(report))


def _exit_code(report: Report) -> int:
    if report["status"] == "ok":
        return 0
    statuses = {table["status"] for table in report["tables"]}
    return (
        InputMissingError.exit_code
        if "waiting" in statuses and not statuses & {"failed", "not_run"}
        else BatchError.exit_code
    )
