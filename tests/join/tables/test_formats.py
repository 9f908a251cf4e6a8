"""Every input format to every output format: the same rows, and nothing re-typed on the way."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, TableError, UsageError
from tests.support.builders import join_features, write_text

ROWS: list[dict[str, Any]] = [
    {"clip_id": "0042", "width": 9007199254740993, "sharp": 0.1, "day": "2024-02-29", "note": 'a,"b"\n\té'},
    {"clip_id": "c0", "width": None, "sharp": -2.5, "day": "2024-03-01", "note": "0012_48"},
    {"clip_id": "c0", "width": 7, "sharp": None, "day": "2024-03-02", "note": "33e3"},
]
SCORES: list[dict[str, Any]] = [
    {"score": None, "status": "missing", "runtime_ms": None, "frames": 0, "source": ""},
    {"score": 1.0, "status": "ok", "runtime_ms": None, "frames": 0, "source": "dover.jsonl"},
    {"score": 1.0, "status": "ok", "runtime_ms": None, "frames": 0, "source": "dover.jsonl"},
]
EXPECTED = [
    row | {f"second_opinion_dover_{name}": value for name, value in score.items()}
    for row, score in zip(ROWS, SCORES, strict=True)
]
TEXT_FORMATS = ["jsonl", "ndjson", "json", "csv", "tsv"]
FORMATS = ["parquet", "pq", "JSONL", *TEXT_FORMATS] + [
    f"{text}.{packed}" for text in TEXT_FORMATS for packed in ("gz", "zst")
]


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """`rows` in the format of the name, by other means than the project's."""
    suffixes = path.name.lower().split(".")[1:]
    if suffixes[0] in ("parquet", "pq"):
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if suffixes[0] in ("csv", "tsv"):
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="," if suffixes[0] == "csv" else "\t")
        writer.writeheader()
        writer.writerows(rows)
        text = stream.getvalue()
    else:
        text = json.dumps(rows) if suffixes[0] == "json" else "\n".join(map(json.dumps, rows))
    content = text.encode()
    match suffixes[1:]:
        case ["gz"]:
            content = gzip.compress(content)
        case ["zst"]:
            content = pa.compress(content, codec="zstd", asbytes=True)
    path.write_bytes(content)
    return path


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a table, by other means than the project's; cells of CSV and TSV are texts."""
    suffixes = path.name.lower().split(".")[1:]
    if suffixes[0] in ("parquet", "pq"):
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    packed = {"gz": "gzip", "zst": "zstd"}.get(suffixes[-1])
    text = pa.input_stream(path, compression=packed).read().decode()
    match suffixes[0]:
        case "csv" | "tsv" as form:
            cells = csv.DictReader(io.StringIO(text, newline=""), delimiter="," if form == "csv" else "\t")
            return list(cells)
        case "json":
            return list(json.loads(text))
        case _:
            return [json.loads(line) for line in text.split("\n")[:-1]]


