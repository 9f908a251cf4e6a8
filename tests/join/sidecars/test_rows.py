"""The rows of a sidecar file, whatever its format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, InputMissingError, SidecarError
from pipeline.join.sidecars.fields import Reading, RowFault
from pipeline.join.sidecars.rows import read_rows
from pipeline.storage.formats import TableFormat, sidecar_format
from tests.support.builders import write_text

A, B = {"clip_id": "a", "score": 1}, {"clip_id": "b", "score": 2}
JSON_A, JSON_B = json.dumps(A), json.dumps(B)
TEXT_ROWS = [(2, {"clip_id": "a", "score": "1"}), (3, {"clip_id": "b", "score": "2"})]
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)


def read(folder: Path, name: str, content: str | bytes) -> list[tuple[int, Any]]:
    """The numbered rows of a sidecar of that name and content; a fault as its text."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    form = sidecar_format(name, None)
    assert form is not None
    rows = read_rows(path, form, Reading(entry=name))
    return [(number, str(row) if isinstance(row, RowFault) else row) for number, row in rows]


def zstd(content: bytes) -> bytes:
    """`content` as a `.zst` file holds it."""
    sink = pa.BufferOutputStream()
    with pa.output_stream(sink, compression="zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


@pytest.mark.parametrize("name", ["s.jsonl", "s.ndjson"])
@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        (f"{JSON_A}\n{JSON_B}\n", [1, 2]),
        (f"{JSON_A}\n{JSON_B}", [1, 2]),
        (f"{JSON_A}\r\n{JSON_B}\r\n", [1, 2]),
        (f"\n  \n{JSON_A}\n\t\n\n{JSON_B}\n\n", [3, 6]),
        (f"\ufeff{JSON_A}\n{JSON_B}\n", [1, 2]),
        (f"{JSON_A}{JSON_B}\n", [1, 1]),
    ],
    ids=["lines", "no last line break", "windows", "blank lines", "byte order mark", "two on a line"],
)
def test_one_object_per_line(tmp_path: Path, name: str, content: str, numbers: list[int]) -> None:
    """JSONL holds an object per line; blank lines are skipped and counted, so that numbers are the file's lines."""
    assert read(tmp_path, name, content) == list(zip(numbers, [A, B], strict=True))


@pytest.mark.parametrize(
    "content",
    [
        f"[{JSON_A}, {JSON_B}]",
        f'{{"rows": [{JSON_A}, {JSON_B}], "model": "m"}}',
        f'{{"results": [{JSON_A}, {JSON_B}]}}',
        f"{JSON_A}{JSON_B}",
        f"{JSON_A}\n\n{JSON_B}\n",
        json.dumps(A, indent=2) + "\n" + json.dumps(B, indent=2),
        f'[{JSON_A}]\n{{"rows": [{JSON_B}]}}',
    ],
    ids=["list", "rows", "results", "no separator", "lines", "indented", "list and rows"],
)
def test_json_documents(tmp_path: Path, content: str) -> None:
    """JSON holds a list, `rows`, `results` or objects one after another; rows are numbered through."""
    assert read(tmp_path, "s.json", content) == [(1, A), (2, B)]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (JSON_A, [(1, A)]),
        (json.dumps({"clip_id": "a", "rows": 7}), [(1, {"clip_id": "a", "rows": 7})]),
        ("[]", []),
        ('{"rows": []}', []),
        (" \n", []),
    ],
    ids=["one object", "a field rows that is no list", "empty list", "empty rows", "blank"],
)
def test_json_of_one_object_or_none(tmp_path: Path, content: str, rows: list[object]) -> None:
    """One object is one row; a list without objects is no row."""
    assert read(tmp_path, "s.json", content) == rows


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.csv", "clip_id,score\na,1\nb,2\n"),
        ("s.tsv", "clip_id\tscore\na\t1\nb\t2\n"),
        ("s.csv", " clip_id , score\r\na,1\r\nb,2\r\n"),
        ("s.csv", '\ufeff"clip_id","score"\na,"1"\nb,2'),
    ],
    ids=["csv", "tsv", "blanks in the header", "byte order mark and quotes"],
)
def test_delimited_text(tmp_path: Path, name: str, content: str) -> None:
    """CSV and TSV have a header, whose names are stripped of blanks; numbers are the file's lines."""
    assert read(tmp_path, name, content) == TEXT_ROWS


