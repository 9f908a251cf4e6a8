"""One run of a batch: Luigi makes what is not complete, then the files tell the verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import files, runlog
from pipeline.errors import BatchError, InputMissingError
from pipeline.freshness import BatchCheck, cause
from pipeline.lock import holding
from pipeline.manifest import Batch, failed_path
from pipeline.receipts import Failure, Receipts
from pipeline.report import Report

if TYPE_CHECKING:
    from pipeline.scheduling import Watch

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class BatchResult:
    """How a run of a batch ended.

    Attributes:
        report: the report, complete or failed.
        report_json: where it stands.
        sha256: the digest of its bytes, which a training job cites if the batch is complete.
    """

    report: Report
    report_json: Path
    sha256: str

    @property
    def exit_code(self) -> int:
        """0 complete, 1 a table failed, 3 nothing failed but an input is not there yet."""
        return exit_code(self.report)


def run_batch(
    batch: Batch,
    *,
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
    :raises BatchBusyError: another run holds the batch.
    :raises BatchError: the report or the records cannot be written, or the luigid does not answer.
    """
    check = BatchCheck(batch)
    if not check.complete:
        with holding(batch.lock, shared=scheduler is not None):
            check = _make(batch, workers, fail_fast, scheduler, watch or (lambda _table, _complete: None))
    return _verdict(check)


def exit_code(report: Report) -> int:
    """What a command ends with for a batch that stands like this."""
    statuses = {table["status"] for table in report["tables"]}
    if statuses == {"ok"}:
        return 0
    return InputMissingError.exit_code if statuses <= {"ok", "waiting"} else BatchError.exit_code


def _make(batch: Batch, workers: int, fail_fast: bool, scheduler: str | None, watch: Watch) -> BatchCheck:
    """Have Luigi make what is not complete; tells how the batch stands then."""
    from pipeline import scheduling
    from pipeline.interruption import interruptible
    from pipeline.tasks import BatchReport

    started_ns = time.time_ns()
    files.sweep(_written(batch))
    if scheduler is None:
        Receipts(batch.state_dir).prepare(len(batch.tables))
    else:
        scheduling.forgive(scheduler)
    ended: dict[str, float] = {}
    died: set[str] = set()

    def note(table: str, complete: bool) -> None:
        ended[table] = (time.time_ns() - started_ns) / 1e9
        (died.discard if complete else died.add)(table)
        watch(table, complete)

    root = BatchReport.of(batch, started_ns if fail_fast else 0)

    def build() -> BatchCheck:
        scheduling.build(root, workers, scheduler, note)
        if not fail_fast:  # which leaves tables untried, and those have no record either
            _note_dead(batch, died, started_ns)
        return BatchCheck(batch)

    with interruptible():
        check = build()
        while scheduler is not None and not fail_fast and _is_open(check):
            # Another worker is at it, or died, or the luigid forgot: none of it is a verdict.
            time.sleep(_POLL_SECONDS)
            scheduling.forgive(scheduler, patient=True)
            check = build()
    files.sweep(_written(batch))  # of workers that died beside this one
    runlog.append(batch, started_ns / 1e9, ended, workers)
    return _settled(check)


def _settled(check: BatchCheck) -> BatchCheck:
    """The check once more, if it had to read files that had changed within the clock's last tick.

    A tick later they can be known by their signatures, so that the next run has nothing to read.
    """
    if any(table.looked for table in check.tables):
        time.sleep(files.TICK_NS / 1e9)
        check = BatchCheck(check.batch)
    return check


def _verdict(check: BatchCheck) -> BatchResult:
    """Whether the batch is complete, told by its files alone; leaves the failed report if it is not."""
    batch, report = check.batch, check.report
    path = batch.report_json
    if check.tables_complete:
        if check.stale_report:
            _write_report(check)  # the task could not; its error is told from here
            check = BatchCheck(batch)
        for failed in (failed_path(batch.report_json), failed_path(batch.report_md)):
            files.remove(failed)
    else:
        path = failed_path(batch.report_json)
        for name, content in zip((path, failed_path(batch.report_md)), check.content, strict=True):
            if not files.holds(name, content):
                files.write_whole(name, content)
    check.remember()
    return BatchResult(report, path, check.sha256)


def _write_report(check: BatchCheck) -> None:
    from pipeline.tasks import write_report

    write_report(check)


def _is_open(check: BatchCheck) -> bool:
    """Whether a table is neither complete nor known to fail, or the report is still to be written."""
    if check.tables_complete:
        return bool(check.stale_report)
    return any(table["status"] == "not_run" for table in check.report["tables"])


def _note_dead(batch: Batch, died: set[str], since_ns: int) -> None:
    """Record a failure for tables whose process ended before it could: killed, out of memory."""
    receipts = Receipts(batch.state_dir)
    for entry in map(batch.table, died):
        if receipts.failure(entry, since_ns) is None:
            error = "its process was ended from outside, or ran out of memory; run again"
            receipts.record_failure(entry, Failure("failed", error, cause(entry, batch.base_dir)))


def _written(batch: Batch) -> list[Path]:
    """Every file that a run of the batch may write."""
    reports = [batch.report_json, batch.report_md]
    reports += [failed_path(path) for path in reports]
    return reports + [path for entry in batch.tables for _, path in entry.outputs(batch.base_dir)]