def as_cells(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The rows as CSV shows them."""
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("given_as", FORMATS)
@pytest.mark.parametrize("asked_for", FORMATS)
def test_every_format_to_every_format(tmp_path: Path, given_as: str, asked_for: str) -> None:
    """The rows, their order and their values are the same whatever the formats and the compression."""
    features = write_table(tmp_path / f"f.{given_as}", ROWS)
    joined = read_table(join_features(features, f"o.{asked_for}"))
    delimited = asked_for.startswith(("csv", "tsv"))
    assert joined == (as_cells(EXPECTED) if delimited else EXPECTED)
    assert [list(row) for row in joined] == [list(row) for row in EXPECTED]


@pytest.mark.parametrize("form", FORMATS)
def test_equal_content_is_equal_bytes(tmp_path: Path, form: str) -> None:
    """The same join gives the same bytes, also where the format compresses."""
    features = write_table(tmp_path / "f.jsonl", ROWS)
    first = join_features(features, f"o.{form}").read_bytes()
    (tmp_path / "elsewhere").mkdir()
    again = join_features(features.rename(tmp_path / "elsewhere" / "f.jsonl"), f"o.{form}")
    assert again.read_bytes() == first


@pytest.mark.parametrize("packed", ["gz", "zst"])
@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_truncated_compressed_tables_are_refused(tmp_path: Path, form: str, packed: str) -> None:
    """Compressed data that was cut off is an error, not a shorter table."""
    rows = [{"clip_id": f"c{row}", "x": str(row * 7919 % 10007)} for row in range(5000)]
    features = write_table(tmp_path / f"f.{form}.{packed}", rows)
    features.write_bytes(features.read_bytes()[:-200])
    with pytest.raises((InputError, TableError), match=rf"f\.{form}\.{packed}"):
        join_features(features, "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize("name", ["f.parquet.gz", "f.txt", "f.gz", "f"])
def test_unknown_extensions_are_refused(tmp_path: Path, name: str) -> None:
    """A name that tells no format is refused with those that would."""
    features = write_text(tmp_path / name, "clip_id\nc0\n")
    with pytest.raises(UsageError, match=rf"found '{name}'; expected one of \.parquet, .*\.csv"):
        join_features(features, "o.csv")


NAMES = st.text(max_size=5).filter(lambda name: name != "clip_id" and not name.startswith("second_opinion"))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(NAMES, JSON_VALUES, max_size=5), min_size=1, max_size=6))
def test_any_rows_survive_jsonl(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    """From JSONL to JSONL any row keeps its fields, their order, their types and their values."""
    before = [{"clip_id": "c0"} | row for row in rows]
    features = write_table(tmp_path_factory.mktemp("rows") / "f.jsonl", before)
    after = [dict(list(row.items())[:-5]) for row in read_table(join_features(features, "o.jsonl"))]
    assert [json.dumps(row) for row in after] == [json.dumps(row) for row in before]


ARROW_TYPES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.float64(): st.floats(allow_nan=False),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=8),
    pa.large_binary(): st.binary(max_size=8),
    pa.timestamp("us", "UTC"): st.integers(-(2**50), 2**50),
    pa.decimal128(10, 3): st.decimals(-1000, 1000, places=3),
    pa.date32(): st.dates(),
}


@st.composite
def arrow_columns(draw: st.DrawFn, rows: int) -> pa.Array:
    """A column of some type with some nulls, plain, in lists or in structs."""
    kind = draw(st.sampled_from(list(ARROW_TYPES)))
    values = st.none() | ARROW_TYPES[kind]
    form = draw(st.sampled_from(["plain", "lists", "structs"]))
    if form == "lists":
        kind, values = pa.list_(kind), st.none() | st.lists(values, max_size=3)
    elif form == "structs":
        kind, values = pa.struct([("below", kind)]), st.none() | st.fixed_dictionaries({"below": values})
    return pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)


@st.composite
def arrow_tables(draw: st.DrawFn) -> pa.Table:
    """Some rows of some columns, the key column first."""
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(NAMES.filter(bool), unique=True, max_size=4))
    columns = [draw(arrow_columns(rows)) for _ in names]
    return pa.table([pa.array(["c0"] * rows, pa.string()), *columns], names=["clip_id", *names])


@settings(max_examples=60, deadline=None)
@given(table=arrow_tables())
def test_any_rows_survive_parquet(tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> None:
    """From Parquet to Parquet any column is equal by Arrow equality, type and nulls included."""
    folder = tmp_path_factory.mktemp("rows")
    pq.write_table(table, folder / "f.parquet")
    before = pq.read_table(folder / "f.parquet")
    after = pq.read_table(join_features(folder / "f.parquet", "o.parquet"))
    assert after.select(before.column_names).equals(before)
    assert after.schema.names[: len(before.schema.names)] == before.schema.names
