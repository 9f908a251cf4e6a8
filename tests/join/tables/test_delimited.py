"""CSV and TSV: cells are text, and become numbers only where that changes nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TableError
from pipeline.join.materialize import materialize
from pipeline.manifest.options import JoinOptions
from tests.support.builders import join_features, read_jsonl, write_jsonl, write_text

NUMBERS: dict[str, tuple[list[str], pa.Array]] = {
    "integers": (["1", "-2", "0"], pa.array([1, -2, 0])),
    "integers above 2^53": (["9007199254740993", "1"], pa.array([2**53 + 1, 1])),
    "unsigned": (["18446744073709551615", "0"], pa.array([2**64 - 1, 0], pa.uint64())),
    "a missing integer": (["1", "", "9007199254740993"], pa.array([1, None, 2**53 + 1])),
    "floats": (["0.5", "-1.25", "3"], pa.array([0.5, -1.25, 3.0])),
    "signed exponents": (["1e-07", "2.5E-3"], pa.array([1e-07, 2.5e-3])),
    "a missing float": (["", "0.1"], pa.array([None, 0.1])),
    "words for none among floats": (
        ["1.5", "NaN", "nan", "NA", "N/A", "null", "None", "", ".5"],
        pa.array([1.5, *[None] * 7, 0.5]),
    ),
    "words for none among integers": (["NA", "9007199254740993"], pa.array([None, 2**53 + 1])),
    "no digit before or after the point": (
        [".5", "5.", "-.5", "-5.", ".5e-05", "5.e+2"],
        pa.array([0.5, 5.0, -0.5, -5.0, 0.5e-05, 500.0]),
    ),
}
TEXTS = {
    "leading zero": ["0042", "7"],
    "leading plus": ["+1", "2"],
    "underscore": ["0012_48", "1_000"],
    "blank before": [" 1", "2"],
    "blank after": ["1 ", "2"],
    "exponent without a sign": ["33e3", "1"],
    "dates": ["2024-02-29", "2024-03-01"],
    "times": ["2024-02-29T12:00:00Z", ""],
    "one word": ["1", "2", "n/a"],
    "booleans": ["true", "false"],
    "words for none alone": ["null", "NA"],
    "another word": ["NAN", "1.5"],
    "infinity": ["inf", "1.5"],
    "a point alone": [".", "1.5"],
    "a leading zero before a point": ["00.5", "1.5"],
    "hexadecimal": ["0x10", "1"],
    "thousands": ["1,000", "2"],
    "above 2^64": ["99999999999999999999", "1"],
    "a long integer among floats": ["9007199254740993", "0.5"],
    "other digits": ["\u0661", "1"],
    "nothing": ["", ""],
}


def write_csv(path: Path, cells: list[str]) -> Path:
    """A CSV table of clips c0, c1 ... with one more column `x`."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["clip_id", "x"])
        writer.writerows([f"c{row}", cell] for row, cell in enumerate(cells))
    return path


