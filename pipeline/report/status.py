"""The status of a batch: which tables are complete, and why the others are not. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import BatchError, exit_code
from ..manifest.batch import Batch
from ..manifest.entries import TableEntry
from ..storage import filenames
from ..storage.locations import located
from .freshness import BatchCheck, TableCheck

State: TypeAlias = Literal["complete", "stale", "missing", "waiting", "failed"]


@dataclass(frozen=True)
class TableStatus:
    """The status of one table.

    Attributes:
        id: the id of the table.
        state: complete; stale: it exists but is out of date; missing: it does not exist; waiting: an input does not
            exist yet; failed: it failed, and nothing it depends on has changed since.
        reasons: why it is not complete; of a complete table, the inputs that are missing.
    """

    id: str
    state: State
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BatchStatus:
    """The status of a batch.

    Attributes:
        tables: in the manifest's order.
        report: why the report is not up to date, or empty.
    """

    tables: tuple[TableStatus, ...]
    report: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 the batch is complete, 3 it only waits for inputs, 1 something is out of date, missing or failed."""
        tables = exit_code("ok" if table.state == "complete" else table.state for table in self.tables)
        return tables or (BatchError.exit_code if self.report else 0)


def batch_status(batch: Batch) -> BatchStatus:
    """The status of the batch; writes nothing, and reads only files that may have changed."""
    check = BatchCheck(batch)
    tables = tuple(
        _table(check, entry, table) for entry, table in zip(batch.tables, check.tables, strict=True)
    )
    return BatchStatus(tables, tuple(_report(check)))


def _table(check: BatchCheck, entry: TableEntry, table: TableCheck) -> TableStatus:
    missing = tuple(f"input is missing, {name}" for name in table.missing)
    if table.complete:
        return TableStatus(entry.id, "complete", missing)
    absent = entry.missing(check.batch.base_dir)
    if absent:
        return TableStatus(
            entry.id, "waiting", tuple(f"{field}: {name} is not there yet" for field, name in absent)
        )
    failure = check.failure(entry, table)
    if failure is not None:
        return TableStatus(entry.id, "failed", (failure.error,))
    if table.built is None or not filenames.exists(located(check.batch.base_dir, entry.target)):
        return TableStatus(entry.id, "missing", table.stale)
    return TableStatus(entry.id, "stale", table.stale)


def _report(check: BatchCheck) -> Sequence[str]:
    if check.tables_complete:
        return check.stale_report
    exists = filenames.exists(check.batch.report_json)
    return [f"{check.batch.report_json}: {'not all of its tables are complete' if exists else 'not there'}"]
