"""What was made, and how it failed: the project's own records of a batch.

They stand in a hidden folder beside the report (`Batch.state_dir`), one journal per host that ran the batch, and
may be deleted: at worst what they told is made again. A journal is only ever added to, whole lines at a time, so
that workers need not wait for each other and a process that dies leaves at most a torn last line. The newest
record of each kind counts; as clocks of hosts disagree, each record is dated behind all that its writer sees.
A table is known by the place of its output: its id may change, its bytes do not.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from pipeline.errors import InputError
from pipeline.manifest.entries import TableEntry
from pipeline.records.materialized import Materialized
from pipeline.records.snapshots import Record
from pipeline.storage import filenames, jsontext, writing
from pipeline.storage.jsontext import JsonObject

FailureStatus: TypeAlias = Literal["failed", "waiting"]
_Kind = TypeVar("_Kind")
_FORMAT = 1  # raised when a record, or an object in it, is told otherwise
_KINDS = {"made", "failed", "report"}
_SPARE_LINES = 64
_REPORT = ""  # where a table's record has its output


@dataclass(frozen=True)
class Failure:
    """Why a table could not be made.

    Attributes:
        status: it failed, or it waits for an input.
        error: what was wrong, where, and what to do.
        cause: what was asked for and from which files; while it is the same, the failure is news.
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
    """The records of one batch in its state folder, as they stand when they are first asked for.

    What this object records itself it also tells; what others record meanwhile is for a new one to tell.
    """

    def __init__(self, state_dir: Path) -> None:
        self._dir = state_dir
        self._caught_up: list[_Journal] | None = None

    def made(self, entry: TableEntry) -> Materialized | None:
        """What was made for the table when it was last made; None: nothing that is known of."""
        return _read_as(Materialized, self._newest(entry.out, "made"), "made")

    def failure(self, entry: TableEntry, since_ns: int = 0) -> Failure | None:
        """How the table failed when it was last tried; None: it was made since, or not tried since `since_ns`."""
        failed, made = (self._newest(entry.out, kind) for kind in ("failed", "made"))
        if failed is None or failed["at"] < max(since_ns, made["at"] if made else 0):
            return None
        return _read_as(Failure, failed, "failed")

    def has_failed(self, entries: Iterable[TableEntry], since_ns: int) -> bool:
        """Whether one of the tables has failed since; one that waits for an input has not."""
        failed = {out for journal in self._journals() for out in journal.failed_since(since_ns)}
        failures = (self.failure(entry, since_ns) for entry in entries if entry.out in failed)
        return any(failure is not None and failure.status == "failed" for failure in failures)

    def report(self) -> ReportRecord | None:
        """The report that was last found right; None: nothing that is known of."""
        return _read_as(ReportRecord, self._newest(_REPORT, "report"), "report")

    def now(self) -> int:
        """The time in ns, or right behind the newest record, should its host's clock have been ahead of this one's."""
        self._caught_up = None
        return max(time.time_ns(), *(journal.latest + 1 for journal in self._journals()), 0)

    def record_report(self, report: ReportRecord) -> None:
        """Remember the report, so that the next look need not make it again.

        :raises OutputError: the state folder cannot be written.
        """
        self._append({"out": _REPORT, "report": asdict(report)})

    def record_made(self, entry: TableEntry, made: Materialized) -> None:
        """Remember what was made; a failure of the table is forgotten.

        :raises OutputError: the state folder cannot be written.
        """
        self._append({"out": entry.out, "made": made.as_json()})

    def record_failure(self, entry: TableEntry, failure: Failure) -> None:
        """Remember how the table failed; what was made for it before is not forgotten.

        :raises OutputError: the state folder cannot be written.
        """
        self._append({"out": entry.out, "failed": asdict(failure)})

    def prepare(self, tables: int) -> None:
        """Make the folder, and shorten the journals when most of their lines are old. For a run without others.

        :raises OutputError: the state folder cannot be written.
        """
        with writing.guarded(self._dir):
            self._dir.mkdir(parents=True, exist_ok=True)
        writing.sweep([self._own])
        journals = self._journals()
        if sum(journal.lines for journal in journals) > 2 * tables + _SPARE_LINES:
            known = {key for journal in journals for key in journal.newest}
            lines = [jsontext.canonical(self._newest(*key)) for key in sorted(known)]
            self._caught_up = None
            writing.write_whole(self._own, b"".join(line + b"\n" for line in lines))
            for journal in journals:
                if journal.path != self._own:
                    writing.remove(journal.path)

    @property
    def _own(self) -> Path:
        return self._dir / f"{writing.host()}.jsonl"

    def _journals(self) -> list[_Journal]:
        if self._caught_up is None:
            names = [name for name in filenames.names_in(self._dir) if name.endswith(".jsonl")]
            self._caught_up = [_journal(self._dir / name) for name in names]
            for journal in self._caught_up:
                journal.catch_up()
        return self._caught_up

    def _newest(self, out: str, kind: str) -> JsonObject | None:
        """The newest record of that kind, of the table at `out`, over all hosts."""
        found = [journal.newest[out, kind] for journal in self._journals() if (out, kind) in journal.newest]
        return max(found, key=lambda record: record["at"], default=None)

    def _append(self, record: JsonObject) -> None:
        path = self._own
        with writing.guarded(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(writing.open_own(path, os.O_RDWR | os.O_APPEND), "ab+", buffering=0) as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                line = jsontext.canonical(record | {"format": _FORMAT, "at": self.now()}) + b"\n"
                self._caught_up = None
                end = stream.seek(0, os.SEEK_END)
                if end and os.pread(stream.fileno(), 1, end - 1) != b"\n":
                    line = b"\n" + line  # behind what a process that died left torn
                while line:  # a disk that fills up takes a part, and refuses only the rest
                    line = line[stream.write(line) :]


class _Journal:
    """One journal as far as it was read; reading on is cheap."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self.lines = 0
        self.latest = 0
        self.newest: dict[tuple[str, str], JsonObject] = {}
        self._failures: list[tuple[int, str]] = []
        self._inode = 0
        self._read = 0

    def catch_up(self) -> None:
        """Read what was added since the last time; all, if the file is another one.

        :raises InputError: it is there and cannot be read.
        """
        try:
            found = self.path.stat()
            if found.st_ino != self._inode or found.st_size < self._read:
                self._forget()
                self._inode = found.st_ino
            if found.st_size > self._read:
                with self.path.open("rb") as stream:
                    stream.seek(self._read)
                    self._take(stream.read())
        except FileNotFoundError:
            self._forget()
        except OSError as exc:
            self._forget()
            raise InputError(f"{self.path}: cannot be read: {exc.strerror}") from exc

    def failed_since(self, since_ns: int) -> Iterator[str]:
        """The outputs of tables that have failed since, though they may have been made after that."""
        return (out for at, out in self._failures if at >= since_ns)

    def _take(self, added: bytes) -> None:
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self.lines += 1
            record = _parsed(line)
            if record is not None:
                self.latest = max(self.latest, record["at"])
                self.newest.update({(record["out"], kind): record for kind in _KINDS & record.keys()})
                failed = record.get("failed")
                if isinstance(failed, dict) and failed.get("status") == "failed":
                    self._failures.append((record["at"], record["out"]))


@functools.cache
def _journal(path: Path) -> _Journal:
    """The journal at `path`; one per process, so that it is read once."""
    return _Journal(path)


def _read_as(kind: type[_Kind], record: JsonObject | None, name: str) -> _Kind | None:
    """What the record holds under `name` as an object; None for no record, or one that was tampered with."""
    try:
        return None if record is None else kind(**record[name])
    except TypeError:
        return None


def _parsed(line: bytes) -> JsonObject | None:
    """The record on a line; None for a torn line, and for one that another version of the project wrote."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    known = (
        isinstance(record, dict)
        and record.get("format") == _FORMAT
        and isinstance(record.get("out"), str)
        and isinstance(record.get("at"), int)
    )
    return record if known else None