def read_csv(path: Path, delimiter: str = ",") -> list[list[str]]:
    """Every record of a table, the header first."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter, strict=True))


@pytest.mark.parametrize(("cells", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_columns_of_plain_numbers(tmp_path: Path, cells: list[str], expected: pa.Array) -> None:
    """A column in which every value is a plain number is numeric; an empty cell is null."""
    joined = pq.read_table(join_features(write_csv(tmp_path / "f.csv", cells), "o.parquet"))
    assert joined["x"].equals(pa.chunked_array([expected]))


@pytest.mark.parametrize("cells", TEXTS.values(), ids=TEXTS.keys())
def test_columns_of_text(tmp_path: Path, cells: list[str]) -> None:
    """A column with any other value is text, to the letter."""
    features = write_csv(tmp_path / "f.csv", cells)
    joined = pq.read_table(join_features(features, "o.parquet"))
    assert joined["x"].equals(pa.chunked_array([pa.array(cells, pa.string())]))
    assert [row["x"] for row in read_jsonl(join_features(features, "o.jsonl"))] == cells


def test_a_late_value_decides_for_the_whole_column(tmp_path: Path) -> None:
    """Whether a column is numeric is told by all its values, not by the first ones."""
    cells = ["1"] * 200_000 + ["0042"]
    joined = pq.read_table(join_features(write_csv(tmp_path / "f.csv", cells), "o.parquet"))
    assert joined["x"].to_pylist() == cells


@pytest.mark.parametrize("keys", [["1", "2"], ["007", "7"], ["1.0", "2.50"]])
def test_the_key_column_stays_text(tmp_path: Path, keys: list[str]) -> None:
    """The key column is text, however much it looks like numbers, and `007` is not `7`."""
    features = write_csv(tmp_path / "f.csv", keys)
    scores = [{"clip_id": keys[0], "score": 1}]
    joined = pq.read_table(join_features(features, "o.parquet", scores, key_column="x"))
    assert joined["x"].equals(pa.chunked_array([pa.array(keys, pa.string())]))
    assert joined["second_opinion_dover_status"].to_pylist() == ["ok", "missing"]


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_cells_keep_their_text(tmp_path: Path, suffix: str, delimiter: str) -> None:
    """From CSV to CSV a cell keeps its text, number or not, with whatever it holds."""
    cells = [
        "0.10",
        "1E+3",
        "a,b\tc",
        'say "hi"',
        "two\nlines",
        "two\r\nlines",
        "one\rreturn",
        "",
        " é ",
        "NaN",
    ]
    header = ["clip_id", "x, y", "z"]
    with (tmp_path / f"f.{suffix}").open("w", encoding="utf-8", newline="") as stream:
        rows = [[f"c{row}", cell, "last"] for row, cell in enumerate(cells)]
        csv.writer(stream, delimiter=delimiter).writerows([header, *rows])
    joined = read_csv(join_features(tmp_path / f"f.{suffix}", f"o.{suffix}"), delimiter)
    assert [record[:3] for record in joined] == [header, *rows]


def test_appended_cells(tmp_path: Path) -> None:
    """Scores are written in their shortest exact form, and what is missing as an empty cell; lines end in LF."""
    features = write_text(tmp_path / "f.csv", "clip_id\r\nc0\r\nc1\r\n")
    scores = [{"clip_id": "c0", "score": 0.1, "runtime_ms": 1e-7}]
    joined = join_features(features, "o.csv", scores)
    assert joined.read_bytes().split(b"\n")[1:] == [b"c0,0.1,ok,1e-07,0,dover.jsonl", b"c1,,missing,,0,", b""]


@pytest.mark.parametrize(
    ("text", "clips"),
    [
        ("clip_id,x\nc0,1", ["c0"]),
        ("\ufeffclip_id,x\nc0,1\n", ["c0"]),
        ("clip_id,x\nc0,1\n\nc1,2\n", ["c0", "c1"]),
        ("clip_id,x\n", []),
        ("clip_id,x", []),
    ],
    ids=["no last line end", "byte order mark", "blank line", "header only", "header without line end"],
)
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_accepted_forms(tmp_path: Path, text: str, clips: list[str], form: str) -> None:
    """A byte order mark, blank lines and a last line without its end are no data; no rows is a table."""
    joined = join_features(write_text(tmp_path / "f.csv", text), f"o.{form}")
    match form:
        case "csv":
            found = [record[0] for record in read_csv(joined)[1:]]
        case "parquet":
            found = pq.read_table(joined)["clip_id"].to_pylist()
        case _:
            found = [row["clip_id"] for row in read_jsonl(joined)]
    assert found == clips


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"f\.csv: found no header; expected one line that names the columns"),
        (b"clip_id,x\nc0\n", r"f\.csv: .*Row #2: Expected 2 columns, got 1"),
        (b"clip_id,x\nc0,1,2\n", r"f\.csv: .*Row #2: Expected 2 columns, got 3"),
        (b"clip_id,x,x\nc0,1,2\n", r"f\.csv: two columns are named 'x'"),
        (b"clip_id,x\nc0,\xff\n", r"f\.csv: not UTF-8 text; expected UTF-8; .* iconv -f WINDOWS-1252"),
        (b"clip_id,x\n" + b"c0,1\n" * 999 + b"c0,\xff\n", r"f\.csv: not UTF-8 text; expected UTF-8; "),
        ("clip_id,x\nc0,1\n".encode("utf-16"), r"f\.csv: not UTF-8 text; expected UTF-8; .* iconv -f UTF-16"),
        ("clip_id,x\nc0,1\n".encode("utf-16-le"), r"f\.csv: not UTF-8 text; expected UTF-8; "),
        (b"a,x\nc0,1\n", r"f\.csv: no key column; expected one of clip_id,.*: 'a', 'x'"),
    ],
    ids=[
        "empty file",
        "short record",
        "long record",
        "equal names",
        "not UTF-8",
        "not UTF-8 far below",
        "UTF-16",
        "UTF-16 without its mark",
        "no key",
    ],
)
def test_faulty_tables_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The message names the file, what was found and what is expected; nothing is written."""
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(TableError, match=message):
        join_features(tmp_path / "f.csv", "o.csv")
    assert not (tmp_path / "o.csv").exists()