def test_delimited_cells_stay_text(tmp_path: Path) -> None:
    """A cell stays the text it is: delimiters and line breaks in quotes, blanks, leading zeros."""
    content = 'clip_id,score\n"a, b",0042\n\n"c\nd", 1.50 \n'
    assert read(tmp_path, "s.csv", content) == [
        (2, {"clip_id": "a, b", "score": "0042"}),
        (5, {"clip_id": "c\nd", "score": " 1.50 "}),
    ]


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gz", "zst"])
@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("s.jsonl", f"{JSON_A}\n{JSON_B}\n", [(1, A), (2, B)]),
        ("s.json", f"[{JSON_A}, {JSON_B}]", [(1, A), (2, B)]),
        ("s.csv", "\ufeffclip_id,score\na,1\nb,2\n", TEXT_ROWS),
        ("s.tsv", "clip_id\tscore\na\t1\nb\t2\n", TEXT_ROWS),
    ],
    ids=["jsonl", "json", "csv", "tsv"],
)
def test_compressed_text(tmp_path: Path, pack: Any, name: str, content: str, rows: list[object]) -> None:
    """Every text format may be packed as `.gz` or `.zst`."""
    suffix = ".gz" if pack is gzip.compress else ".zst"
    assert read(tmp_path, name + suffix, pack(content.encode())) == rows


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        (
            "s.jsonl",
            f"{JSON_A}\nnonsense\n{JSON_B}",
            (2, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ),
        ("s.jsonl", f'{JSON_A}\n{{"score": 1\n{JSON_B}', (2, "not JSON: Expecting ',' delimiter")),
        ("s.jsonl", f"{JSON_A}\n[1]\n{JSON_B}", (2, "found [1]; expected a JSON object")),
        ("s.jsonl", f'{JSON_A}\n{{"a": 1, "a": 2}}\n{JSON_B}', (2, "the key 'a' occurs twice in one object")),
        ("s.jsonl", f"{JSON_A}\n".encode() + b'"\xff"\n' + JSON_B.encode(), (2, "not UTF-8 text (byte 1)")),
        ("s.json", f'[{JSON_A}, "x", {JSON_B}]', (2, "found 'x'; expected a JSON object")),
    ],
    ids=["text", "cut object", "list", "repeated key", "bytes", "text in a list"],
)
def test_what_is_no_row_is_told_in_its_place(
    tmp_path: Path, name: str, content: str | bytes, fault: tuple[int, str]
) -> None:
    """What is no object is a fault with its line (or row), what was found and what is expected; the rest is read."""
    first, second, third = read(tmp_path, name, content)
    assert (first[1], third[1]) == (A, B)
    assert second[0] == fault[0]
    assert second[1].startswith(fault[1])


@pytest.mark.parametrize(("line", "cells"), [("b", 1), ("b,2,3", 3)])
def test_row_with_too_few_or_many_cells(tmp_path: Path, line: str, cells: int) -> None:
    """A row with more or fewer cells than the header is a fault, as its values may stand under wrong names."""
    assert read(tmp_path, "s.csv", f"clip_id,score\n{line}\na,1\n") == [
        (2, f"found {cells} cells; expected 2, as in the header"),
        (3, {"clip_id": "a", "score": "1"}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("s.json", f"[{JSON_A}", r"s\.json: not JSON: .*; expected JSON objects or a list of them"),
        ("s.json", f"{JSON_A},{JSON_B}", r"s\.json: not JSON: .*column \d+"),
        ("s.json", b'{"clip_id": "\xff"}', r"s\.json: not UTF-8 text \(byte 13\)"),
        ("s.json", '{"rows": [], "results": []}', "found both rows and results in one object"),
        ("s.csv", "", r"s\.csv: found no header; expected one line that names the fields"),
        ("s.csv", "a, a ,b\n1,2,3\n", r"s\.csv line 1: the header names 'a' twice"),
        ("s.csv", 'a,b\n1,"2\n', r"s\.csv line 2: unexpected end of data"),
        ("s.csv", b"a,b\n1,\xff\n", r"s\.csv: not UTF-8 text"),
    ],
    ids=["cut list", "comma", "bytes", "two lists", "empty csv", "header twice", "open quote", "csv bytes"],
)
def test_file_that_is_not_of_its_format(tmp_path: Path, name: str, content: str | bytes, reason: str) -> None:
    """A file that is not of its format as a whole is an error that names the file and what is expected."""
    with pytest.raises(SidecarError, match=reason):
        read(tmp_path, name, content)


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gz", "zst"])
def test_damaged_compressed_file(tmp_path: Path, pack: Any) -> None:
    """A truncated compressed file is an error that names it; the rows before the damage are not taken for all."""
    packed = pack("".join(f'{{"clip_id": "c{n}", "score": {n}}}\n' for n in range(2000)).encode())
    suffix = ".gz" if pack is gzip.compress else ".zst"
    with pytest.raises(InputError, match=r"s\.jsonl.*: cannot be read"):
        read(tmp_path, "s.jsonl" + suffix, packed[: len(packed) // 2])


def test_text_that_is_not_compressed_as_its_name_says(tmp_path: Path) -> None:
    """A `.gz` file that is plain text is an error that names it."""
    with pytest.raises(InputError, match=r"s\.jsonl\.gz: cannot be read"):
        read(tmp_path, "s.jsonl.gz", JSON_A)


def test_missing_file(tmp_path: Path) -> None:
    """A sidecar that is not there is an error that says so."""
    with pytest.raises(InputMissingError, match=r"s\.jsonl: the file is not there yet"):
        list(read_rows(tmp_path / "s.jsonl", "jsonl"))


@settings(deadline=None)
@given(form=st.sampled_from(["csv", "tsv"]), rows=st.lists(st.tuples(CELL, CELL), max_size=4))
def test_quoted_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, form: TableFormat, rows: list[tuple[str, str]]
) -> None:
    """Any text in quotes comes back as it is from CSV and TSV."""
    delimiter = "," if form == "csv" else "\t"
    lines = [("clip_id", "score"), *rows]
    text = "".join(
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n" for line in lines
    )
    path = write_text(tmp_path_factory.mktemp("quoted") / f"s.{form}", text)
    assert [row for _, row in read_rows(path, form)] == [
        {"clip_id": key, "score": score} for key, score in rows
    ]
