"""Feature tables and joined tables: what a file holds, and how it stands in a file of another format."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.oracle import faults
from tests.oracle.faults import Fault, RefusedError
from tests.oracle.fields import KEYS, first
from tests.oracle.sidecars import content_of, format_of, parsed

INTEGER = re.compile("0|-?[1-9][0-9]*")
NUMBER = re.compile("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+][0-9]+)?")
EXACT = 2**53


@dataclass
class Table:
    """A table as it stands in its file: `json` rows may lack fields, `text` cells are text, `typed` have types."""

    kind: str
    columns: list[str]
    rows: list[dict[str, Any]]


def kind_of(name: str) -> str | None:
    """The kind of table that a file of this name holds; None: no extension of a table."""
    if name.endswith((".parquet", ".pq")):
        return "typed"
    form = format_of(name)
    return None if form is None else "json" if form.startswith("json") else "text"


def read_table(path: Path) -> Table:
    """The table in a file.

    :raises RefusedError: it is not there or cannot be read.
    """
    if not path.is_file():
        raise RefusedError(Fault("InputMissingError"))
    kind = kind_of(path.name)
    if kind == "typed":
        whole = pq.read_table(path)
        table = Table("typed", whole.column_names, whole.to_pylist())
    elif kind == "json":
        table = json_table(path)
    else:
        table = text_table(path)
    if len(set(table.columns)) < len(table.columns):
        raise RefusedError(Fault("TableError", "two columns are named"))
    return table


def json_table(path: Path) -> Table:
    """A table of objects, one per line or in one list."""
    text = content_of(path)
    if format_of(path.name) == "jsonl":
        rows = [parsed(line) for line in text.split("\n") if line.strip()]
    else:
        rows = parsed(text)
        if isinstance(rows, dict) and list(rows) == ["rows"]:
            rows = rows["rows"]
        if not isinstance(rows, list):
            raise RefusedError(Fault("TableError", "expected a list of objects"))
    faulty = sum(not isinstance(row, dict) for row in rows)
    if faulty:
        raise RefusedError(Fault("TableError", f"{faults.rows(faulty)} in the feature table"))
    return Table("json", list(dict.fromkeys(name for row in rows for name in row)), rows)


def text_table(path: Path) -> Table:
    """A table of cells under a header."""
    delimiter = "\t" if format_of(path.name) == "tsv" else ","
    header, *records = list(csv.reader(io.StringIO(content_of(path), newline=""), delimiter=delimiter)) or [
        []
    ]
    if not any(header) or any(len(cells) not in (0, len(header)) for cells in records):
        raise RefusedError(Fault("TableError"))
    return Table("text", header, [dict(zip(header, cells, strict=True)) for cells in records if cells])


def key_column_of(table: Table, wanted: str | None) -> str:
    """The column that holds the keys: the wanted one, else the first candidate.

    :raises RefusedError: there is none; a file without a row or a header is an empty shard and has any.
    """
    if not table.columns and not table.rows:
        return wanted or KEYS[0]
    column = wanted or first(dict.fromkeys(table.columns), KEYS)[0]
    if column not in table.columns:
        raise RefusedError(Fault("TableError", "no key column"))
    return column


def as_kind(table: Table, kind: str, key_column: str) -> list[dict[str, Any]]:
    """The rows as they stand in a file of that kind.

    :raises RefusedError: a value has no place in it.
    """
    if table.kind == kind:
        return table.rows
    columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
    if table.kind == "text":
        columns = {name: cells if name == key_column else numbers(cells) for name, cells in columns.items()}
    for name, values in columns.items():
        if kind == "text":
            columns[name] = [as_text(value) for value in values]
        elif kind == "typed" and table.kind == "json":
            columns[name] = one_type(values)
        elif kind == "json":
            columns[name] = [as_json(value) for value in values]
    return [{name: columns[name][row] for name in columns} for row in range(len(table.rows))]


def numbers(cells: list[Any]) -> list[Any]:
    """The cells as numbers if every one that is not empty is a plain one; else as they are."""
    full = [cell for cell in cells if cell]
    if full and all(INTEGER.fullmatch(cell) for cell in full):
        integers = [int(cell) for cell in full]
        if all(-(2**63) <= each < 2**63 for each in integers) or all(0 <= each < 2**64 for each in integers):
            return [int(cell) if cell else None for cell in cells]
    if full and all(NUMBER.fullmatch(cell) and is_short(cell) for cell in full):
        return [float(cell) if cell else None for cell in cells]
    return cells


def is_short(cell: str) -> bool:
    """Whether a float holds every digit of the number's integer part, and the number is within its range."""
    digits = re.match("-?([0-9]*)", cell)
    return digits is not None and len(digits[1]) < 16 and math.isfinite(float(cell))


def one_type(values: list[Any]) -> list[Any]:
    """The values of a column of one type; integers among floats are floats.

    :raises RefusedError: they are of several types, or a float does not hold one of the integers.
    """
    types = {type(value) for value in values if value is not None}
    if types == {int, float}:
        if any(isinstance(value, int) and abs(value) > EXACT for value in values):
            raise RefusedError(Fault("TableError", "column"))
        return [None if value is None else float(value) for value in values]
    if len(types) > 1:
        raise RefusedError(Fault("TableError", "expected one type per column"))
    return values


def as_json(value: Any) -> Any:
    """A typed value in JSON, which knows neither NaN nor infinity."""
    if isinstance(value, float) and math.isinf(value):
        raise RefusedError(Fault("TableError", "which JSON cannot say"))
    return None if isinstance(value, float) and math.isnan(value) else value


def as_text(value: Any) -> str:
    """A value in a cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
