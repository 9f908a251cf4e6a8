"""Feature tables: a column of keys, further columns of every kind, now and then a fault."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.support.batches.odds import once_in, one_of, weighted
from tests.support.batches.spelling import Keys, as_number, spelled

Row = dict[str, Any]

FLOATS = st.floats(-1e6, 1e6) | st.sampled_from([0.1, 1e-7, 1e16, 5e-324])
INTEGERS = st.integers(-9, 9) | st.sampled_from([2**53 + 1, -(2**62)])
TEXTS = st.sampled_from(
    ["0042", "0012_48", "2024-01-01", "", " a ", "x,y", 'say "so"', "é", "nan", "1e5", "true", "a\nb"]
)
NESTED = st.builds(
    lambda b, a: {"b": b, "a": a}, st.lists(st.floats(0, 1), max_size=2), st.integers(0, 9)
)  # in the order in which a struct has them
ODD_FLOATS = FLOATS | st.just(float("nan"))
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "integers": INTEGERS,
    "floats": FLOATS,
    "texts": TEXTS,
    "booleans": st.booleans(),
    "nested": NESTED,
}
TYPES = {
    "integers": pa.int64(),
    "floats": pa.float64(),
    "texts": pa.string(),
    "booleans": pa.bool_(),
    "nested": pa.struct([("b", pa.list_(pa.float64())), ("a", pa.int64())]),
}
NUMERIC_CELLS = st.sampled_from(
    ["0", "-7", "12", "0.5", "1e-05", "-2.25", "9007199254740993", "", ".5", "5.", "-.5", "NaN", "NA"]
)
CELLS = (
    NUMERIC_CELLS
    | TEXTS
    | st.sampled_from(
        ["007", "+1", "1_0", "33e3", " 1", "99999999999999999999", "1,5", "1.5", "1,234", "-", "."]
    )
    | st.sampled_from(
        ["nan", "N/A", "null", "None", "inf", "1920,1080", "-.", "1e400", "1e+400", "x;y", "x|y"]
    )
)


@st.composite
def feature_files(draw: st.DrawFn, keys: Keys, taken: str) -> tuple[str, bytes | pa.Table, dict[str, Any]]:
    """The name and the content of a feature table, and what its entry sets.

    :param taken: a column of the join that the table seldom has already.
    """
    form = one_of(draw, "jsonl", "csv", "parquet", "jsonl", "json", "tsv")
    rows = [draw(feature_keys(keys)) for _ in range(weighted(draw, {0: 1, 1: 2, 3: 4, 6: 8, 12: 4}))]
    names = draw(st.lists(st.sampled_from(["f", "mos", "Frames", "note"]), max_size=3, unique=True))
    if once_in(draw, 8):
        names.append(taken)
    if once_in(draw, 6) and keys.features.field.lower() != "path":
        names.append("path")  # the last candidate, which does not count beside another
    names.insert(draw(st.integers(0, len(names))), keys.features.field)
    if once_in(draw, 25):
        names = [f"_{name}" if name == keys.features.field else name for name in names]
    if form == "parquet":
        return one_of(draw, "f.parquet", "f.pq"), draw(typed_tables(names, keys.features.field, rows)), {}
    settings: dict[str, Any] = {}
    if form in ("csv", "tsv"):
        usual = "\t" if form == "tsv" else ","
        content, settings = draw(delimited_tables(names, keys.features.field, rows, usual))
    else:
        content = draw(json_tables(names, keys.features.field, rows, form))
    return (*packed(draw, f"f.{form}", content), settings)


def packed(draw: st.DrawFn, name: str, content: str) -> tuple[str, bytes]:
    """A text file, seldom compressed."""
    if once_in(draw, 10):
        return f"{name}.gz", gzip.compress(content.encode("utf-8"), mtime=0)
    return name, content.encode("utf-8")


@st.composite
def feature_keys(draw: st.DrawFn, keys: Keys) -> str | None:
    """The key of a row; now and then none, or that of a clip that nobody scored."""
    if once_in(draw, 25):
        return one_of(draw, None, "", " ", "x/", "unknown")
    return spelled(draw, draw(st.sampled_from(keys.clips)), keys.features)


@st.composite
def json_tables(draw: st.DrawFn, names: list[str], key_name: str, keys: list[str | None], form: str) -> str:
    """Rows as objects, whose columns may mix types and lack values; seldom a row that is no object."""
    columns: dict[str, st.SearchStrategy[Any]] = {}
    for name in names:
        several = weighted(draw, {1: 12, 2: 1})
        kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=several, max_size=several))
        columns[name] = st.one_of(*(KINDS[kind] for kind in kinds))
    lines = []
    for key in keys:
        row: Row = {}
        for name, values in columns.items():
            if name == key_name:
                row[name] = None if key is None else as_number(draw, key)
            elif not once_in(draw, 15):
                row[name] = None if once_in(draw, 10) else draw(values)
        lines.append(json.dumps(row, ensure_ascii=draw(st.booleans())))
    if lines and once_in(draw, 25):
        lines[draw(st.integers(0, len(lines) - 1))] = one_of(
            draw, "[1]", '{"a": 1, "a": 2}', "null", "7", '"t"'
        )
    if form == "jsonl":
        blank = "\n" if once_in(draw, 8) else ""
        return blank + "".join(f"{line}\n" for line in lines)
    listed = "[" + ",\n".join(lines) + "]"
    return one_of(draw, listed, '{"rows": ' + listed + "}")


@st.composite
def delimited_tables(
    draw: st.DrawFn, names: list[str], key_name: str, keys: list[str | None], usual: str
) -> tuple[str, dict[str, Any]]:
    """Cells, of which whole columns may be numbers, and what the entry sets; seldom a record of another length."""
    header = [*names, "last"]
    delimiter, decimal, settings = draw(dialects(usual))
    numeric = {name for name in header if once_in(draw, 2)}
    records = []
    for key in keys:
        cells = [draw(NUMERIC_CELLS if name in numeric else CELLS) for name in header]
        marked = [
            cell.replace(".", decimal) if name in numeric else cell
            for name, cell in zip(header, cells, strict=True)
        ]
        records.append(
            [key or "" if name == key_name else cell for name, cell in zip(header, marked, strict=True)]
        )
    if once_in(draw, 12):
        settings["columns"] = header  # now and then beside the header itself
    if "columns" not in settings or once_in(draw, 6):
        records.insert(0, header)
    if records and once_in(draw, 40):
        records[-1] = [*records[-1], "more"]
    if "columns" in settings and once_in(draw, 6):
        del settings["columns"]  # a file without a header that nothing names
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=one_of(draw, "\n", "\r\n")).writerows(records)
    return text.getvalue(), settings


@st.composite
def dialects(draw: st.DrawFn, usual: str) -> tuple[str, str, dict[str, Any]]:
    """A delimiter, a decimal mark, and what an entry sets: mostly the usual ones and nothing."""
    if not once_in(draw, 3):
        return usual, ".", {}
    delimiter, decimal = one_of(draw, ";", "\t", "|", ",", "~"), one_of(draw, ",", ",", ".")
    settings = {"delimiter": delimiter, "decimal": decimal}
    kept = draw(st.sets(st.sampled_from(sorted(settings))))
    return delimiter, decimal, {name: settings[name] for name in sorted(kept)}


@st.composite
def typed_tables(draw: st.DrawFn, names: list[str], key_name: str, keys: list[str | None]) -> pa.Table:
    """Typed columns; the keys are texts, or numbers where all of them are."""
    columns = {}
    for name in names:
        kind = one_of(draw, *KINDS)
        if name == key_name:
            columns[name] = draw(key_arrays(keys))
        else:
            values = ODD_FLOATS if kind == "floats" else KINDS[kind]
            columns[name] = pa.array([draw(st.none() | values) for _ in keys], TYPES[kind])
    return pa.table(columns)


@st.composite
def key_arrays(draw: st.DrawFn, keys: list[str | None]) -> pa.Array:
    """Keys as text, dictionary, integers or floats."""
    stripped = [None if key is None else key.strip() for key in keys]
    if all(key is None or (key.isascii() and key.isdecimal() and key != "0042") for key in stripped):
        integers = [None if key is None else int(key) for key in stripped]
        if all(each is None or each < 2**53 for each in integers) and once_in(draw, 2):
            return pa.array(
                [float("nan") if each is None else float(each) for each in integers], pa.float64()
            )
        return pa.array(integers, pa.int64())
    column = pa.array(keys, pa.string())
    return column.dictionary_encode() if once_in(draw, 4) else column
