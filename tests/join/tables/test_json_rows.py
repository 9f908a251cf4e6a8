"""JSON and JSONL: every row passes through as the object it is, or is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TableError
from pipeline.join.materialize import materialize
from tests.support.builders import join_features, read_jsonl, write_json, write_jsonl, write_text

VALUES = {
    "leading zeros": '"0042"',
    "date as text": '"2024-02-29"',
    "number as text": '"1e3"',
    "integer above 2^53": "9007199254740993",
    "integer above 2^64": "340282366920938463463374607431768211457",
    "float": "0.1",
    "float that is whole": "3.0",
    "negative zero": "-0.0",
    "boolean": "true",
    "null": "null",
    "NaN": "NaN",
    "non-ASCII": '"é 漢 \U0001f600"',
    "control characters": r'"a\nb\u0000\u2028"',
    "half a surrogate pair": r'"\ud800"',
    "nested": '{"b":[1,{"c":null}],"a":{}}',
    "mixed list": '[1,"1",1.0,null]',
}


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_values_pass_through(tmp_path: Path, text: str, form: str) -> None:
    """A value comes out as it came in: its type, its digits, the order of its keys."""
    row = f'{{"clip_id":"c0","x":{text}}}'
    write_text(tmp_path / f"f.{form}", row if form == "jsonl" else f"[{row}]")
    joined = join_features(tmp_path / f"f.{form}", f"o.{form}").read_text("utf-8")
    rows = json.loads(joined if form == "json" else f"[{joined}]")
    assert json.dumps(rows[0]["x"]) == json.dumps(json.loads(text))


def test_absent_fields_stay_absent(tmp_path: Path) -> None:
    """A field that a row lacks is not made null, and each row keeps the order of its fields."""
    rows: list[dict[str, Any]] = [{"x": 1, "clip_id": "c0"}, {"clip_id": "c1", "x": None}, {"clip_id": "c2"}]
    joined = read_jsonl(join_features(write_jsonl(tmp_path / "f.jsonl", rows), "o.jsonl"))
    assert [list(row)[:-5] for row in joined] == [list(row) for row in rows]


def test_appended_values(tmp_path: Path) -> None:
    """A row's five columns stand at its end; those of a row without a score are null, `missing`, 0 and empty."""
    features = write_jsonl(tmp_path / "f.jsonl", [{"clip_id": "c0"}, {"clip_id": "c1"}])
    scores = [{"clip_id": "c0", "score": 0.1, "runtime_ms": 7}]
    columns = [
        f"second_opinion_dover_{name}" for name in ("score", "status", "runtime_ms", "frames", "source")
    ]
    assert [list(row.items())[1:] for row in read_jsonl(join_features(features, "o.jsonl", scores))] == [
        list(zip(columns, [0.1, "ok", 7.0, 0, "dover.jsonl"], strict=True)),
        list(zip(columns, [None, "missing", None, 0, ""], strict=True)),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", '[{"clip_id": "c0"}, {"clip_id": "c1"}]'),
        ("f.json", '{"rows": [{"clip_id": "c0"}, {"clip_id": "c1"}]}'),
        ("f.jsonl", '{"clip_id": "c0"}\n\n  \n{"clip_id": "c1"}'),
        ("f.ndjson", '{"clip_id": "c0"}\r\n{"clip_id": "c1"}\r\n'),
        ("f.jsonl", '\ufeff{"clip_id": "c0"}\n{"clip_id": "c1"}\n'),
    ],
    ids=["list", "rows", "blank lines", "windows", "byte order mark"],
)
def test_accepted_forms(tmp_path: Path, name: str, text: str) -> None:
    """Rows are the objects of a list, of `rows`, or of lines, of which blank ones are skipped."""
    joined = read_jsonl(join_features(write_text(tmp_path / name, text), "o.jsonl"))
    assert [row["clip_id"] for row in joined] == ["c0", "c1"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.json", "3", r'f\.json: found 3; expected a list of objects or \{"rows"'),
        ("f.json", '{"data": []}', r'f\.json: found an object; expected a list of objects or \{"rows"'),
        ("f.json", "[{]", r"f\.json: not JSON: .* line 1 column 3"),
        ("f.json", '[{"clip_id": "c0"}, 3]', r"f\.json row 2: found 3; expected a JSON object"),
        ("f.jsonl", '{"clip_id": "c0"}\n[1]\n', r"f\.jsonl line 2: found a list; expected a JSON object"),
        ("f.jsonl", '{"clip_id": "c0"}\n{"clip', r"f\.jsonl line 2: not JSON"),
        ("f.jsonl", '{"clip_id": "c0", "x": 1, "x": 1}', r"line 1: the key 'x' occurs twice in one object"),
        ("f.jsonl", '{"clip_id": "c0", "x": {"y": 1, "y": 1}}', r"line 1: the key 'y' occurs twice"),
        ("f.jsonl", "[" * 100_000, r"line 1: nested too deeply"),
        ("f.jsonl", '{"x": 1}', r"no key column; .*set key_column to one of: 'x'"),
    ],
    ids=[
        "no list",
        "no rows",
        "no JSON",
        "row of a list",
        "line of a list",
        "cut off",
        "duplicate key",
        "duplicate key below",
        "too deep",
        "no key",
    ],
)
def test_faulty_tables_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    """The message names the file, the line or row, what was found and what is expected; nothing is written."""
    features = write_text(tmp_path / name, text)
    with pytest.raises(TableError, match=message):
        join_features(features, "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()


def test_all_faulty_rows_are_counted(tmp_path: Path) -> None:
    """All faulty rows are counted and the first ten shown."""
    features = write_text(tmp_path / "f.jsonl", "[]\n" * 12)
    with pytest.raises(TableError, match=r"(?s)12 faulty rows.*line 10: .*and 2 more"):
        join_features(features, "o.jsonl")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, 2**53 + 1], pa.int64()),
        ([1, 2**64 - 1], pa.uint64()),
        ([1, 0.5, None], pa.float64()),
        ([True, None], pa.bool_()),
        (["0042", "7"], pa.string()),
        (["2024-02-29", None], pa.string()),
        ([None, None], pa.null()),
        ([[1, None], None, [2**53 + 1]], pa.list_(pa.int64())),
        ([{"w": 1}, {"h": "x"}], pa.struct([("w", pa.int64()), ("h", pa.string())])),
    ],
    ids=["integers", "unsigned", "numbers", "booleans", "text", "dates", "nulls", "lists", "objects"],
)
def test_types_of_a_parquet_output(tmp_path: Path, values: list[object], kind: pa.DataType) -> None:
    """To Parquet a column takes the one type that holds its values; a missing integer makes no floats."""
    rows = [{"clip_id": f"c{row}", "x": value} for row, value in enumerate(values)]
    features = write_jsonl(tmp_path / "f.jsonl", [*rows, {"clip_id": "without x"}])
    column = pq.read_table(join_features(features, "o.parquet"))["x"]
    assert column.equals(pa.chunked_array([pa.array([*values, None], kind)]))


