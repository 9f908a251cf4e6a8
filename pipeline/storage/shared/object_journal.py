"""Journals of JSON records in a store, where nothing can be added to an object: each record is an object of its own.

The records of one subject are in a folder, so that one subject can be asked about alone. The newest record of each
subject and kind counts. When a batch is complete its records are put together into one object, and the single ones are removed.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import time
from collections.abc import Iterable

from ...errors import InputMissingError
from .. import filenames, objects
from ..jsontext import JsonObject
from ..objects import ObjectPath
from .records import Records, line_of, lines_of

_TOGETHER = "all"
_MAX_SINGLE = 1  # a reader asks for each record object


class ObjectJournals:
    """The records in one folder, as they are when they are first read; `now` reads them again.

    :param only: the one subject that will be asked about; empty: any.
    """

    def __init__(self, folder: ObjectPath, only: str = "") -> None:
        self._folder = folder
        self._place = folder / _folder_of(only) if only else folder
        self._known = _known(folder)
        self._is_caught_up = False

    def newest(self, subject: str, kind: str) -> JsonObject | None:
        """The newest record of that kind about the subject, over all hosts; None if there is none.

        :raises InputError: the records cannot be read.
        """
        return self._records().newest.get((subject, kind))

    def subjects_since(self, kind: str, status: str, since_ns: int) -> set[str]:
        """The subjects of all records of that kind and status dated `since_ns` or later, even if newer ones exist.

        :raises InputError: the records cannot be read.
        """
        return set(self._records().subjects_since(kind, status, since_ns))

    def now(self) -> int:
        """Current time in ns, but always later than the newest record, because clocks of hosts may differ.

        :raises InputError: the records cannot be read.
        """
        self._is_caught_up = False
        return max(time.time_ns(), self._records().latest + 1)

    def append(self, subject: str, kind: str, value: object) -> None:
        """Add a record.

        :raises OutputError: it cannot be written.
        :raises InputError: the records cannot be read.
        """
        at = max(time.time_ns(), self._records().latest + 1)
        line = line_of(subject, kind, value, at)
        self._known.write(self._folder / _folder_of(subject) / _name(at), line)

    def prepare(self, max_lines: int) -> None:
        """Put the records together if there are more than `max_lines`."""
        if self._records().lines > max_lines:
            self.settle()

    def settle(self) -> None:
        """Put the records together, so that the next reader has one object to read. Other runs may be active.

        :raises OutputError: they cannot be written.
        :raises InputError: they cannot be read.
        """
        singles = objects.below(self._folder)
        if len(singles) <= _MAX_SINGLE:
            return
        self._known.read(singles)
        newest = self._known.records.newest
        lines = lines_of(newest[key] for key in sorted(newest))
        self._known.write(self._folder / _TOGETHER / _name(time.time_ns()), lines)
        objects.remove(singles)

    def _records(self) -> Records:
        if not self._is_caught_up:
            self._known.read(objects.below(self._place))
            self._is_caught_up = True
        return self._known.records


class _Known:
    """The records of one folder that this process has read. A record is never changed, so it is read once.

    Attributes:
        records: what they say.
    """

    def __init__(self) -> None:
        self.records = Records()
        self._paths: set[ObjectPath] = set()

    def read(self, paths: Iterable[ObjectPath]) -> None:
        """Read those that are new.

        :raises InputError: one cannot be read.
        """
        new = [path for path in paths if path not in self._paths]
        for path, content in zip(new, objects.in_parallel(_content, new), strict=True):
            self._take(path, content)

    def write(self, path: ObjectPath, content: bytes) -> None:
        """Write records into a new object.

        :raises OutputError: it cannot be written.
        """
        objects.put(path, content)
        self._take(path, content)

    def _take(self, path: ObjectPath, content: bytes) -> None:
        self.records.take(content.splitlines())
        self._paths.add(path)


def _content(path: ObjectPath) -> bytes:
    """The records of an object; none if another run has just put them together."""
    try:
        return objects.read(path)[0]
    except InputMissingError:
        return b""


def _folder_of(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(at: int) -> str:
    """The name of a record object that no other process gives."""
    return f"{at:020d}-{filenames.host()}-{secrets.token_hex(4)}.jsonl"


@functools.cache
def _known(_folder: ObjectPath) -> _Known:
    """What this process knows of the records of a folder."""
    return _Known()
