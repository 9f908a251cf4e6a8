"""JSON and JSONL in and out: every row passes through as the object it is."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from pipeline import files, jsontext, keys
from pipeline.errors import Faults, TableError, count, show
from pipeline.tables.base import Chunk, FeatureTable, Form, Sink, in_chunks
from pipeline.tables.forms import arrow_to_rows, rows_to_text
from pipeline.tables.inference import infer_schema, rows_to_arrow

Row: TypeAlias = dict[str, Any]


class JsonTable(FeatureTable):
    """A feature table of JSON objects: one per line (streamed), or one document (held in memory)."""

    def __init__(self, path: Path, wanted_key: str | None, *, lines: bool) -> None:
        super().__init__(path, wanted_key)
        self._by_line = lines
        self._scanned = self._scan()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field that a row has, in the order in which they are first seen."""
        return tuple(self._scanned[0])

    @property
    def rows(self) -> int:
        """Number of objects."""
        return self._scanned[1]

    def keys(self) -> pa.Array:
        """The key texts, gathered when the table was first read."""
        name = self.key_column
        try:
            return pa.array(self._scanned[0].get(name) or [], pa.string())
        except UnicodeEncodeError as exc:
            raise TableError(f"{self.path} column {show(name)}: {exc.reason}; expected Unicode text") from exc

    @functools.cached_property
    def _schema(self) -> pa.Schema:
        return infer_schema(f"{self.path} {self._unit}", self.columns, self._numbered)

    def schema(self) -> pa.Schema:
        """Names and types that hold every value; one more pass over the file."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows as objects, or turned into typed or text columns."""
        for rows in in_chunks(row for _, row in self._numbered()):
            match form:
                case "rows":
                    yield rows
                case "arrow":
                    yield rows_to_arrow(str(self.path), rows, self._schema)
                case "text":
                    yield rows_to_text(rows, self.columns, str(self.path))

    @property
    def _unit(self) -> str:
        return "line" if self._by_line else "row"

    def _numbered(self) -> Iterator[tuple[int, Row]]:
        """The rows that a first scan has found sound, with their line or row number."""
        return ((number, row) for number, row in self._values() if isinstance(row, dict))

    def _values(self) -> Iterator[tuple[int, Any]]:
        """Every row, or the ValueError that says why there is none."""
        if not self._by_line:
            yield from enumerate(self._document, 1)
            return
        with files.open_text_bytes(self.path) as stream, files.reading(self.path):
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, _parsed(line)

    @functools.cached_property
    def _document(self) -> list[Any]:
        with files.open_text_bytes(self.path) as stream, files.reading(self.path):
            value = _parsed(stream.read())
        if isinstance(value, dict) and set(value) == {"rows"}:
            value = value["rows"]
        if not isinstance(value, list):
            found = value if isinstance(value, ValueError) else f"found {_kind_of(value)}"
            raise TableError(f'{self.path}: {found}; expected a list of objects or {{"rows": [...]}}')
        return value

    def _scan(self) -> tuple[dict[str, list[str | None] | None], int]:
        """The columns, of those that may be the key with their key texts, and the number of rows."""
        columns: dict[str, list[str | None] | None] = {}
        faults = Faults()
        rows = 0
        for number, row in self._values():
            if not isinstance(row, dict):
                found = row if isinstance(row, ValueError) else f"found {_kind_of(row)}"
                faults.add(f"{self.path} {self._unit} {number}: {found}; expected a JSON object")
                continue
            for name in row:
                if name not in columns:  # the rows before this one lack it
                    columns[name] = [None] * rows if self._may_be_key(name) else None
            for name, texts in columns.items():
                if texts is not None:
                    value = row.get(name)
                    texts.append(keys.text(value))
                    if isinstance(value, dict | list) and name == self._wanted_key:
                        faults.add(
                            f"{self.path} {self._unit} {number} column {show(name)}: found {_kind_of(value)}; expected a key"
                        )
            rows += 1
        if faults.count:
            raise TableError(
                faults.message(f"{self.path}: {count(faults.count, 'faulty row')} in the feature table")
            )
        return columns, rows

    def _may_be_key(self, name: str) -> bool:
        return name == self._wanted_key if self._wanted_key else name.lower() in keys.CANDIDATES


class JsonSink(Sink):
    """A joined table of JSON objects: one per line, or one list."""

    form: Form = "rows"

    def __init__(self, path: Path, name: str, *, lines: bool) -> None:
        self._by_line = lines
        self._stream = files.create_text_bytes(path, name)
        self._empty = True

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write each row with its appended values at the end."""
        lines = [
            _dumped(row | extra)
            for row, extra in zip(chunk, arrow_to_rows(appended, "the join"), strict=True)
        ]
        if not lines:
            return
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


def _parsed(content: bytes) -> Any:
    try:
        return jsontext.parse(content)
    except ValueError as exc:
        return exc


def _dumped(row: Row) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(row, separators=(",", ":")).encode(
            "ascii"
        )  # half a surrogate pair, escaped as it came


def _kind_of(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return show(value)
