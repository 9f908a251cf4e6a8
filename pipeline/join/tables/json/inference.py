"""Which Arrow type holds every value of a JSON column, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from ....errors import TableError, show
from .lines import Row
from .pieces import Piece
from .value_types import CONVERSION_ERRORS, inferred


def infer_schema(where: str, columns: Sequence[str], pieces: Callable[[], Iterable[Piece]]) -> pa.Schema:
    """The narrowest types that hold all rows without changing a value; an integer among floats is a float.

    :param where: the file and what the rows' numbers count.
    :param pieces: gives the rows, some at a time, each time from the start.
    :raises TableError: a column mixes types; names the column, the row and both types.
    """
    types = dict.fromkeys(columns, pa.null())
    for piece in pieces():
        for name in columns:
            try:
                types[name] = _unified(types[name], piece.type_of(name))
            except CONVERSION_ERRORS as exc:
                raise TableError(_mixed(where, name, pieces, exc)) from exc
    return pa.schema(list(types.items()))


def _unified(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    if first == second:
        return first
    if {first, second} == {pa.int64(), pa.uint64()}:
        return pa.uint64()
    both = [pa.schema([("value", each)]) for each in (first, second)]
    return pa.unify_schemas(both, promote_options="permissive").field(0).type


def _mixed(where: str, name: str, pieces: Callable[[], Iterable[Piece]], exc: Exception) -> str:
    """The message for a column whose values have no common type."""

    def rows() -> Iterator[tuple[int, Row]]:
        return itertools.chain.from_iterable(piece.numbered() for piece in pieces())

    if (found := _unlike(name, rows()) or _unlike_below(name, rows())) is not None:
        return f"{where} {found}; expected one type per column (or write the table as JSONL)"
    reason = str(exc).splitlines()[0]
    return f"{where}s: column {show(name)}: no one type holds its values: {reason}; write the table as JSONL instead"


def _unlike(name: str, numbered: Iterable[tuple[int, Row]]) -> str | None:
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


def _unlike_below(name: str, numbered: Iterable[tuple[int, Row]]) -> str | None:
    """The first row whose value differs in type from those before it somewhere inside lists or objects."""
    before = pa.null()
    for number, row in numbered:
        try:
            found = inferred([row.get(name)])
        except CONVERSION_ERRORS as exc:
            return f"{number} column {show(name)}: no type holds its value: {exc}"
        try:
            before = _unified(before, found)
        except CONVERSION_ERRORS:
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
