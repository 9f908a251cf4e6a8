"""Some rows of a table of JSON objects: as objects, or in columns where they are spelled alike."""

from __future__ import annotations

import io
import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from ....errors import TableError, show
from ....storage import jsontext
from ... import keys
from ..convert import arrow_to_rows, arrow_to_text, rows_to_text
from .alike import Alike, read_alike

Row: TypeAlias = dict[str, Any]
Numbered: TypeAlias = list[tuple[int, Row]]
"""Some rows with their numbers."""

CONVERSION_ERRORS = (pa.ArrowException, OverflowError, UnicodeEncodeError)
"""A value does not fit a type."""

_LINE_FEED = ord("\n")
_UNCHECKED = JSONDecoder()


class Piece(Protocol):
    """Some sound rows of a table."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def cells(self) -> int:
        """Number of fields of all rows."""

    def new_names(self, known: Container[str]) -> Iterable[str]:
        """Names of fields that are not known, in the order in which they are first seen."""

    def key_texts(self, name: str) -> pa.Array:
        """The texts of a field (string), null where a row has none.

        :raises UnicodeEncodeError: one of them is half a surrogate pair.
        """

    def type_of(self, name: str) -> pa.DataType:
        """The narrowest type that holds all values of a field.

        :raises CONVERSION_ERRORS: there is none.
        """

    def typed(self, where: str, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as typed columns; an absent field is null.

        :raises TableError: a value does not fit its column's type exactly.
        """

    def texts(self, columns: Sequence[str], where: str) -> pa.RecordBatch:
        """The rows as text cells, as `rows_to_text` has them.

        :raises TableError: a text is not Unicode.
        """

    def objects(self) -> list[Row]:
        """The rows as objects."""

    def numbered(self) -> Numbered:
        """The rows as objects, with their numbers."""


