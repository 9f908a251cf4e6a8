"""JSON and JSONL in and out: every row passes through as the object it is."""

from __future__ import annotations

import functools
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from ...errors import Faults, TableError, count, show
from ...storage import jsontext, textfiles
from ...storage.locations import Location
from ...storage.writing import NewFile
from .. import keys
from .base import CHUNK_ROWS, Chunk, FeatureTable, Form, Sink, regrouped
from .convert import arrow_to_rows, rows_to_text
from .inference import Numbered, infer_schema, rows_to_arrow

Row: TypeAlias = dict[str, Any]

MAX_HELD_BYTES = 1 << 30
"""Maximum size of a column of key texts that is held; a larger one is read again."""

_PIECE_BYTES = 1 << 21  # of lines that are objects at a time, which take about five times as much
_PIECE_ROWS = 4096  # of a document, or written at a time
_MAX_FIELDS = 250_000
_MAX_UNCHECKED_CELLS = 100_000_000
_MAX_CELLS_PER_VALUE = 100  # of a table with more cells than `_MAX_UNCHECKED_CELLS`
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(check_circular=False, separators=(",", ":"))
_UNCHECKED = json.JSONDecoder()


class JsonTable(FeatureTable):
    """A feature table of JSON objects: one per line (streamed), or one document (held in memory)."""

    def __init__(self, path: Location, wanted_key: str | None, *, lines: bool) -> None:
        super().__init__(path, wanted_key)
        self._by_line = lines
        self._values_held = 0
        self._scanned = self._scan()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field that a row has, in the order in which they are first seen."""
        return tuple(self._scanned[0])

    @property
    def rows(self) -> int:
        """Number of objects."""
        return self._scanned[1]

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns that may be the key, gathered when the table was first read, unless they were too large."""
        held = [self._key_texts(name) for name in columns]
        if all(each.parts is not None for each in held):
            gathered = pa.table([pa.chunked_array(each.parts, pa.string()) for each in held], [*columns])
            return (batch.columns for batch in gathered.to_batches(max_chunksize=CHUNK_ROWS))
        pieces = ([row for _, row in piece] for piece in self._pieces())
        return ([_texts(row.get(name) for row in rows) for name in columns] for rows in pieces)

    def _key_texts(self, name: str) -> _KeyTexts:
        held = self._scanned[0].get(name) or _KeyTexts(self.rows)
        if held.fault is not None:
            reason = held.fault.reason
            raise TableError(
                f"{self.path} column {show(name)}: {reason}; expected Unicode text"
            ) from held.fault
        return held

    @functools.cached_property
    def _schema(self) -> pa.Schema:
        self._check_dense()
        return infer_schema(f"{self.path} {self._unit}", self.columns, self._pieces)

    def schema(self) -> pa.Schema:
        """Names and types that hold every value; one more pass over the file."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows as objects, or turned into typed or text columns."""
        pieces = ([row for _, row in piece] for piece in self._pieces())
        match form:
            case "arrow":
                yield from regrouped(rows_to_arrow(str(self.path), rows, self._schema) for rows in pieces)
            case "text":
                self._check_dense()
                yield from (rows_to_text(rows, self.columns, str(self.path)) for rows in pieces)
            case _:
                yield from pieces

    @property
    def _unit(self) -> str:
        return "line" if self._by_line else "row"

    def _pieces(self) -> Iterator[Numbered]:
        """The rows that a first scan has found sound, with their line or row numbers, some at a time."""
        for piece in self._values():
            yield [(number, row) for number, row in piece if isinstance(row, dict)]

    def _values(self) -> Iterator[Iterable[tuple[int, Any]]]:
        """Every row with its number, or the ValueError that says why there is none, some at a time."""
        if not self._by_line:
            for start in range(0, len(self._document), _PIECE_ROWS):
                yield enumerate(self._document[start : start + _PIECE_ROWS], start + 1)
            return
        first = 1
        for content in textfiles.read_lines(self.path, _PIECE_BYTES):
            if content.isspace():
                first += content.count(b"\n")
                continue
            lines = io.BytesIO(content).readlines()
            yield ((number, _row(line)) for number, line in enumerate(lines, first) if line.strip())
            first += len(lines)

    @functools.cached_property
    def _document(self) -> list[Any]:
        value = _parsed(textfiles.read_whole(self.path))
        if isinstance(value, dict) and set(value) == {"rows"}:
            value = value["rows"]
        if not isinstance(value, list):
            found = value if isinstance(value, ValueError) else f"found {_kind_of(value)}"
            raise TableError(f'{self.path}: {found}; expected a list of objects or {{"rows": [...]}}')
        return value

    def _scan(self) -> tuple[dict[str, _KeyTexts | None], int]:
        """The columns, of those that may be the key with their key texts, and the number of rows."""
        columns: dict[str, _KeyTexts | None] = {}
        candidates: dict[str, _KeyTexts] = {}
        faults = Faults()
        total = 0
        for piece in self._values():
            rows = [row for number, row in piece if self._is_sound(number, row, faults)]
            for row in rows:
                if not row.keys() <= columns.keys():
                    for name in row:
                        if name not in columns:  # the pieces before this one lack it
                            columns[name] = None
                            if self._may_be_key(name):
                                columns[name] = candidates[name] = _KeyTexts(total)
            if len(columns) > _MAX_FIELDS:
                raise TableError(
                    f"{self.path}: found more than {_MAX_FIELDS} different fields; expected like rows"
                )
            for name, key_texts in candidates.items():
                key_texts.add([row.get(name) for row in rows])
            total += len(rows)
            self._values_held += sum(map(len, rows))
        if faults.count:
            raise TableError(
                faults.message(f"{self.path}: {count(faults.count, 'faulty row')} in the feature table")
            )
        return columns, total

    def _is_sound(self, number: int, row: Any, faults: Faults) -> bool:
        where = f"{self.path} {self._unit} {number}"
        if not isinstance(row, dict):
            found = row if isinstance(row, ValueError) else f"found {_kind_of(row)}"
            faults.add(f"{where}: {found}; expected a JSON object")
            return False
        for name in self._wanted_keys:
            if isinstance(value := row.get(name), dict | list):
                faults.add(f"{where} column {show(name)}: found {_kind_of(value)}; expected a key")
        return True

    def _check_dense(self) -> None:
        """:raises TableError: as a table of columns it would be nearly all nulls, and without bounds."""
        self.check_columns(self.columns)
        cells = self.rows * len(self.columns)
        if cells > _MAX_UNCHECKED_CELLS and cells > _MAX_CELLS_PER_VALUE * self._values_held:
            raise TableError(
                f"{self.path}: found {len(self.columns)} columns in {self.rows} rows that have few of them each; "
                "expected rows of like fields (or write the table as JSONL)"
            )

    def _may_be_key(self, name: str) -> bool:
        return name in self._wanted_keys if self._wanted_keys else name.lower() in keys.CANDIDATES


