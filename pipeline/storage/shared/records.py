"""Records, and the newest of each subject and kind.

A record names a subject and contains values by kind; a value may have a status::

    {"at": 1764000000000000000, "format": 1, "out": "joined/a.parquet", "made": {...}}
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from .. import jsontext
from ..jsontext import JsonObject

_FORMAT = 1  # raised by one if the form of a record or of an object in it changes
_SUBJECT, _DATE = "out", "at"
_OWN_MEMBERS = {"format", _SUBJECT, _DATE}


class Records:
    """Records in memory.

    Attributes:
        lines: number of lines that were taken, torn ones too.
        latest: the newest date, ns since the epoch; 0: there is no record.
        newest: the newest record by subject and kind.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.latest = 0
        self.newest: dict[tuple[str, str], JsonObject] = {}
        self._dates: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)

    def take(self, lines: Iterable[bytes]) -> None:
        """Add the records on these lines; torn lines and those of another format are left out."""
        for line in lines:
            self.lines += 1
            record = _parsed(line)
            if record is not None:
                self._add(record)

    def subjects_since(self, kind: str, status: str, since_ns: int) -> Iterator[str]:
        """The subjects of the records of that kind and status dated `since_ns` or later, even if newer ones exist."""
        return (subject for date, subject in self._dates[kind, status] if date >= since_ns)

    def _add(self, record: JsonObject) -> None:
        self.latest = max(self.latest, record[_DATE])
        for kind in record.keys() - _OWN_MEMBERS:
            known = self.newest.get((record[_SUBJECT], kind))
            if known is None or known[_DATE] <= record[_DATE]:
                self.newest[record[_SUBJECT], kind] = record
            value = record[kind]
            if isinstance(value, dict) and isinstance(status := value.get("status"), str):
                self._dates[kind, status].append((record[_DATE], record[_SUBJECT]))


def line_of(subject: str, kind: str, value: object, at: int) -> bytes:
    """A new record as a line.

    :param at: its date, ns since the epoch, later than those of all records that its writer has read.
    """
    return jsontext.canonical({_SUBJECT: subject, kind: value, "format": _FORMAT, _DATE: at}) + b"\n"


def lines_of(records: Iterable[JsonObject]) -> bytes:
    """Records as lines again."""
    return b"".join(jsontext.canonical(record) + b"\n" for record in records)


def date_of(record: JsonObject) -> int:
    """The date of a record, ns since the epoch."""
    return int(record[_DATE])


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
