"""Feature tables and joined tables: what a file holds, and how it stands in a file of another format."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.oracle import faults
from tests.support.oracle.delimited import NONE, decimal_of, delimiter_of, names_any, split
from tests.support.oracle.faults import Fault, RefusedError
from tests.support.oracle.fields import KEYS, first
from tests.support.oracle.texts import content_of, format_of, parsed

INTEGER = re.compile("0|-?[1-9][0-9]*")
EXACT = 2**53


@dataclass
class Table:
    """A table as it stands in its file: `json` rows may lack fields, `text` cells are text, `typed` have types.

    Numbers among text cells have the mark `decimal`. Values of the `nested` columns are lists or structs.
    """

    kind: str
    columns: list[str]
    rows: list[dict[str, Any]]
    decimal: str = "."
    nested: frozenset[str] = frozenset()


def kind_of(name: str) -> str | None:
    """The kind of table that a file of this name holds; None: no extension of a table."""
    if name.endswith((".parquet", ".pq")):
        return "typed"
    form = format_of(name)
    return None if form is None else "json" if form.startswith("json") else "text"


def read_features(folder: Path, entry: str | Mapping[str, Any]) -> Table:
    """The table that an entry of a manifest names.

    :raises RefusedError: it is not there or cannot be read.
    """
    settings = {"path": entry} if isinstance(entry, str) else entry
    return read_table(folder / settings["path"], settings)


def read_table(path: Path, settings: Mapping[str, Any] | None = None) -> Table:
    """The table in a file.

    :param settings: how delimited text is written, as far as it is set; None: as the file's extension says.
    :raises RefusedError: it is not there or cannot be read.
    """
    if not path.is_file():
        raise RefusedError(Fault("InputMissingError"))
    kind = kind_of(path.name)
    if kind == "typed":
        whole = pq.read_table(path)
        nested = frozenset(field.name for field in whole.schema if pa.types.is_nested(field.type))
        table = Table("typed", whole.column_names, whole.to_pylist(), nested=nested)
    elif kind == "json":
        table = json_table(path)
    else:
        table = text_table(path, settings)
    if len(set(table.columns)) < len(table.columns):
        # Of a text without a header the first line may be told to be data.
        raise RefusedError(Fault("TableError", "" if table.kind == "text" else "two columns are named"))
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


def text_table(path: Path, settings: Mapping[str, Any] | None) -> Table:
    """A table of cells under a header, or of columns that are named elsewhere."""
    text = content_of(path)
    usual = "\t" if format_of(path.name) == "tsv" else ","
    given: Mapping[str, Any] = {"delimiter": usual, "decimal": "."} if settings is None else settings
    named = given.get("columns")
    delimiter = given.get("delimiter") or delimiter_of(text, usual, bool(named))
    records = [cells for cells in split(text, delimiter) if cells]
    if named and records and (names_any(records[0], named) or first(dict.fromkeys(records[0]), KEYS)[0]):
        raise RefusedError(Fault("TableError", "the first line names columns"))
    header, *records = [named, *records] if named else records or [[]]
    if not any(header) or any(len(cells) != len(header) for cells in records):
        raise RefusedError(Fault("TableError"))
    decimal = given.get("decimal") or decimal_of(records, delimiter)
    return Table("text", header, [dict(zip(header, cells, strict=True)) for cells in records], decimal)


def key_column_of(table: Table, wanted: str | None) -> str:
    """The column that holds the keys: the wanted one, else the first candidate.

    :raises RefusedError: there is none, or its type has no texts; a file without a row or a header is an empty shard
        and has any.
    """
    if not table.columns and not table.rows:
        return wanted or KEYS[0]
    column = wanted or first(dict.fromkeys(table.columns), KEYS)[0]
    if not column or column not in table.columns:  # a column may have no name
        raise RefusedError(Fault("TableError", "" if table.kind == "text" else "no key column"))
    if column in table.nested:
        raise RefusedError(Fault("TableError", "expected keys, texts or numbers"))
    return column


def as_kind(table: Table, kind: str, key_column: str) -> list[dict[str, Any]]:
    """The rows as they stand in a file of that kind.

    :raises RefusedError: a value has no place in it.
    """
    if table.kind == kind and table.decimal == ".":
        return table.rows
    columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
    if table.kind == "text":
        for name, cells in columns.items():
            if name != key_column:
                columns[name] = with_point(cells) if kind == "text" else numbers(cells, table.decimal)
    for name, values in columns.items():
        if kind == "text":
            columns[name] = [as_text(value) for value in values]
        elif kind == "typed" and table.kind == "json":
            columns[name] = one_type(values)
        elif kind == "json":
            columns[name] = [as_json(value) for value in values]
    return [{name: columns[name][row] for name in columns} for row in range(len(table.rows))]


def numbers(cells: list[Any], decimal: str = ".") -> list[Any]:
    """The cells as numbers if every one that is no word for none is a plain one; else as they are."""
    full = [cell for cell in cells if cell not in NONE]
    if full and all(INTEGER.fullmatch(cell) for cell in full):
        integers = [int(cell) for cell in full]
        if all(-(2**63) <= each < 2**63 for each in integers) or all(0 <= each < 2**64 for each in integers):
            return [None if cell in NONE else int(cell) for cell in cells]
    if full and all(is_plain(cell, decimal) and is_held(cell.replace(decimal, ".")) for cell in full):
        return [None if cell in NONE else float(cell.replace(decimal, ".")) for cell in cells]
    return cells


def with_point(cells: list[Any]) -> list[Any]:
    """The cells of a column of numbers with points for commas; of another one as they are."""
    found = numbers(cells, ",")
    return (
        [cell.replace(",", ".") for cell in cells]
        if any(isinstance(each, float) for each in found)
        else cells
    )


def is_plain(cell: str, decimal: str) -> bool:
    """Whether a cell is a plain number: no `+`, no leading zero, an exponent only with its sign."""
    mantissa, e, exponent = cell.replace("E", "e").partition("e")
    if e and not (exponent[:1] in ("+", "-") and is_digits(exponent[1:])):
        return False
    whole, mark, below = mantissa.removeprefix("-").partition(decimal)
    if whole != "0" and whole.startswith("0"):
        return False
    return all(is_digits(part) for part in (whole, below) if part) and bool(whole or (mark and below))


def is_digits(text: str) -> bool:
    """Whether a text is of ASCII digits, one at least."""
    return text.isascii() and text.isdecimal()


def is_held(number: str) -> bool:
    """Whether a float holds every digit of the number's integer part, and the number is within its range."""
    digits = re.match("-?([0-9]*)", number)
    value = abs(float(number))
    return digits is not None and (len(digits[1]) < 16 or value < 10**15) and math.isfinite(value)


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
