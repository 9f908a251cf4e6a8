"""Which Arrow type holds every value of a JSON column, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from ...errors import TableError, show

Numbered: TypeAlias = list[tuple[int, dict[str, Any]]]
"""Some rows with their numbers."""

_CONVERSION_ERRORS = (pa.ArrowException, OverflowError, UnicodeEncodeError)


def infer_schema(where: str, columns: Sequence[str], pieces: Callable[[], Iterable[Numbered]]) -> pa.Schema:
    """The narrowest types that hold all rows without changing a value; an integer among floats is a float.

    :param where: the file and what the rows' numbers count.
    :param pieces: gives the rows with their numbers, some at a time, each time from the start.
    :raises TableError: a column mixes types; names the column, the row and both types.
    """
    types = dict.fromkeys(columns, pa.null())
    for piece in pieces():
        for name in columns:
            values = [row.get(name) for _, row in piece]
            try:
                types[name] = _unified(types[name], _inferred(values))
            except _CONVERSION_ERRORS as exc:
                raise TableError(_mixed(where, name, pieces, exc)) from exc
    return pa.schema(list(types.items()))


def rows_to_arrow(where: str, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """JSON rows as typed columns; an absent field is null.

    :raises TableError: a value does not fit its column's type exactly.
    """
    arrays = []
    for field in schema:
        try:
            arrays.append(pa.array([row.get(field.name) for row in rows], field.type))
        except _CONVERSION_ERRORS as exc:
            raise TableError(
                f"{where} column {show(field.name)}: a value does not fit {field.type}: {exc}; "
                "write the table as JSONL instead"
            ) from exc
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _inferred(values: list[Any]) -> pa.DataType:
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


def _unified(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    if {first, second} == {pa.int64(), pa.uint64()}:
        return pa.uint64()
    both = [pa.schema([("value", each)]) for each in (first, second)]
    return pa.unify_schemas(both, promote_options="permissive").field(0).type


def _mixed(where: str, name: str, pieces: Callable[[], Iterable[Numbered]], exc: Exception) -> str:
    """The message for a column whose values have no common type."""
    rows = itertools.chain.from_iterable
    if (found := _unlike(name, rows(pieces())) or _unlike_below(name, rows(pieces()))) is not None:
        return f"{where} {found}; expected one type per column (or write the table as JSONL)"
    reason = str(exc).splitlines()[0]
    return f"{where}s: column {show(name)}: no one type holds its values: {reason}; write the table as JSONL instead"


def _unlike(name: str, numbered: Iterable[tuple[int, dict[str, Any]]]) -> str | None:
    """The first row whose value is of another kind than that of the first row that has one."""
    first: tuple[int, str] | None = None
    for number, row in numbered:
        kind = _kind(row.get(name))
        if kind is None:
            continue
        if first is None:
            first = (number, kind)
        elif kind != first[1]:
            return f"{number} column {show(name)}: found {kind}, where row {first[0]} has {first[1]}"
    return None


def _unlike_below(name: str, numbered: Iterable[tuple[int, dict[str, Any]]]) -> str | None:
    """The first row whose value differs in type from those before it somewhere inside lists or objects."""
    before = pa.null()
    for number, row in numbered:
        try:
            found = _inferred([row.get(name)])
        except _CONVERSION_ERRORS as exc:
            return f"{number} column {show(name)}: no type holds its value: {exc}"
        try:
            before = _unified(before, found)
        except _CONVERSION_ERRORS:
            return f"{number} column {show(name)}: found {found}, where the rows before have {before}"
    return None


def _kind(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
