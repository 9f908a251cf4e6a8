"""How a batch stands, told without making anything: which tables are complete, which are not and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.manifest.batch import Batch
from pipeline.manifest.entries import TableEntry
from pipeline.report.freshness import BatchCheck, TableCheck
from pipeline.storage import filenames

Standing: TypeAlias = Literal["complete", "stale", "missing", "waiting", "failed"]


@dataclass(frozen=True)
class TableStatus:
    """How one table stands.

    Attributes:
        id: its name.
        standing: complete; stale: made, but not of what is asked for now; missing: not made; waiting: an input
            is not there yet; failed: and nothing has changed since that could mend it.
        reasons: why, if it is not complete; the inputs that have gone, if it is.
    """

    id: str
    standing: Standing
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BatchStatus:
    """How a batch stands.

    Attributes:
        tables: in the manifest's order.
        report: why the report does not stand, or empty.
    """

    tables: tuple[TableStatus, ...]
    report: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 the batch is complete, 3 it only waits for inputs, 1 there is something to do or to mend."""
        standings = {table.standing for table in self.tables}
        if standings == {"complete"} and not self.report:
            return 0
        return 3 if "waiting" in standings and standings <= {"complete", "waiting"} else 1


def batch_status(batch: Batch) -> BatchStatus:
    """How the batch stands; writes nothing, and reads only files that may have changed."""
    check = BatchCheck(batch)
    tables = tuple(
        _table(check, entry, table) for entry, table in zip(batch.tables, check.tables, strict=True)
    )
    return BatchStatus(tables, tuple(_report(check)))


def _table(check: BatchCheck, entry: TableEntry, table: TableCheck) -> TableStatus:
    gone = tuple(f"input has gone, {name}" for name in table.gone)
    if table.complete:
        return TableStatus(entry.id, "complete", gone)
    absent = entry.missing(check.batch.base_dir)
    if absent:
        return TableStatus(
            entry.id, "waiting", tuple(f"{field}: {name} is not there yet" for field, name in absent)
        )
    failure = check.failure(entry, table)
    if failure is not None:
        return TableStatus(entry.id, "failed", (failure.error,))
    if table.made is None or not filenames.exists(check.batch.base_dir / entry.out):
        return TableStatus(entry.id, "missing", table.stale)
    return TableStatus(entry.id, "stale", table.stale)


def _report(check: BatchCheck) -> Sequence[str]:
    if check.tables_complete:
        return check.stale_report
    there = filenames.exists(check.batch.report_json)
    return [f"{check.batch.report_json}: {'not all of its tables are complete' if there else 'not there'}"]