MIXED = {
    "number and text": ("1", '"1"', "found a text, where row 1 has a number"),
    "text and number": ('"1"', "1.5", "found a number, where row 1 has a text"),
    "boolean and number": ("true", "1", "found a number, where row 1 has true or false"),
    "text and list": ('"1"', '["1"]', "found a list, where row 1 has a text"),
    "list and object": ("[]", "{}", "found an object, where row 1 has a list"),
    "below a list": (
        "[1]",
        '["x"]',
        "found list<item: string>, where the rows before have list<item: int64>",
    ),
    "below an object": ('{"q":1}', '{"q":"x"}', "found struct<q: string>, where the rows before have struct"),
    "within one value": ("null", '[1,"x"]', "no type holds its value: .*'x'"),
    "integer above 2^64": ("1", "99999999999999999999", "no type holds its value"),
}


@pytest.mark.parametrize(("first", "second", "message"), MIXED.values(), ids=MIXED.keys())
@pytest.mark.parametrize("between", [0, 700], ids=["near", "far apart"])
def test_mixed_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, message: str, between: int
) -> None:
    """Mixed types pass to JSONL; to Parquet they are an error that names column, row and both types."""
    # what is far apart is read, and converted, in several pieces
    monkeypatch.setattr("pipeline.join.tables.base.CHUNK_ROWS", 256)
    monkeypatch.setattr("pipeline.join.tables.json.table._PIECE_BYTES", 4096)
    _mixed(tmp_path, first, second, message, between)


def test_mixed_types_in_a_long_table(tmp_path: Path) -> None:
    """The same where a table is long enough to be read and converted in several pieces."""
    _mixed(tmp_path, *MIXED["number and text"], between=70_000)


def _mixed(tmp_path: Path, first: str, second: str, message: str, between: int) -> None:
    lines = [
        f'{{"clip_id":"c0","x":{first}}}',
        *['{"clip_id":"c1"}'] * between,
        f'{{"clip_id":"c2","x":{second}}}',
    ]
    features = write_text(tmp_path / "f.jsonl", "\n".join(lines))
    joined = read_jsonl(join_features(features, "o.jsonl"))
    assert [joined[0]["x"], joined[-1]["x"]] == [json.loads(first), json.loads(second)]
    with pytest.raises(TableError, match=rf"f\.jsonl line {between + 2} column 'x': {message}"):
        join_features(features, "o.parquet")
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([2**53 + 1, 0.5], "9007199254740993 is outside of the range exactly representable"),
        ([{}], "struct type 'x' with no child field"),
        (["\ud800"], "surrogates not allowed"),
    ],
    ids=["inexact", "empty object", "half a surrogate pair"],
)
def test_what_parquet_cannot_hold(tmp_path: Path, values: list[object], message: str) -> None:
    """A value that would change in Parquet is an error, whose message names the way out."""
    rows = [{"clip_id": f"c{row}", "x": value} for row, value in enumerate(values)]
    features = write_jsonl(tmp_path / "f.jsonl", rows)
    with pytest.raises(TableError, match=rf"{message}.*JSONL"):
        join_features(features, "o.parquet")


