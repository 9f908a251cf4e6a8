"""The entry `pandas` of a Parquet table's metadata, by which pandas gives a frame back its index and column names.

Source: https://pandas.pydata.org/docs/development/developer.html; `pyarrow/pandas_compat.py` writes and reads it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

_Described: TypeAlias = dict[str, Any]
# What pandas calls the types of the appended columns, in the form that pyarrow reads back, as pandas 2 and 3 do.
_TYPES = {
    pa.float64(): ("float64", "float64"),
    pa.int64(): ("int64", "int64"),
    pa.string(): ("unicode", "object"),
}
_TEXTS = ("unicode", "string")
_INT64 = 1 << 63


@dataclass(frozen=True)
class RangeIndex:
    """An index that is no column, only described: `start`, `start + step` ...

    Attributes:
        column: the name of the column that holds its labels once rows are dropped.
        start: the first label.
        step: from one label to the next.
    """

    column: str
    start: int
    step: int

    def labels(self, kept: pa.Array) -> pa.Array:
        """The labels (int64) of the rows at which `kept` (bool) is true."""
        rows = np.flatnonzero(kept.to_numpy(zero_copy_only=False))
        return pa.array(self.start + self.step * rows.astype(np.int64), pa.int64())


_KEY = b"pandas"


def index_columns(schema: pa.Schema) -> list[str]:
    """The columns that hold the index of the frame that the table was written from."""
    found = _parsed((schema.metadata or {}).get(_KEY, b""))
    named = [] if found is None else found["index_columns"]
    return [each for each in named if isinstance(each, str) and each in schema.names]


def range_index(entry: bytes, columns: Collection[str], rows: int) -> RangeIndex | None:
    """The index that the entry describes as a range; None: there is none, or it does not fit the rows.

    :param columns: all columns that the table shall have.
    """
    found = _parsed(entry)
    if found is None or len(found["index_columns"]) != 1 or not isinstance(found["index_columns"][0], dict):
        return None
    index = found["index_columns"][0]
    bounds: list[Any] = [index.get(name) for name in ("start", "stop", "step")]
    if index.get("kind") != "range" or not all(map(_is_label, bounds)) or not bounds[-1]:
        return None
    name = str(index.get("name") or "")
    column = name if name and name not in columns else _unused(columns)
    start, stop, step = bounds
    return RangeIndex(column, start, step) if len(range(start, stop, step)) == rows else None


def updated(entry: bytes, appended: pa.Schema, stored: RangeIndex | None = None) -> bytes:
    """The entry with the appended columns, as pandas itself would describe `pd.concat` of the frame and these.

    What is not pandas' own stays as it is.

    :param stored: the range index whose labels have become a column.
    """
    found = _parsed(entry)
    if found is None:
        return entry
    names = set(appended.names)
    index = [each for each in found["index_columns"] if not isinstance(each, str) or each not in names]
    known = [each for each in found["columns"] if _field_name(each) not in names]
    levels = {each for each in index if isinstance(each, str)}
    data = [each for each in known if _field_name(each) not in levels]
    data += [_column(field.name, field.name, *_TYPES[field.type]) for field in appended]
    below = [each for each in known if _field_name(each) in levels]
    if stored is not None:
        below.append(_column(found["index_columns"][0].get("name"), stored.column, "int64", "int64"))
        index = [stored.column]
    found |= {"index_columns": index, "columns": [*data, *below]}
    if isinstance(found.get("column_indexes"), list) and found["column_indexes"]:
        found["column_indexes"] = _column_index(found["column_indexes"])
    return json.dumps(found).encode("ascii")


def _parsed(entry: bytes) -> _Described | None:
    """The entry, if it is of the form that pandas writes."""
    try:
        found = json.loads(entry)
        named = all(isinstance(each, dict) and "name" in each for each in found["columns"])
        return found if named and isinstance(found["index_columns"], list) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _column_index(levels: Sequence[Any]) -> list[Any]:
    """The description of the names of the columns, now that texts are among them.

    Names of another type than text are read as their texts then, and tuples too, as no level knows the new names.
    """
    first = levels[0] if isinstance(levels[0], dict) else {}
    kind = str(first.get("pandas_type"))
    if len(levels) > 1:
        return [_name_index(None, "mixed")]
    if kind in _TEXTS or (kind.startswith("mixed") and first.get("numpy_type") == "object"):
        return [*levels]
    if kind == "empty":
        return [_name_index(first.get("name"), "unicode") | {"metadata": {"encoding": "UTF-8"}}]
    is_integer = kind.startswith(("int", "uint")) and kind != "interval"
    return [_name_index(first.get("name"), "mixed-integer" if is_integer else "mixed")]


def _name_index(name: object, kind: str) -> _Described:
    return _column(name, name, kind, "object")


def _column(name: object, field_name: object, kind: str, numpy_type: str) -> _Described:
    return {
        "name": name,
        "field_name": field_name,
        "pandas_type": kind,
        "numpy_type": numpy_type,
        "metadata": None,
    }


def _field_name(column: _Described) -> Any:
    """The name in the table, which older versions of pandas did not give separately."""
    name = column.get("field_name", column["name"])
    return name if isinstance(name, str) else str(name)


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _unused(columns: Collection[str]) -> str:
    """The name that pandas gives a column of labels that have none."""
    number = 0
    while f"__index_level_{number}__" in columns:
        number += 1
    return f"__index_level_{number}__"
