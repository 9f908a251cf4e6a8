"""A JSON document -> the rows that it holds, in whatever shape a program has written them.

Besides a row, or a list of rows, with or without an object around it, a document may be a map from key to score or to
object, or a table as pandas writes it: an object per column, an object per row, or lists beside their `columns`. A
name that is a key becomes the field `KEY` of its row. See `EXPECTED`; everything else is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...errors import show
from .fields import Row, RowFault, SetFields, layout_of
from .numbers import finite_number

KEY = "path"
"""The field that is added for a key that no field of the row holds."""

EXPECTED = (
    'rows (objects, a list of them, {"rows": [...]}, {"results": [...]}, {"data": [...]}), a map from key to score or '
    "to object, or what pandas writes with orient records, columns, index, split or table"
)
"""The shapes that are read."""

_LISTS = ("rows", "results", "data")
_MAPS = (*_LISTS, "scores")


def rows_in(values: Sequence[Any], fields: SetFields) -> Iterator[Any]:
    """The rows of documents that follow one another; what is no object is no row.

    :raises RowFault: a document has another shape.
    """
    documents = _Documents(fields, maps=not fields.key_is_file and not _share_names(values, fields))
    return (row for value in values for row in documents.rows(value))


def is_near_map(row: Row) -> bool:
    """Whether a row may be meant as a map: it has numbers or objects among others, none under a known name."""
    kinds = {_kind(value) for value in row.values()}
    return len(row) > 1 and not layout_of(tuple(row)).names and bool(kinds & {"number", "object"})


def rows_on_line(value: Any, fields: SetFields) -> Iterator[Any]:
    """The rows of a value on a line of JSON Lines: itself, or its content for one key."""
    if isinstance(value, dict) and len(value) == 1 and not fields.key_is_file and not _is_row(value, fields):
        ((key, score),) = value.items()
        if isinstance(score, dict):
            return iter([_keyed(key, score, fields)])
        if finite_number(score) is not None:
            return iter([{KEY: key, "score": score}])
    return iter([value])


class _Documents:
    """Reads documents of one sidecar.

    :param maps: whether an object may be a map or a table by columns; if not, it is a row.
    """

    def __init__(self, fields: SetFields, *, maps: bool) -> None:
        self._fields = fields
        self._maps = maps

    def rows(self, value: Any) -> Iterable[Any]:
        """The rows of one document.

        :raises RowFault: it has another shape.
        """
        if isinstance(value, list):
            return _listed(value)
        if not isinstance(value, dict):
            return [value]
        inner = self._wrapped(value)
        if inner is not None:
            return (_with_competitor(row, value) for row in inner)
        table = self._table(value) if self._maps and value else None
        return [value] if table is None else table

    def _wrapped(self, value: Row) -> Iterable[Any] | None:
        """The rows that the object holds under a name such as `rows`; None: it is none around rows."""
        held = [
            name for name in _LISTS if isinstance(value.get(name), list) and not self._fields.go_through(name)
        ]
        is_row = self._is_row_itself(value)
        if is_row and "data" in held:
            held.remove("data")
        if len(held) > 1:
            raise RowFault(f"found both {held[0]} and {held[1]} in one object; expected one list of rows")
        if held == ["data"] and isinstance(value.get("columns"), list):
            return self._split(value)
        if held:
            return _listed(value[held[0]])
        maps = [name for name in _MAPS if isinstance(value.get(name), dict) and value[name]]
        return self._inner_map(value[maps[0]]) if len(maps) == 1 and self._maps and not is_row else None

    def _inner_map(self, value: Row) -> Iterable[Any] | None:
        if _is_row(value, self._fields) and not self._is_by_column(value):
            return None
        return self._table(value)

    def _is_row_itself(self, value: Row) -> bool:
        """Whether the object has a key, and something else than the scorer's name to say of the clip."""
        if self._fields.lead_into(value):
            return True
        layout = layout_of(tuple(value))
        return self._fields.has_key(value) and bool({*layout.names} - {layout.key, layout.competitor})

    def _table(self, value: Row) -> Iterable[Any] | None:
        """The rows of a map, or of a table by columns; None: the object is a row."""
        if self._fields.lead_into(value):
            return None
        if self._is_by_column(value):
            return self._by_column(value)
        kinds = {_kind(each) for each in value.values()}
        if kinds == {"list"} and set(value) - {layout_of(tuple(value)).frames}:
            raise _refused(f"an object of lists ({_shown(value)})")
        if _is_row(value, self._fields):
            return None
        if kinds == {"object"}:
            return self._by_key(value)
        if "number" in kinds and kinds <= {"number", "null"}:
            return self._scores_by_key(value)
        return None

    def _is_by_column(self, value: Row) -> bool:
        """Whether the object holds an object per column, each with the same names, those of the rows."""
        columns = list(value.values())
        if not all(isinstance(column, dict) for column in columns):
            return False
        names = columns[0].keys()
        if any(column.keys() != names for column in columns):
            return False
        if any(isinstance(cell, dict) for column in columns for cell in column.values()):
            return False
        layout = layout_of(tuple(value))
        is_named = (
            layout.key is not None or bool(layout.scores) or any(path in value for path in self._fields.paths)
        )
        return is_named or (bool(names) and _is_numbered(list(names)))

    def _by_column(self, value: Row) -> Iterator[Row]:
        names = list(next(iter(value.values())))
        rows = ({column: cells[name] for column, cells in value.items()} for name in names)
        return self._indexed(names, rows)

    def _split(self, value: Row) -> Iterator[Row | RowFault]:
        """The rows of lists of cells beside the names of their columns, and perhaps of their rows."""
        columns, index, data = value["columns"], value.get("index"), value["data"]
        if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
            raise RowFault(
                f"field columns: found {show(columns)}; expected a name of its own for each column"
            )
        if data and all(isinstance(each, dict) for each in data):
            return iter(data)
        rows = (_of_cells(columns, cells) for cells in data)
        if index is None:
            return rows
        if not isinstance(index, list) or len(index) != len(data):
            raise RowFault(
                f"field index: found {show(index)}; expected {len(data)} names, one for each row of data"
            )
        return self._indexed(index, rows)

    def _by_key(self, value: Row) -> Iterator[Row]:
        numbered = self._is_no_key(list(value))
        for name, row in value.items():
            yield row if numbered else _keyed(name, row, self._fields)

    def _scores_by_key(self, value: Row) -> Iterator[Row | RowFault]:
        if self._is_no_key(list(value)):
            raise RowFault(
                f"found a map from {show(next(iter(value)))} to {show(next(reversed(value)))}, as pandas numbers rows; "
                "expected a map from the keys of clips (if these are keys, set key_field to path)"
            )
        for key, score in value.items():
            if finite_number(score) is None:
                yield RowFault(f"{show(key)}: found {show(score)}; expected a finite number")
            else:
                yield {KEY: key, "score": score}

    def _indexed(self, index: Sequence[Any], rows: Iterable[Any]) -> Iterator[Any]:
        """Rows that have their key in the index, unless a field of theirs holds it or the index only counts them."""
        counts = self._is_no_key(index)
        for name, row in zip(index, rows, strict=True):
            is_row = isinstance(row, dict)
            yield _keyed(name, row, self._fields) if is_row and not counts else row

    def _is_no_key(self, names: Sequence[Any]) -> bool:
        return _is_numbered(names) and KEY not in self._fields.keys


