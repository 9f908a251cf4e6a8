"""Receipts of a batch: the project's own records of tables that were built and of failures.

They are in journals in a hidden folder beside the report (`Batch.state_dir`). They may be deleted: the tables are then
built again. A table is identified by the path of its output, because its id may change while its bytes do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, TypeVar

from ..manifest.entries import TableEntry
from ..storage.jsontext import JsonObject
from ..storage.locations import Location
from ..storage.objects import ObjectPath
from ..storage.shared.journal import Journals
from ..storage.shared.object_journal import ObjectJournals
from .materialized import Materialized
from .snapshots import Record

FailureStatus: TypeAlias = Literal["failed", "waiting"]
_Kind = TypeVar("_Kind")
_SPARE_LINES = 64
_REPORT = ""  # the subject of the report's record; a table's record has its output as subject


@dataclass(frozen=True)
class Failure:
    """Why a table could not be built.

    Attributes:
        status: `failed`, or `waiting` for an input.
        error: the message of the error.
        cause: the `failure_key` of the table when it failed; the failure is current while the key is the same.
    """

    status: FailureStatus
    error: str
    cause: str


@dataclass(frozen=True)
class ReportRecord:
    """The record of the report that was last found up to date.

    Attributes:
        identity: digest of its facts, see `freshness.BatchCheck.identity`.
        seen: the snapshots of its files, JSON and Markdown.
    """

    identity: str
    seen: list[Record]


class Receipts:
    """The records of one batch in its state folder, as they are when they are first read.

    An object returns its own later records too, but later records of other processes only a new object returns.

    :param only: the one table that it will be asked about; None: any.
    """

    def __init__(self, state_dir: Location, only: TableEntry | None = None) -> None:
        self._journals: Journals | ObjectJournals = (
            ObjectJournals(state_dir, only.out if only else "")
            if isinstance(state_dir, ObjectPath)
            else Journals(state_dir)
        )

    def built(self, entry: TableEntry) -> Materialized | None:
        """The last record of a build of the table; None if there is none."""
        return _read_as(Materialized, self._journals.newest(entry.out, "made"), "made")

    def failure(self, entry: TableEntry, since_ns: int = 0) -> Failure | None:
        """The last failure of the table; None if it was built since then, or if it was not tried since `since_ns`."""
        failed, built = (self._journals.newest(entry.out, kind) for kind in ("failed", "made"))
        if failed is None or failed["at"] < max(since_ns, built["at"] if built else 0):
            return None
        return _read_as(Failure, failed, "failed")

    def has_failed(self, entries: Iterable[TableEntry], since_ns: int) -> bool:
        """True if one of the tables has failed since `since_ns`; waiting for an input is not a failure."""
        failed = self._journals.subjects_since("failed", "failed", since_ns)
        failures = (self.failure(entry, since_ns) for entry in entries if entry.out in failed)
        return any(failure is not None and failure.status == "failed" for failure in failures)

    def report(self) -> ReportRecord | None:
        """The record of the report that was last found up to date; None if there is none."""
        return _read_as(ReportRecord, self._journals.newest(_REPORT, "report"), "report")

    def now(self) -> int:
        """Current time in ns, but always later than the newest record, because clocks of hosts may differ."""
        return self._journals.now()

    def record_report(self, report: ReportRecord) -> None:
        """Record the report, so that the next check need not build it again.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(_REPORT, "report", asdict(report))

    def record_built(self, entry: TableEntry, built: Materialized) -> None:
        """Record a build of the table, which ends its failure.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(entry.out, "made", built.as_json())

    def record_failure(self, entry: TableEntry, failure: Failure) -> None:
        """Record a failure of the table; the record of its last build is kept.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(entry.out, "failed", asdict(failure))

    def prepare(self, tables: int) -> None:
        """Create the folder, and shorten the journals if most of their lines are old. No other run may be active.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.prepare(2 * tables + _SPARE_LINES)

    def settle(self) -> None:
        """Have the next reader find the records fast; the batch is complete.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.settle()


def _read_as(kind: type[_Kind], record: JsonObject | None, name: str) -> _Kind | None:
    """The object of the record's field `name`; None if there is no record, or if it was edited by hand."""
    try:
        return None if record is None else kind(**record[name])
    except TypeError:
        return None
