"""One form of a chunk into another: typed columns, JSON rows, text cells."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import TableError, show
from ..keys import stored


def arrow_to_rows(batch: pa.RecordBatch, where: str) -> list[dict[str, Any]]:
    """Typed columns as JSON rows: NaN becomes null, what JSON has no type for becomes its ISO or plain text.

    :param where: the table, for messages.
    :raises TableError: a float is infinite, which JSON cannot say.
    """
    names = batch.schema.names
    columns = [
        _json_values(f"{where} column {show(name)}", column)
        for name, column in zip(names, batch.columns, strict=True)
    ]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def arrow_to_text(batch: pa.RecordBatch, where: str) -> pa.RecordBatch:
    """Typed columns as text cells: floats in their shortest exact form, null empty, nested values as JSON.

    :param where: the table, for messages.
    :raises TableError: a nested float is infinite.
    """
    columns = [
        _text_column(f"{where} column {show(name)}", column)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def rows_to_text(rows: Sequence[dict[str, Any]], columns: Sequence[str], where: str) -> pa.RecordBatch:
    """JSON rows as text cells in the order of `columns`; null and absent are empty, nested values JSON.

    :param where: the table, for messages.
    :raises TableError: a text is not Unicode.
    """
    arrays = [_texts(f"{where} column {show(name)}", [row.get(name) for row in rows]) for name in columns]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _texts(where: str, values: Sequence[Any]) -> pa.Array:
    if set(map(type, values)) <= {float, type(None)}:
        return _float_texts(pa.array(values, pa.float64()))
    try:
        return pa.array([_cell(value) for value in values], pa.string())
    except UnicodeEncodeError as exc:
        raise TableError(f"{where}: {exc.reason}; expected Unicode text") from exc


def _float_texts(column: pa.Array) -> pa.Array:
    """Floats (float64) as Python spells them; NaN has no text.

    Arrow spells fractions of this size alike, in a seventh of the time (0.1 instead of 0.8 us each); not so whole
    numbers (`1`), nor very small and large ones (`1e-7`).
    """
    size = pc.abs(column)
    alike = pc.and_(pc.greater_equal(size, 1e-3), pc.less(size, 1e9))
    alike = pc.and_(alike, pc.not_equal(column, pc.trunc(column)))
    others = pc.fill_null(pc.invert(alike), False)
    texts = pa.array([_cell(value) for value in column.filter(others).to_pylist()], pa.string())
    return pc.replace_with_mask(column.cast(pa.string()), others, texts)


def _cell(value: Any) -> str | None:
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return None
        case int() | float():
            return repr(value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _text_column(where: str, column: pa.Array) -> pa.Array:
    column = stored(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.string())
    if column.type == pa.float64():
        return _float_texts(column)
    return _texts(where, _json_values(where, column, infinite=True))


def _plain(column: pa.Array) -> pa.Array:
    """A column of a type that JSON lacks as text, where Arrow has a text for it."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Arrow's text has a blank where ISO 8601 has a T, and no zone.
        pattern = "%Y-%m-%dT%H:%M:%S" + ("%z" if kind.tz else "")
        return pc.strftime(column, pattern)
    if pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return column.cast(pa.string())
    return column


def _json_values(where: str, column: pa.Array, *, infinite: bool = False) -> list[Any]:
    column = stored(column)
    if column.type == pa.float64() and pc.all(pc.is_finite(column), min_count=0).as_py():
        finite: list[Any] = column.to_pylist()
        return finite  # most columns: nothing in them needs a look
    if pa.types.is_floating(column.type):
        return [_json_float(where, value, infinite) for value in column.to_pylist()]
    try:
        plain = _plain(column)
        values: list[Any] = plain.to_pylist()
    except (pa.ArrowException, ValueError) as exc:
        raise TableError(f"{where}: {exc}; write the table as Parquet instead") from exc
    if pa.types.is_integer(plain.type) or pa.types.is_string(plain.type):
        return values
    return [_json_value(where, value, infinite) for value in values]


def _json_float(where: str, value: float | None, infinite: bool) -> float | None:
    if value is None or math.isnan(value):
        return None
    if math.isinf(value) and not infinite:
        raise TableError(f"{where}: found {value}, which JSON cannot say; write the table as Parquet instead")
    return value


def _json_value(where: str, value: Any, infinite: bool) -> Any:
    match value:
        case dict():
            return {key: _json_value(where, below, infinite) for key, below in value.items()}
        case list() | tuple():
            return [_json_value(where, below, infinite) for below in value]
        case float():
            return _json_float(where, value, infinite)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Decimal():
            return str(value)
        case datetime.timedelta():
            return value.total_seconds()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
