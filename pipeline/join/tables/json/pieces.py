"""Some rows of a table of JSON objects: as objects, or in columns where they are spelled alike."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import pyarrow as pa

from ....errors import TableError, show
from ... import keys
from ..convert import arrow_to_rows, arrow_to_text, rows_to_text
from .alike import Alike, read_alike
from .lines import Lines, Row
from .value_types import CONVERSION_ERRORS, inferred

Numbered: TypeAlias = list[tuple[int, Row]]
"""Some rows with their numbers."""


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

    @classmethod
    def of(cls, lines: Lines) -> Columns | None:
        """The lines in columns; None: they are not spelled alike."""
        alike = read_alike(lines.content, lines.count)
        return None if alike is None else cls(lines.first, alike, lines if alike.has_both else None)

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