def test_empty_list(tmp_path: Path) -> None:
    """A JSON output without rows is an empty list."""
    features = write_text(tmp_path / "f.csv", "clip_id\n")
    assert json.loads(join_features(features, "o.json").read_text()) == []


def test_overwritten_fields(tmp_path: Path) -> None:
    """With `overwrite` a field is replaced where it stands in its row."""
    row = {"second_opinion_dover_score": "old", "clip_id": "c0"}
    joined = read_jsonl(join_features(write_json(tmp_path / "f.jsonl", row), "o.jsonl", overwrite=True))
    assert list(joined[0].items())[:2] == [("second_opinion_dover_score", 1.0), ("clip_id", "c0")]


@pytest.mark.parametrize(
    "values",
    [(1.5, True), (True, 1.5), ({"x": 1.5}, {"x": True}), ([1.5], [False])],
    ids=["float first", "boolean first", "in objects", "in lists"],
)
def test_a_boolean_among_numbers_is_no_number(tmp_path: Path, values: tuple[object, object]) -> None:
    """A boolean is never turned into 1.0 on the way to Parquet: the column mixes types, whichever comes first."""
    rows = [{"clip_id": f"c{index}", "v": value} for index, value in enumerate(values)]
    write_jsonl(tmp_path / "f.jsonl", rows)
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": f"c{index}", "score": 1} for index in range(2)])
    with pytest.raises(TableError, match=r"f\.jsonl line 2 column 'v'"):
        materialize("f.jsonl", ["x=s.jsonl"], "o.parquet", base_dir=tmp_path)
    assert not (tmp_path / "o.parquet").exists()


def test_a_number_beyond_a_float_is_an_error(tmp_path: Path) -> None:
    """1e400 is valid JSON that no float holds; it becomes an error with its place, not Infinity."""
    write_text(tmp_path / "f.jsonl", '{"clip_id": "c0", "v": 1e400}\n')
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": "c0", "score": 1}])
    with pytest.raises(TableError, match=r"f\.jsonl line 1: found 1e400, which is beyond a 64-bit float"):
        materialize("f.jsonl", ["x=s.jsonl"], "o.jsonl", base_dir=tmp_path)


@pytest.mark.parametrize("out", ["o.jsonl", "o.json", "o.csv"])
@pytest.mark.parametrize("text", ["", "\n", " \n\f\n"], ids=["empty", "line", "blanks"])
def test_blank_lines_alone(tmp_path: Path, text: str, out: str) -> None:
    """A table of blank lines is a table without rows."""
    joined = join_features(write_text(tmp_path / "f.jsonl", text), out, [])
    assert joined.read_text().count("missing") == 0


@pytest.mark.parametrize("out", ["o.csv", "o.parquet"])
def test_rows_of_unlike_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    """Rows that have a field of their own each pass to JSONL; as columns they would be without bounds, an error."""
    monkeypatch.setattr("pipeline.join.tables.json.table._MAX_UNCHECKED_CELLS", 10_000)
    rows = [{"clip_id": f"c{row}", f"x{row}": 1} for row in range(300)]
    features = write_jsonl(tmp_path / "f.jsonl", rows)
    assert len(read_jsonl(join_features(features, "o.jsonl"))) == 300
    with pytest.raises(TableError, match=r"found 301 columns in 300 rows that have few of them each"):
        join_features(features, out)
    assert not (tmp_path / out).exists()


def test_fields_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows whose fields are named after what they hold are refused, whatever they shall become."""
    monkeypatch.setattr("pipeline.join.tables.json.table._MAX_FIELDS", 300)
    rows = [{"clip_id": f"c{row}", f"x{row}": 1} for row in range(300)]
    assert join_features(write_jsonl(tmp_path / "f.jsonl", rows[:299]), "o.jsonl").exists()
    with pytest.raises(TableError, match="found more than 300 different fields; expected like rows"):
        join_features(write_jsonl(tmp_path / "f.jsonl", rows), "o.jsonl")


@pytest.mark.parametrize("name", ["f.jsonl", "f.json"])
def test_keys_that_are_too_large_to_be_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """They are read again when they are matched, and each row gets the same score."""
    rows = [
        {"x": 1},
        *({"clip_id": f"c{clip}", "frame": at} for clip in range(3) for at in (1, 2.0)),
        {"frame": 1},
    ]
    content = "\n".join(map(json.dumps, rows)) if name == "f.jsonl" else json.dumps(rows)
    features = write_text(tmp_path / name, content)
    scores = [{"clip_id": f"c{clip}", "frame": at, "score": at} for clip in range(3) for at in (1, 2)]
    by_frame = {"key_columns": ["clip_id", "frame"], "score_key_fields": ["clip_id", "frame"]}
    held = read_jsonl(join_features(features, "held.jsonl", scores, **by_frame))
    monkeypatch.setattr("pipeline.join.tables.json.table.MAX_HELD_BYTES", 20)
    assert read_jsonl(join_features(features, "read.jsonl", scores, **by_frame)) == held
    assert [row["second_opinion_dover_score"] for row in held] == [None, 1, 2, 1, 2, 1, 2, None]