@dataclass(frozen=True)
class Objects:
    """Rows as objects, with their numbers."""

    held: Numbered

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.held)

    @property
    def cells(self) -> int:
        """Number of fields of all rows."""
        return sum(len(row) for _, row in self.held)

    def new_names(self, known: Container[str]) -> Iterable[str]:
        """Names of fields that are not known."""
        new: dict[str, None] = {}
        for _, row in self.held:
            for name in row:
                if name not in known:
                    new[name] = None
        return new

    def key_texts(self, name: str) -> pa.Array:
        """The texts of a field (string)."""
        return pa.array([keys.text(row.get(name)) for _, row in self.held], pa.string())

    def type_of(self, name: str) -> pa.DataType:
        """The narrowest type that holds all values of a field."""
        return inferred([row.get(name) for _, row in self.held])

    def typed(self, where: str, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as typed columns."""
        arrays = []
        for field in schema:
            try:
                arrays.append(pa.array([row.get(field.name) for _, row in self.held], field.type))
            except CONVERSION_ERRORS as exc:
                raise TableError(
                    f"{where} column {show(field.name)}: a value does not fit {field.type}: {exc}; "
                    "write the table as JSONL instead"
                ) from exc
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def texts(self, columns: Sequence[str], where: str) -> pa.RecordBatch:
        """The rows as text cells."""
        return rows_to_text(self.objects(), columns, where)

    def objects(self) -> list[Row]:
        """The rows."""
        return [row for _, row in self.held]

    def numbered(self) -> Numbered:
        """The rows with their numbers."""
        return self.held


@dataclass(frozen=True)
class Columns:
    """Lines that are spelled alike, in columns.

    Attributes:
        first: the number of the first line.
        alike: the rows.
        lines: the lines, if they say what the types of the columns do not: which numbers are integers.
    """

    first: int
    alike: Alike
    lines: Lines | None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.alike.rows.num_rows)

    @property
    def cells(self) -> int:
        """Number of fields of all rows."""
        return self.rows * int(self.alike.rows.num_columns)

    def new_names(self, known: Container[str]) -> Iterable[str]:
        """Names of fields that are not known."""
        return (name for name in self.alike.rows.schema.names if name not in known)

    def key_texts(self, name: str) -> pa.Array:
        """The texts of a field (string)."""
        return keys.texts(self._column(name))

    def type_of(self, name: str) -> pa.DataType:
        """The narrowest type that holds all values of a field."""
        return self._column(name).type

    def typed(self, where: str, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as typed columns."""
        try:  # the schema holds every value of the table, so that a cast only widens
            arrays = [self._column(field.name).cast(field.type) for field in schema]
        except pa.ArrowException:
            return self._as_objects.typed(where, schema)
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def texts(self, columns: Sequence[str], where: str) -> pa.RecordBatch:
        """The rows as text cells."""
        if self.lines is not None:
            return self._as_objects.texts(columns, where)
        return arrow_to_text(
            pa.RecordBatch.from_arrays([*map(self._column, columns)], names=[*columns]), where
        )

    def objects(self) -> list[Row]:
        """The rows."""
        return [row for _, row in self.numbered()]

    def numbered(self) -> Numbered:
        """The rows with their numbers."""
        if self.lines is not None:
            return [*self.lines.numbered()]
        return [*enumerate(arrow_to_rows(self.alike.rows, ""), self.first)]

    @property
    def _as_objects(self) -> Objects:
        return Objects(self.numbered())

    def _column(self, name: str) -> pa.Array:
        at = self.alike.rows.schema.get_field_index(name)
        return pa.nulls(self.rows) if at < 0 else self.alike.rows.column(at)


@dataclass(frozen=True)
class Lines:
    """Some whole lines of a file.

    Attributes:
        first: the number of the first line, from 1.
        content: the lines.
        count: how many there are.
    """

    first: int
    content: bytes
    count: int

    @classmethod
    def of(cls, first: int, content: bytes) -> Lines:
        """The lines of some content."""
        feeds = int(np.count_nonzero(np.frombuffer(content, np.uint8) == _LINE_FEED))
        return cls(first, content, feeds + (not content.endswith(b"\n")))

    def columns(self) -> Columns | None:
        """The rows in columns; None: they are not spelled alike."""
        alike = read_alike(self.content, self.count)
        return None if alike is None else Columns(self.first, alike, self if alike.has_both else None)

    def numbered(self) -> Iterator[tuple[int, Any]]:
        """Every row with the number of its line, or the ValueError that says why there is none."""
        lines = enumerate(io.BytesIO(self.content), self.first)
        return ((number, _row(line)) for number, line in lines if line.strip())


def inferred(values: Sequence[Any]) -> pa.DataType:
    """The narrowest type that holds all values.

    :raises CONVERSION_ERRORS: there is none.
    """
    if set(map(type, values)) == {float}:
        return pa.float64()  # most columns; the look at each value below takes four times as long
    try:
        kind = pa.array(values).type
    except OverflowError:
        return pa.array(values, pa.uint64()).type
    if any(_hides_boolean(value, kind) for value in values):
        raise pa.ArrowInvalid("true or false among numbers")
    return kind


def _hides_boolean(value: Any, kind: pa.DataType) -> bool:
    """Whether Arrow, which takes true among floats for 1.0, has done so somewhere in `value`."""
    if isinstance(value, bool):
        return bool(pa.types.is_floating(kind))
    if isinstance(value, list) and pa.types.is_list(kind):
        return any(_hides_boolean(below, kind.value_type) for below in value)
    if isinstance(value, dict) and pa.types.is_struct(kind):
        return any(_hides_boolean(below, kind.field(name).type) for name, below in value.items())
    return False


def _row(line: bytes) -> Any:
    row = _flat_row(line)
    return parsed(line) if row is None else row


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


def parsed(content: bytes) -> Any:
    """The JSON value in the content, or the ValueError that says why there is none."""
    try:
        return jsontext.parse(content)
    except ValueError as exc:
        return exc
