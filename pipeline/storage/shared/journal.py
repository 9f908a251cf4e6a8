"""Journals of JSON records: one file per host in a folder, to which whole lines are added.

Workers need not wait for each other, and a process that dies leaves at most a torn last line. A record names a subject and
contains values by kind; a value may have a status. The newest record of each subject and kind counts. Clocks of hosts
differ, so each record is dated later than all records that its writer has read.

::

    {"at": 1764000000000000000, "format": 1, "out": "joined/a.parquet", "made": {...}}
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from .. import filenames, jsontext, writing
from ..jsontext import JsonObject

_FORMAT = 1  # raised by one if the form of a record or of an object in it changes
_SUBJECT, _DATE = "out", "at"
_OWN_MEMBERS = {"format", _SUBJECT, _DATE}


class Journals:
    """The journals of one folder, as they are when they are first read; `now` and `append` read them again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._caught_up: list[_Journal] | None = None

    def newest(self, subject: str, kind: str) -> JsonObject | None:
        """The newest record of that kind about the subject, over all hosts; None if there is none.

        :raises InputError: a journal cannot be read.
        """
        found = [
            journal.newest[subject, kind] for journal in self._journals() if (subject, kind) in journal.newest
        ]
        return max(found, key=lambda record: record[_DATE], default=None)

    def subjects_since(self, kind: str, status: str, since_ns: int) -> set[str]:
        """The subjects of all records of that kind and status dated `since_ns` or later, even if newer ones exist.

        :raises InputError: a journal cannot be read.
        """
        return {
            subject
            for journal in self._journals()
            for subject in journal.subjects_since(kind, status, since_ns)
        }

    def now(self) -> int:
        """Current time in ns, but always later than the newest record, because clocks of hosts may differ.

        :raises InputError: a journal cannot be read.
        """
        self._caught_up = None
        return max(time.time_ns(), *(journal.latest + 1 for journal in self._journals()), 0)

    def append(self, subject: str, kind: str, value: object) -> None:
        """Add a record to this host's journal.

        :raises OutputError: the journal cannot be written.
        :raises InputError: a journal cannot be read.
        """
        path = self._own
        with writing.guarded(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(writing.open_own(path, os.O_RDWR | os.O_APPEND), "ab+", buffering=0) as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                record = {_SUBJECT: subject, kind: value, "format": _FORMAT, _DATE: self.now()}
                line = jsontext.canonical(record) + b"\n"
                self._caught_up = None
                end = stream.seek(0, os.SEEK_END)
                if end and os.pread(stream.fileno(), 1, end - 1) != b"\n":
                    line = b"\n" + line  # ends the torn line of a process that died
                while line:  # a disk that fills up accepts a part and rejects the rest
                    line = line[stream.write(line) :]

    def prepare(self, max_lines: int) -> None:
        """Create the folder, and drop old records if there are more than `max_lines`. No other run may be active.

        :raises OutputError: the folder or a journal cannot be written.
        :raises InputError: a journal cannot be read.
        """
        with writing.guarded(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        writing.sweep([self._own])
        journals = self._journals()
        if sum(journal.lines for journal in journals) > max_lines:
            known = {key for journal in journals for key in journal.newest}
            lines = [jsontext.canonical(self.newest(*key)) for key in sorted(known)]
            self._caught_up = None
            writing.write_whole(self._own, b"".join(line + b"\n" for line in lines))
            for journal in journals:
                if journal.path != self._own:
                    writing.remove(journal.path)

    @property
    def _own(self) -> Path:
        return self._folder / f"{writing.host()}.jsonl"

    def _journals(self) -> list[_Journal]:
        if self._caught_up is None:
            names = [name for name in filenames.names_in(self._folder) if name.endswith(".jsonl")]
            self._caught_up = [_journal(self._folder / name) for name in names]
            for journal in self._caught_up:
                journal.catch_up()
        return self._caught_up


class _Journal:
    """One journal as far as it was read; the next read continues there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self.lines = 0
        self.latest = 0
        self.newest: dict[tuple[str, str], JsonObject] = {}
        self._dates: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._inode = 0
        self._read = 0

    def catch_up(self) -> None:
        """Read what was added since the last time, or everything if the file was replaced.

        :raises InputError: the file exists and cannot be read.
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

    def subjects_since(self, kind: str, status: str, since_ns: int) -> Iterator[str]:
        """The subjects of the records of that kind and status dated `since_ns` or later."""
        return (subject for date, subject in self._dates[kind, status] if date >= since_ns)

    def _take(self, added: bytes) -> None:
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self.lines += 1
            record = _parsed(line)
            if record is not None:
                self.latest = max(self.latest, record[_DATE])
                for kind in record.keys() - _OWN_MEMBERS:
                    self.newest[record[_SUBJECT], kind] = record
                    value = record[kind]
                    if isinstance(value, dict) and isinstance(status := value.get("status"), str):
                        self._dates[kind, status].append((record[_DATE], record[_SUBJECT]))


@functools.cache
def _journal(path: Path) -> _Journal:
    """The journal at `path`. A process has one object per journal, so that it is read once."""
    return _Journal(path)


def _parsed(line: bytes) -> JsonObject | None:
    """The record on a line; None for a torn line or another format."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    known = (
        isinstance(record, dict)
        and record.get("format") == _FORMAT
        and isinstance(record.get(_SUBJECT), str)
        and isinstance(record.get(_DATE), int)
    )
    return record if known else None
