"""The content of sidecar files: rows in every shape that programs write."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tests.support.batches.feature_files import dialects
from tests.support.batches.odds import once_in, one_of
from tests.support.batches.sidecar_rows import ASPECTS, FIRST_SCORES, RUNTIME_NAMES, Row

Rows = Sequence[Row | str]
NUMBERS = {*FIRST_SCORES, *RUNTIME_NAMES, *ASPECTS.values(), "vmaf", "Quality", "overall"}


@st.composite
def contents(
    draw: st.DrawFn, rows: Rows, form: str, scorer: str, key: str | None
) -> tuple[str | pa.Table, dict[str, Any]]:
    """The content of a file with these rows, and what its entry sets for it.

    :param key: the field of the rows that holds the key; None: none does.
    """
    if form == "parquet":
        return columns_of([row for row in rows if isinstance(row, dict)]), {}
    if form in ("csv", "tsv"):
        return draw(delimited(rows, "\t" if form == "tsv" else ","))
    lines = [
        row if isinstance(row, str) else json.dumps(row, ensure_ascii=draw(st.booleans())) for row in rows
    ]
    if form == "jsonl":
        if once_in(draw, 12) and (entries := members(rows, key)):
            lines = ["{" + entry + "}" for entry in entries]
        ends = ["\n\n" if once_in(draw, 20) else "\n" for _ in lines]
        return "".join(f"{line}{end}" for line, end in zip(lines, ends, strict=True)), {}
    listed = "[" + ", ".join(lines) + "]"
    named = json.dumps(scorer)
    plain = [
        listed,
        f'{{"rows": {listed}}}',
        f'{{"results": {listed}, "version": 3}}',
        "\n".join(lines),
        f'{{"competitor": {named}, "rows": {listed}}}',
        f'{listed} {{"rows": []}}',
        f'{{"data": {listed}, "name": "a run"}}',
    ]
    if once_in(draw, 3) and all(isinstance(row, dict) for row in rows):
        return draw(tables([row for row in rows if isinstance(row, dict)], key, named)), {}
    return one_of(draw, *plain), {}


@st.composite
def tables(draw: st.DrawFn, rows: list[Row], key: str | None, named: str) -> str:
    """Rows as a map, or as pandas writes a table; seldom a shape that nobody reads."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    has_index = key is not None and key in names and once_in(draw, 3)
    columns = [name for name in names if name != key] if has_index else names
    index = [str(row.get(str(key)) if has_index else place) for place, row in enumerate(rows)]
    cells = {name: dict(zip(index, (row.get(name) for row in rows), strict=True)) for name in columns}
    whole = [{name: row.get(name) for name in columns} for row in rows]
    by_key = "{" + ", ".join(members(rows, key)) + "}"
    shapes: list[Callable[[], str]] = [
        lambda: by_key,
        lambda: by_key,
        lambda: json.dumps(cells),
        lambda: json.dumps(dict(zip(index, whole, strict=True))),
        lambda: json.dumps({"columns": columns, "index": index, "data": [[*row.values()] for row in whole]}),
        lambda: json.dumps({"columns": columns, "data": [[*row.values()] for row in whole]}),
        lambda: f'{{"{one_of(draw, "results", "scores", "data")}": {by_key}, "competitor": {named}}}',
        lambda: json.dumps({name: [row.get(name) for row in rows] for name in columns}),
        lambda: json.dumps([[*row.values()] for row in whole]),
        lambda: json.dumps(dict(zip(index, [1.5] * len(index), strict=True))),
        lambda: f"{by_key} {by_key}",
        lambda: json.dumps({"a": 1, "b": {"score": 2}, "c": None}),
    ]
    return one_of(draw, *shapes)()


def members(rows: Iterable[Row | str], key: str | None) -> list[str]:
    """The members of a map from key to score or to object, as JSON; a row that has no key is left out."""
    found = []
    for row in rows:
        if isinstance(row, dict) and key in row:
            rest = {name: value for name, value in row.items() if name != key}
            value = rest["score"] if list(rest) == ["score"] else rest
            found.append(f"{json.dumps(str(row[key]))}: {json.dumps(value)}")
    return found


def columns_of(rows: Sequence[Row]) -> pa.Table:
    """Rows as a table of columns; what has no common type becomes text."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["clip_id"]
    arrays = []
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            array = pa.array(values)
            pq.write_table(pa.table([array], names=[name]), pa.BufferOutputStream())
            arrays.append(array)
        except (pa.ArrowException, OverflowError):  # of several types, or objects without fields
            arrays.append(pa.array([None if value is None else json.dumps(value) for value in values]))
    return pa.table(arrays, names=names)


@st.composite
def delimited(draw: st.DrawFn, rows: Rows, usual: str) -> tuple[str, dict[str, Any]]:
    """Rows as records under a header, or without one, and what the entry sets; what is no row has a cell too many."""
    names = list(dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row)) or ["clip_id"]
    delimiter, decimal, settings = draw(dialects(usual))
    records: list[list[Any]] = []
    for row in rows:
        if isinstance(row, str):
            records.append(["?"] * (len(names) + 1))
        else:
            records.append([_cell(name, row.get(name), decimal) for name in names])
    blanks = once_in(draw, 4)
    header = [f" {name} " if blanks else name for name in names]
    if once_in(draw, 10):
        settings["columns"] = names
    if "columns" not in settings or once_in(draw, 6):
        records.insert(0, header)
    elif len(records) > 1 and once_in(draw, 8):
        del settings["columns"]  # a file without a header that nothing names
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(records)
    return text.getvalue(), settings


def _cell(name: str, value: Any, decimal: str) -> Any:
    is_number = name in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool)
    return str(value).replace(".", decimal) if is_number else value