def test_nested_values_as_cells(tmp_path: Path) -> None:
    """To CSV a nested value is JSON, a boolean `true` or `false`, null and NaN an empty cell."""
    rows = [{"clip_id": "c0", "a": {"b": [1, None]}, "t": True, "n": None, "f": float("nan"), "i": 2**53 + 1}]
    features = write_jsonl(tmp_path / "f.jsonl", [*rows, {"clip_id": "c1"}])
    joined = read_csv(join_features(features, "o.csv"))
    assert [record[:6] for record in joined] == [
        ["clip_id", "a", "t", "n", "f", "i"],
        ["c0", '{"b": [1, null]}', "true", "", "", "9007199254740993"],
        ["c1", "", "", "", "", ""],
    ]


def test_overwritten_columns(tmp_path: Path) -> None:
    """With `overwrite` a column is replaced where it stands."""
    features = write_text(tmp_path / "f.csv", "second_opinion_dover_score,clip_id\nold,c0\n")
    joined = read_csv(join_features(features, "o.csv", overwrite=True))
    assert [record[:2] for record in joined] == [["second_opinion_dover_score", "clip_id"], ["1.0", "c0"]]


def test_an_empty_line_of_one_column_is_a_row(tmp_path: Path) -> None:
    """In a table of one column an empty line is an empty cell: a row whose key is missing."""
    write_text(tmp_path / "f.csv", "clip_id\nc0\n\nc1\n")
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": f"c{row}", "score": row} for row in range(2)])
    options = JoinOptions(missing_policy="mark")
    made = materialize("f.csv", ["x=s.jsonl"], "o.jsonl", base_dir=tmp_path, options=options)
    assert (made.summary["output_rows"], made.summary["competitors"]["x"]["missing_rows"]) == (3, 1)


@pytest.mark.parametrize("cell", ["123456789012345678.5", "1e+400"])
def test_a_number_that_a_float_cannot_hold_stays_text(tmp_path: Path, cell: str) -> None:
    """A cell becomes a number only if the number is finite and keeps its integer part."""
    write_text(tmp_path / "f.csv", f"clip_id,v\nc0,{cell}\n")
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": "c0", "score": 1}])
    materialize("f.csv", ["x=s.jsonl"], "o.jsonl", base_dir=tmp_path)
    assert read_jsonl(tmp_path / "o.jsonl")[0]["v"] == cell


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl", "f.parquet"])
def test_columns_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A table of typed or text columns has a bounded number of them, as each takes room of its own."""
    monkeypatch.setattr("pipeline.join.tables.base.MAX_COLUMNS", 10)
    table = pa.table({"clip_id": ["c0"]} | {f"x{column}": [1] for column in range(10)})
    if name == "f.csv":
        pacsv.write_csv(table, tmp_path / name)
    elif name == "f.jsonl":
        write_jsonl(tmp_path / name, table.to_pylist())
    else:
        pq.write_table(table, tmp_path / name)
    with pytest.raises(TableError, match="found 11 columns; expected at most 10"):
        join_features(tmp_path / name, "o.csv")
