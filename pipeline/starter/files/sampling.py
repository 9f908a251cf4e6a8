"""Reads the first rows of a file of any known format."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ...errors import SidecarError
from ...join import keys
from ...join.sidecars.delimited_rows import USUAL
from ...join.sidecars.fields import FIRST_LOOK, Reading, Row, RowFault, SetFields, layout_of
from ...join.sidecars.numbers import finite_number
from ...join.sidecars.rows import read_rows, unit
from ...join.tables import open_table
from ...join.tables.delimited import Beginning, read_beginning
from ...storage.dialect import Dialect, TextSettings, looks_like_data
from ...storage.formats import TableFormat, table_format
from ...storage.locations import Location
from .fields import is_label
from .samples import Sample, sample_of

SAMPLE_ROWS = 1000
_MAX_ITEMS = 3
_MAX_COLUMNS = 200  # maximum for a Parquet file that may be a sidecar
_AS_ROW = Reading(fields=SetFields(key_is_file=True))


def take_sample(folder: Location, name: str) -> Sample:
    """The first rows of a file.

    :raises BatchError: it cannot be read in the format that its name gives.
    """
    match table_format(name):
        case "parquet":
            return _of_parquet(folder / name, name)
        case "csv" | "tsv" as form:
            return _of_delimited(folder / name, name, form)
        case form:
            return _of_json(folder / name, name, form or "jsonl")


def _of_json(path: Location, name: str, form: TableFormat) -> Sample:
    """The rows as written, or the rows of a map from keys, if the object may be one."""
    rows, whole = _rows(path, form, _AS_ROW)
    as_row = sample_of(name, rows, whole=whole)
    if not all(map(_may_be_map, rows)) or (form == "json" and len(rows) > 1):
        return as_row
    mapped, whole = _rows(path, form, FIRST_LOOK)
    if mapped == rows:
        return replace(as_row, refused=_refusal(path, name, form))
    return replace(sample_of(name, mapped, whole=whole), as_row=as_row)


def _refusal(path: Location, name: str, form: TableFormat) -> str:
    """The error of a join about the shape of a file without known fields; empty if there is none."""
    try:
        next(iter(read_rows(path, form, Reading(entry=name))), None)
    except SidecarError as exc:
        return str(exc).removeprefix(f"{path}: ")
    return ""


def _may_be_map(row: Row) -> bool:
    """True if an object may be a map, or a table by columns; other files are read only once."""
    layout = layout_of(tuple(row))
    return set(layout.names) <= {layout.competitor} or all(isinstance(value, dict) for value in row.values())


def _of_delimited(path: Location, name: str, form: TableFormat) -> Sample:
    beginning = read_beginning(path, USUAL[form], TextSettings())
    settings = TextSettings()
    if _has_no_header(beginning):
        settings = TextSettings(columns=_names(beginning, "mos" if is_label(path.name) else "score"))
        beginning = read_beginning(path, USUAL[form], settings)
    rows, whole = _rows(path, form, Reading(text=settings))
    plain = [{field: _number(value, beginning.dialect) for field, value in row.items()} for row in rows]
    note = settings.note(beginning.dialect, USUAL[form]) or ""
    return replace(sample_of(name, plain, whole=whole), text=settings, note=note)


def _has_no_header(beginning: Beginning) -> bool:
    return (
        len(beginning.first) > 1
        and not layout_of(tuple(cell.strip() for cell in beginning.first)).names
        and looks_like_data(beginning.first, beginning.second)
    )


def _names(beginning: Beginning, number: str) -> tuple[str, ...]:
    """Names for the columns of a file without a header, if it has only a path and a number."""
    cells = beginning.first
    numeric = [finite_number(beginning.dialect.with_point(cell)) is not None for cell in cells]
    if len(cells) == 2 and sum(numeric) == 1:
        return tuple(number if is_number else "path" for is_number in numeric)
    return tuple(f"c{position}" for position in range(1, len(cells) + 1))


def _number(value: Any, dialect: Dialect) -> Any:
    """The cell with a decimal point, if it is a number in the dialect of the text."""
    swapped = dialect.with_point(value) if isinstance(value, str) else value
    return value if finite_number(swapped) is None else swapped


def _of_parquet(path: Location, name: str) -> Sample:
    table = open_table(path, None)
    batch = next(table.chunks("arrow"), table.schema().empty_table()).slice(0, SAMPLE_ROWS)
    texts = {}
    for column in table.columns:
        kind = batch.schema.field(column).type
        if not (pa.types.is_nested(kind) or pa.types.is_boolean(kind)):
            try:
                texts[column] = keys.texts(batch.column(column))
            except pa.ArrowException:
                continue  # bytes and similar types, which do not name clips
    narrow = len(table.columns) <= _MAX_COLUMNS
    sample = sample_of(name, list(_objects(batch)) if narrow else (), whole=table.rows <= SAMPLE_ROWS)
    return replace(
        sample, columns=sample.columns if sample.rows else table.columns, texts={**sample.texts, **texts}
    )


def _objects(batch: pa.RecordBatch) -> Iterator[Row]:
    """The rows of a batch; a column with values that Python cannot represent is left out."""
    columns: dict[str, Sequence[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.to_pylist()
        except (pa.ArrowException, ValueError, OverflowError):
            columns[name] = [None] * batch.num_rows
    return (
        {name: _beginning(values[row]) for name, values in columns.items()} for row in range(batch.num_rows)
    )


def _rows(path: Location, form: TableFormat, how: Reading) -> tuple[list[Row], bool]:
    """The first rows, and True if these are all.

    :raises SidecarError: one of them is not a row.
    """
    found = list(itertools.islice(read_rows(path, form, how), SAMPLE_ROWS + 1))
    rows: list[Row] = []
    for number, row in found[:SAMPLE_ROWS]:
        if isinstance(row, RowFault):
            raise SidecarError(f"{unit(form)} {number}: {row}")
        rows.append({field: _beginning(value) for field, value in row.items()})
    return rows, len(found) <= SAMPLE_ROWS


def _beginning(value: Any) -> Any:
    """The first items of a list, because thousands of files may each contain thousands of frames."""
    return value[:_MAX_ITEMS] if isinstance(value, list) else value
