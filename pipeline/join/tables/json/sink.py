"""A joined table as JSON or JSONL: every row passes through as the object it is."""

from __future__ import annotations

import json

import pyarrow as pa

from ....storage import textfiles
from ....storage.writing import NewFile
from ..base import Chunk, Form, Sink
from ..convert import arrow_to_rows
from .lines import Row

_PIECE_ROWS = 4096  # written at a time
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(check_circular=False, separators=(",", ":"))


class JsonSink(Sink):
    """A joined table of JSON objects: one per line, or one list."""

    form: Form = "rows"

    def __init__(self, created: NewFile, *, lines: bool) -> None:
        self._by_line = lines
        self._stream = textfiles.text_bytes_of(created)
        self._empty = True

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write each row with its appended values at the end."""
        for start in range(0, len(chunk), _PIECE_ROWS):
            rows = chunk[start : start + _PIECE_ROWS]
            self._write_rows(rows, arrow_to_rows(appended.slice(start, len(rows)), "the join"))

    def _write_rows(self, rows: list[Row], extras: list[Row]) -> None:
        lines = [_dumped(row | extra) for row, extra in zip(rows, extras, strict=True)]
        if self._by_line:
            self._stream.write(b"\n".join(lines) + b"\n")
        else:
            self._stream.write((b"[\n" if self._empty else b",\n") + b",\n".join(lines))
        self._empty = False

    def close(self) -> None:
        """End the list, and the file."""
        if not self._by_line:
            self._stream.write(b"[]\n" if self._empty else b"\n]\n")
        self._stream.close()


def _dumped(row: Row) -> bytes:
    try:
        return _ENCODER.encode(row).encode("utf-8")
    except UnicodeEncodeError:
        return _ASCII_ENCODER.encode(row).encode("ascii")  # half a surrogate pair, escaped as it came
