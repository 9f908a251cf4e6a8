"""What was built, and how it failed: the project's own records of a batch.

They are in a hidden folder beside the report (`Batch.state_dir`), in journals, and may be deleted: at worst what they
recorded is built again. A table is known by the path of its output: its id may change, its bytes do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from pipeline.manifest.entries import TableEntry
from pipeline.records.materialized import Materialized
from pipeline.records.snapshots import Record
from pipeline.storage.journal import Journals
from pipeline.storage.jsontext import JsonObject

FailureStatus: TypeAlias = Literal["failed", "waiting"]
_Kind = TypeVar("_Kind")
_SPARE_LINES = 64
_REPORT = ""  # where a table's record has its output


@dataclass(frozen=True)
class Failure:
    """Why a table could not be built.

    Attributes:
        status: it failed, or it waits for an input.
        error: what was wrong, where, and what to do.
        cause: digest of what was requested and of its files; the failure is current while it is the same.
    """

    status: FailureStatus
    error: str
    cause: str


@dataclass(frozen=True)
class ReportRecord:
    """The report that was last found right.

    Attributes:
        identity: of what it reports, see `freshness.BatchCheck.identity`.
        seen: the snapshots of its files, JSON and Markdown.
    """

    identity: str
    seen: list[Record]


class Receipts:
    """The records of one batch in its state folder, as they are when they are first read.

    What this object records itself it also returns; what others record meanwhile only a new one returns.
    """

    def __init__(self, state_dir: Path) -> None:
        self._journals = Journals(state_dir)

    def made(self, entry: TableEntry) -> Materialized | None:
        """What was built for the table when it was last built; None: no record of it."""
        return _read_as(Materialized, self._journals.newest(entry.out, "made"), "made")

    def failure(self, entry: TableEntry, since_ns: int = 0) -> Failure | None:
        """How the table failed when it was last tried; None: it was built since, or not tried since `since_ns`."""
        failed, made = (self._journals.newest(entry.out, kind) for kind in ("failed", "made"))
        if failed is None or failed["at"] < max(since_ns, made["at"] if made else 0):
            return None
        return _read_as(Failure, failed, "failed")

    def has_failed(self, entries: Iterable[TableEntry], since_ns: int) -> bool:
        """Whether one of the tables has failed since; one that waits for an input has not."""
        failed = self._journals.subjects_since("failed", "failed", since_ns)
        failures = (self.failure(entry, since_ns) for entry in entries if entry.out in failed)
        return any(failure is not None and failure.status == "failed" for failure in failures)

    def report(self) -> ReportRecord | None:
        """The report that was last found right; None: no record of one."""
        return _read_as(ReportRecord, self._journals.newest(_REPORT, "report"), "report")

    def now(self) -> int:
        """Current time in ns, but always later than the newest record, because clocks of hosts may differ."""
        return self._journals.now()

    def record_report(self, report: ReportRecord) -> None:
        """Remember the report, so that the next check need not build it again.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(_REPORT, "report", asdict(report))

    def record_made(self, entry: TableEntry, made: Materialized) -> None:
        """Remember what was built; a failure of the table is forgotten.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(entry.out, "made", made.as_json())

    def record_failure(self, entry: TableEntry, failure: Failure) -> None:
        """Remember how the table failed; what was built for it before is not forgotten.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.append(entry.out, "failed", asdict(failure))

    def prepare(self, tables: int) -> None:
        """Create the folder, and shorten the journals when most of their lines are old. For a run without others.

        :raises OutputError: the state folder cannot be written.
        """
        self._journals.prepare(2 * tables + _SPARE_LINES)


def _read_as(kind: type[_Kind], record: JsonObject | None, name: str) -> _Kind | None:
    """What the record holds under `name` as an object; None for no record, or one that was tampered with."""
    try:
        return None if record is None else kind(**record[name])
    except TypeError:
        return None
