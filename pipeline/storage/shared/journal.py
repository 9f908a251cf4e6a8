"""Journals of JSON records in a local folder: one file per host, to which whole lines are added.

Workers need not wait for each other, and a process that dies leaves at most a torn last line. The newest record of each
subject and kind counts. Clocks of hosts differ, so each record is dated later than all records that its writer has read.
"""

from __future__ import annotations

import fcntl
import functools
import os
import time
from pathlib import Path

from ...errors import InputError
from .. import filenames, writing
from ..jsontext import JsonObject
from .records import Records, date_of, line_of, lines_of


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
            journal.records.newest[subject, kind]
            for journal in self._journals()
            if (subject, kind) in journal.records.newest
        ]
        return max(found, key=date_of, default=None)

    def subjects_since(self, kind: str, status: str, since_ns: int) -> set[str]:
        """The subjects of all records of that kind and status dated `since_ns` or later, even if newer ones exist.

        :raises InputError: a journal cannot be read.
        """
        return {
            subject
            for journal in self._journals()
            for subject in journal.records.subjects_since(kind, status, since_ns)
        }

    def now(self) -> int:
        """Current time in ns, but always later than the newest record, because clocks of hosts may differ.

        :raises InputError: a journal cannot be read.
        """
        self._caught_up = None
        return max(time.time_ns(), *(journal.records.latest + 1 for journal in self._journals()), 0)

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
                line = line_of(subject, kind, value, self.now())
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
        writing.make_folder(self._folder)
        writing.sweep([self._own])
        journals = self._journals()
        if sum(journal.records.lines for journal in journals) > max_lines:
            known = {key for journal in journals for key in journal.records.newest}
            newest = [self.newest(*key) for key in sorted(known)]
            self._caught_up = None
            writing.write_whole(self._own, lines_of(record for record in newest if record is not None))
            for journal in journals:
                if journal.path != self._own:
                    writing.remove(journal.path)

    def settle(self) -> None:
        """Nothing: a journal of many lines is read as fast as one of few."""

    @property
    def _own(self) -> Path:
        return self._folder / f"{filenames.host()}.jsonl"

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
        self.records = Records()
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

    def _take(self, added: bytes) -> None:
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        self.records.take(whole.splitlines())


@functools.cache
def _journal(path: Path) -> _Journal:
    """The journal at `path`. A process has one object per journal, so that it is read once."""
    return _Journal(path)
