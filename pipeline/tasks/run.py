"""One run of a batch: Luigi joins the incomplete tables, then the verdict is read from the files."""

from __future__ import annotations

import configparser
import contextlib
import time
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import BatchError, OutputError, UsageError, count, exit_code, show
from ..manifest.batch import Batch, failed_path
from ..records.receipts import Failure, Receipts
from ..report.build import Report
from ..report.freshness import BatchCheck, failure_key
from ..storage import files, writing
from ..storage.locations import Location
from . import runlog

if TYPE_CHECKING:
    from .luigi_internals import Watch


@dataclass(frozen=True)
class BatchResult:
    """How a run of a batch ended.

    Attributes:
        report: the report, complete or failed.
        report_json: its path.
        sha256: the digest of its bytes, which a training job cites if the batch is complete.
        warnings: problems that do not affect the batch.
    """

    report: Report
    report_json: Location
    sha256: str
    warnings: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 complete, 1 a table failed, 3 nothing failed but an input is not there yet."""
        return exit_code(table["status"] for table in self.report["tables"])


def run_batch(
    batch: Batch,
    *,
    workers: int = 1,
    fail_fast: bool = False,
    scheduler: str | None = None,
    watch: Watch | None = None,
) -> BatchResult:
    """Join the missing and stale tables of a batch, and write its report.

    :param workers: number of processes that join tables.
    :param fail_fast: do not begin another table once one has failed.
    :param scheduler: URL of a luigid; None: the scheduler in this process.
    :param watch: called with a table's id and whether it is complete, as each ends.
    :raises UsageError: the URL is invalid, or Luigi's configuration cannot be used; nothing was written.
    :raises BatchBusyError: another run holds the batch.
    :raises BatchError: the report or the records cannot be written, the manifest was changed meanwhile, or the
        luigid does not answer.
    """
    if scheduler is not None and not _is_url(scheduler):
        raise UsageError(
            f"--scheduler: found {show(scheduler)}; expected a URL such as http://127.0.0.1:8082"
        )
    check = BatchCheck(batch)
    if check.complete:
        _sweep_prepared(batch)  # a run that was killed may have left it
        return _verdict(check)
    _check_settings()
    from ..join.large import budget

    budget.share(workers)
    from ..lineage import runs
    from . import scheduling

    with scheduling.held(batch, scheduler), runs.batch_run(batch):
        return _run(batch, workers, fail_fast, scheduler, watch or (lambda _table, _complete: None))


def unrecorded(batch: Batch) -> str:
    """The message for a table that Luigi reports as failed, and of which no record says why."""
    folder = batch.relative(batch.state_dir)
    return (
        f"{folder}: no record says why; its process was ended, or the folder cannot be written to; run again"
    )


def _run(batch: Batch, workers: int, fail_fast: bool, scheduler: str | None, watch: Watch) -> BatchResult:
    """Run Luigi on the incomplete tables, then check the batch and return the result."""
    from ..lineage import runs
    from . import scheduling
    from .graph import BatchReport

    started = time.time()
    since_ns = Receipts(batch.state_dir).now()
    root = BatchReport.of(batch, since_ns if fail_fast else 0)
    if scheduler is None:
        Receipts(batch.state_dir).prepare(len(batch.tables))
    ended: dict[str, float] = {}
    failed: set[str] = set()

    def note(table: str, complete: bool) -> None:
        ended[table] = time.time() - started
        (failed.discard if complete else failed.add)(table)
        watch(table, complete)

    def read() -> BatchCheck:
        if not fail_fast:  # it leaves tables untried, which have no record either
            _record_unrecorded(batch, failed, since_ns)
        return BatchCheck(batch, since_ns, tried_only=fail_fast)

    def is_open(check: BatchCheck, _waited: float) -> bool:
        """Whether a table is neither complete nor known to fail, or another worker is writing the report."""
        if fail_fast:
            return False
        if check.tables_complete:
            return bool(check.stale_report) and scheduling.is_running(root, scheduler)
        return any(table["status"] == "not_run" for table in check.report["tables"])

    work = scheduling.Work(batch, root, _written(batch), read, is_open, note)
    check = scheduling.complete(work, workers, scheduler)
    result = _verdict(_settled(check))
    if not result.exit_code:
        _sweep_prepared(batch)
    unsent = runs.end(batch, "FAIL" if result.exit_code else "COMPLETE", _reason(result))
    return replace(result, warnings=_logged(batch, started, ended, workers, unsent))


def _reason(result: BatchResult) -> str:
    """Why the batch is not complete, for its lineage; empty if it is."""
    summary = result.report["summary"]
    counted = [
        (summary.get("failed_tables", 0), "failed"),
        (summary.get("waiting_tables", 0), "waiting for an input"),
    ]
    return ", ".join(f"{count(number, 'table')} {state}" for number, state in counted if number)


def _is_url(scheduler: str) -> bool:
    try:
        found = urllib.parse.urlsplit(scheduler)
        named = found.port != 0 and bool(found.hostname)
    except ValueError:
        return False
    return named and found.scheme in ("http", "https") and scheduler.isprintable() and " " not in scheduler


def _check_settings() -> None:
    """:raises UsageError: Luigi cannot use the configuration that it finds."""
    try:
        from .luigi_internals import read_settings

        read_settings()
    except (configparser.Error, ValueError) as exc:
        reason = " ".join(str(exc).split())
        raise UsageError(
            f"Luigi's configuration (luigi.cfg, LUIGI_CONFIG_PATH) cannot be used: {reason}"
        ) from exc


def _logged(
    batch: Batch, started: float, ended: dict[str, float], workers: int, unsent: str
) -> tuple[str, ...]:
    """Add the run to the run log; returns a warning if that fails."""
    try:
        runlog.append(batch, started, ended, workers, unsent)
    except OutputError as exc:
        return (f"{exc}; the batch is not affected",)
    return ()


def _settled(check: BatchCheck) -> BatchCheck:
    """The check once more, if it had to read files that had changed within the clock's last tick.

    A tick later their signatures identify them, so that the next run reads nothing.
    """
    if any(table.was_read for table in check.tables):
        time.sleep(files.TICK_NS / 1e9)  # the clock's tick is what has to pass
        check = check.again()
    return check


def _verdict(check: BatchCheck) -> BatchResult:
    """The result of the batch, from its files alone; writes the failed report if it is not complete."""
    batch, report = check.batch, check.report
    path = batch.report_json
    if check.tables_complete:
        if check.stale_report:
            _write_report(check.again())  # the task could not; this raises its error
            check = check.again()
        for failed in (failed_path(batch.report_json), failed_path(batch.report_md)):
            writing.remove(failed)
    else:
        path = failed_path(batch.report_json)
        for name, content in zip((path, failed_path(batch.report_md)), check.content, strict=True):
            if not files.holds(name, content):
                writing.write_whole(name, content)
    with contextlib.suppress(OutputError):  # a read-only file system; the next run checks again
        check.remember()
    return BatchResult(report, path, check.sha256)


def _sweep_prepared(batch: Batch) -> None:
    """Remove prepared scores: the batch is complete."""
    with contextlib.suppress(BatchError):  # a read-only file system
        writing.clear(batch.scores_dir)


def _write_report(check: BatchCheck) -> None:
    from .graph import write_report

    write_report(check)


def _record_unrecorded(batch: Batch, failed: Iterable[str], since_ns: int) -> None:
    """Record a failure for tables that could not record one in this run.

    :raises OutputError: it cannot be recorded now either.
    """
    receipts = Receipts(batch.state_dir)
    for table in failed:
        entry = batch.table(table)
        # A table that misses an input by now waits for it, whatever Luigi made of that.
        if receipts.failure(entry, since_ns) is None and not entry.missing(batch.base_dir):
            failure = Failure("failed", unrecorded(batch), failure_key(entry, batch.base_dir))
            receipts.record_failure(entry, failure)


def _written(batch: Batch) -> list[Location]:
    """Every file that a run of the batch may write."""
    reports = [batch.report_json, batch.report_md]
    reports += [failed_path(path) for path in reports]
    return reports + [path for entry in batch.tables for _, path in entry.outputs(batch.base_dir)]
