"""The rows of a Parquet sidecar: of a table that may be wide, only the columns that rows are read by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ...errors import SidecarError, TableError, show
from ...storage.formats import TableFormat
from ...storage.locations import Location
from .. import keys
from ..tables.parquet.table import ParquetTable
from .fields import Reading, Row, RowFault, SetFields

PART_BYTES = 1 << 24


@dataclass(frozen=True)
class Part:
    """Some rows of a file that follow one another.

    Attributes:
        path: the file.
        first: number of the first row, from 1.
        batch: the columns that rows are read by: texts, int64 and uint64, float64, bool, objects and lists of them.
        names: all columns of the file.
    """

    path: Location
    first: int
    batch: pa.RecordBatch
    names: tuple[str, ...]

    def rows(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Row]]:
        """The rows with their numbers: those at the `wanted` indices, or all. What is not read by is null.

        :raises SidecarError: a value cannot be read.
        """
        indices = range(self.batch.num_rows) if wanted is None else sorted(wanted)
        if not indices:
            return
        unread = dict.fromkeys(self.names)
        taken = self.batch if wanted is None else self.batch.take(pa.array(indices, pa.int64()))
        columns = [
            _values(self.path, name, column)
            for name, column in zip(taken.schema.names, taken.columns, strict=True)
        ]
        for index, row in enumerate(indices):
            yield (
                self.first + row,
                unread
                | {name: values[index] for name, values in zip(taken.schema.names, columns, strict=True)},
            )


def read_parts(path: Location, fields: SetFields) -> Iterator[Part]:
    """The rows of the file in parts of about `PART_BYTES`.

    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    :raises SidecarError: it is no sound Parquet file.
    """
    try:
        table = ParquetTable(path)
        names = table.columns
        needed = fields.needed(names)
        first = 1
        for part in _parts(path, names, needed, table.batches(needed)):
            yield part
            first = part.first + part.batch.num_rows
    except TableError as exc:
        raise SidecarError(str(exc)) from exc
    if first != table.rows + 1:
        raise SidecarError(f"{path}: damaged Parquet data: found {first - 1} rows; expected {table.rows}")


@dataclass(frozen=True)
class TableSource:
    """A table in memory as a source of rows, as if it had been read from Parquet.

    Attributes:
        path: what errors name.
        table: unique names of columns.
    """

    path: Location
    table: pa.Table
    form: TableFormat = "parquet"

    def blocks(self, how: Reading) -> Iterator[Part]:
        """The table in parts."""
        names = tuple(self.table.column_names)
        return _parts(self.path, names, how.fields.needed(names), self.table.to_batches())

    def rows(self, how: Reading) -> Iterator[tuple[int, Row | RowFault]]:
        """Every row of the table."""
        return (row for part in self.blocks(how) for row in part.rows())


def _parts(
    path: Location, names: tuple[str, ...], needed: list[str], batches: Iterable[pa.RecordBatch]
) -> Iterator[Part]:
    first = 1
    for batch in batches:
        for part in _split(_plain_batch(path, batch.select(needed))):
            yield Part(path, first, part, names)
            first += part.num_rows


def _split(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    rows = max(1, batch.num_rows * PART_BYTES // max(PART_BYTES, batch.nbytes))
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _plain_batch(path: Location, batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)  # a text need not be UTF-8
        except pa.ArrowException as exc:
            raise _unreadable(path, name, column.type) from exc
        columns.append(_plain(column))
    if not columns:
        return batch
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(column: pa.Array) -> pa.Array:
    """A column as JSON has its types, as far as there is a text for each value; others stay as they are."""
    kind = column.type
    try:
        if pa.types.is_dictionary(kind):
            return _plain(column.dictionary_decode())
        if pa.types.is_struct(kind) and kind.num_fields:
            children = [_plain(child) for child in column.flatten()]
            return pa.StructArray.from_arrays(children, [field.name for field in kind], mask=column.is_null())
        plain = _plain_type(kind)
        if plain == pa.string() and not (pa.types.is_string(kind) or _is_list(kind)):
            return keys.texts(column)
        return column if plain == kind else column.cast(plain)
    except pa.ArrowException:
        return column


def _plain_type(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if types.is_struct(kind):
        return pa.struct([(field.name, _plain_type(field.type)) for field in kind])
    if _is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if types.is_integer(kind):
        return kind if types.is_uint64(kind) else pa.int64()
    if types.is_floating(kind):
        return pa.float64()
    if types.is_null(kind) or types.is_boolean(kind) or types.is_decimal(kind) or types.is_map(kind):
        return kind
    return pa.string()


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    lists = (
        types.is_list,
        types.is_large_list,
        types.is_fixed_size_list,
        types.is_list_view,
        types.is_large_list_view,
    )
    return any(is_one(kind) for is_one in lists)


def _values(path: Location, name: str, column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError) as exc:
        raise _unreadable(path, name, column.type) from exc
    return values


def _unreadable(path: Location, name: str, kind: pa.DataType) -> SidecarError:
    return SidecarError(
        f"{path} column {show(name)}: found a value of {kind} that cannot be read; expected texts and numbers"
    )