def _keyed(name: Any, row: Row, fields: SetFields) -> Row:
    """A row with the name before it as its key, unless the row already has a key."""
    return row if fields.has_key(row) or KEY in row else {KEY: name, **row}


def _is_numbered(names: Sequence[Any]) -> bool:
    """Whether the names are 0, 1, 2 ..., as pandas numbers rows that have no names."""
    return all(name in (number, str(number)) for number, name in enumerate(names))


def _is_row(value: Mapping[str, Any], fields: SetFields) -> bool:
    """Whether a name in the object is that of a known field."""
    return bool(fields.needed(tuple(value)))


def _share_names(values: Sequence[Any], fields: SetFields) -> bool:
    """Whether objects whose fields are all unknown share one: rows do, maps have each key once."""
    unknown = (value for value in values if isinstance(value, dict) and not _is_row(value, fields))
    names = Counter(name for value in unknown for name in value if name not in _MAPS)
    return any(times > 1 for times in names.values())


def _listed(values: list[Any]) -> list[Any]:
    """The rows of a list, in which single ones may be faulty."""
    if values and not any(isinstance(each, dict) for each in values):
        kinds = sorted({_kind(each) for each in values})
        raise _refused(f"a list of {' and '.join(f'{kind}s' for kind in kinds)}")
    return values


def _of_cells(columns: Sequence[str], cells: Any) -> Row | RowFault:
    if not isinstance(cells, list):
        return RowFault(f"found {show(cells)}; expected a list of {len(columns)} cells, as in columns")
    if len(cells) != len(columns):
        return RowFault(f"found {len(cells)} cells; expected {len(columns)}, as in columns")
    return dict(zip(columns, cells, strict=True))


def _with_competitor(row: Any, wrapper: Row) -> Any:
    """A row of a wrapper that names the scorer once for all its rows; the row's own field takes precedence."""
    named = _competitor(wrapper)
    if named is None or not isinstance(row, dict) or _competitor(row) is not None:
        return row
    return row | {"competitor": named}


def _competitor(value: Row) -> Any:
    summary = value.get("summary")
    return value.get("competitor") or (summary.get("competitor") if isinstance(summary, dict) else None)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    is_number = finite_number(value) is not None or isinstance(value, float)
    return "number" if is_number else "text" if isinstance(value, str) else "value"


def _refused(found: str) -> RowFault:
    return RowFault(f"found {found}; expected {EXPECTED}")


def _shown(value: Row) -> str:
    return ", ".join(map(show, list(value)[:5])) + (", ..." if len(value) > 5 else "")