class _KeyTexts:
    """The key texts of one column, as Arrow arrays: as Python strings they take three times as much.

    Attributes:
        parts: the texts; None: they are too large to be held.
        fault: why one of them is no text.
    """

    def __init__(self, absent: int) -> None:
        self.parts: list[pa.Array] | None = [pa.nulls(absent, pa.string())]
        self.fault: UnicodeEncodeError | None = None
        self._bytes = 0

    def add(self, values: list[Any]) -> None:
        try:
            part = _texts(values)
        except UnicodeEncodeError as exc:
            self.fault = exc  # it is none if another column is the key
            return
        self._bytes += part.nbytes
        if self._bytes > MAX_HELD_BYTES:
            self.parts = None
        if self.parts is not None:
            self.parts.append(part)


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


def _texts(values: Iterable[Any]) -> pa.Array:
    """:raises UnicodeEncodeError: one of them is half a surrogate pair."""
    return pa.array([keys.text(value) for value in values], pa.string())


def _row(line: bytes) -> Any:
    row = _flat_row(line)
    return _parsed(line) if row is None else row


def _flat_row(line: bytes) -> Row | None:
    """An object without lists and objects in it, as `jsontext.parse` gives it; None: that must look at it.

    Repeated keys and floats beyond 64 bits are looked for in the whole row instead of one by one: a row of
    20 floats takes 12 instead of 18 us. Every key is followed by a colon, so that no more colons behind quotes
    than there are keys means that no key is repeated.
    """
    if b"[" in line or line.count(b"{") > 1 or b" :" in line or b"\t:" in line or b"\r:" in line:
        return None
    try:
        row = _UNCHECKED.decode(line.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(row, dict) or line.count(b'":') != len(row):
        return None
    values = row.values()
    return None if math.inf in values or -math.inf in values else row


def _parsed(content: bytes) -> Any:
    try:
        return jsontext.parse(content)
    except ValueError as exc:
        return exc


def _dumped(row: Row) -> bytes:
    try:
        return _ENCODER.encode(row).encode("utf-8")
    except UnicodeEncodeError:
        return _ASCII_ENCODER.encode(row).encode("ascii")  # half a surrogate pair, escaped as it came


def _kind_of(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return show(value)
