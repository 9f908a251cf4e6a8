"""Parquet sidecars: rows as columns of any type, and files that are not sound."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SidecarError
from pipeline.join.sidecars import parquet_rows as columnrows
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.sidecars.record import Scores
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from tests.support.builders import write_jsonl

NAN = float("nan")


def read(folder: Path, table: pa.Table, **entry: Any) -> list[Scores]:
    """The scores of a Parquet sidecar with these columns."""
    pq.write_table(table, folder / "s.parquet")
    given = {"path": "s.parquet", "label": "dover", **entry}
    return read_sidecar(SidecarEntry.of(given, folder), folder, JoinOptions())


def by_key(scores: list[Scores]) -> dict[str, float | None]:
    """The scores by their comparable keys."""
    found: dict[str, float | None] = {}
    for each in scores:
        found |= zip(each.keys.to_pylist(), each.records["score"].to_pylist(), strict=True)
    return found


UUIDS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
KEY_TYPES = {
    "text": (pa.array(["a", "b"]), ["a", "b"]),
    "large text": (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
    "text view": (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
    "dictionary": (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    "bytes of text": (pa.array([b"a", b"b"]), ["a", "b"]),
    "small integer": (pa.array([7, 42], pa.int8()), ["7", "42"]),
    "large integer": (
        pa.array([2**53 + 1, 2**64 - 1], pa.uint64()),
        ["9007199254740993", "18446744073709551615"],
    ),
    "float": (pa.array([7.0, 1e-7]), ["7", "1e-07"]),
    "decimal": (pa.array([Decimal("7.00"), Decimal("1.50")]), ["7", "1.50"]),
    "date": (pa.array([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]), ["2020-01-01", "2020-01-02"]),
    "uuid": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"\0" * 16, b"\xff" * 16], pa.binary(16))),
        UUIDS,
    ),
    "boolean": (pa.array([True, False]), ["true", "false"]),
}


@pytest.mark.parametrize(("keys", "texts"), KEY_TYPES.values(), ids=KEY_TYPES.keys())
def test_types_of_keys(tmp_path: Path, keys: pa.Array, texts: list[str]) -> None:
    """A key of any type that has a text is that text, as in a feature table, also inside an object."""
    assert by_key(read(tmp_path, pa.table({"clip_id": keys, "score": [1, 2]}))) == dict(
        zip(texts, [1.0, 2.0], strict=True)
    )
    inside = pa.StructArray.from_arrays([keys], ["id"])
    found = read(tmp_path, pa.table({"meta": inside, "score": [1, 2]}), key_field="meta.id")
    assert list(by_key(found)) == texts


SCORE_TYPES = {
    "float": pa.array([0.5, 2.0], pa.float32()),
    "half": pa.array([0.5, 2.0], pa.float16()),
    "decimal": pa.array([Decimal("0.5"), Decimal("2.0")]),
    "text": pa.array(["0.5", " 2 "]),
    "dictionary": pa.array(["0.5", "2"]).dictionary_encode(),
}


@pytest.mark.parametrize("scores", SCORE_TYPES.values(), ids=SCORE_TYPES.keys())
def test_types_of_scores(tmp_path: Path, scores: pa.Array) -> None:
    """A score of any type of numbers, or their text, is that number."""
    assert by_key(read(tmp_path, pa.table({"clip_id": ["a", "b"], "score": scores}))) == {"a": 0.5, "b": 2.0}


def test_a_joined_table_may_be_a_sidecar(tmp_path: Path) -> None:
    """Columns that no row is read by do not matter, whatever their types are."""
    table = pa.table(
        {
            "clip_id": ["a"],
            "when": pa.array([2**62], pa.timestamp("ns")),
            "bytes": [b"\xff"],
            "nested": [[{"x": [1]}]],
            "pairs": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "vmaf": [91.5],
        }
    )
    assert by_key(read(tmp_path, table)) == {"a": 91.5}


def test_rows_say_what_json_lines_say(tmp_path: Path) -> None:
    """Scorer, key, status, runtime and frames are those of the same rows as JSON Lines."""
    rows: list[dict[str, Any]] = [
        {"path": "x/a", "competitor": "DOVER", "score": 1.5, "status": "ok", "runtime_ms": 3},
        {"path": "x/b", "competitor": "dover", "score": None, "status": "failed", "runtime_ms": None},
        {"path": "x/c", "competitor": None, "score": -0.0, "status": None, "runtime_ms": 4},
        {"path": "x/d", "competitor": "dover", "score": 2.0, "status": "bad", "runtime_ms": 1},
    ]
    write_jsonl(tmp_path / "s.jsonl", rows)
    lines = read_sidecar(SidecarEntry("s.jsonl", "dover"), tmp_path, JoinOptions())
    columns = read(tmp_path, pa.Table.from_pylist(rows))
    assert [(each.label, each.key_field, each.records) for each in columns] == [
        (each.label, each.key_field, each.records) for each in lines
    ]
    assert columns[0].recall()["key"].to_pylist() == lines[0].recall()["key"].to_pylist()


def test_frames(tmp_path: Path) -> None:
    """Lists of objects are frames, averaged without rounding, under their usual name or a path that is set."""
    frames = [[{"vmaf": 0.1, "elapsed_ms": 2}] * 10, [{"vmaf": 1.0, "elapsed_ms": None}]]
    (scores,) = read(tmp_path, pa.table({"clip_id": ["a", "b"], "frames": frames}))
    assert (scores.records["score"].to_pylist(), scores.records["frames"].to_pylist()) == (
        [0.1, 1.0],
        [10, 1],
    )
    deep = [
        [
            {"metrics": {"vmaf": 90.0}, "t": datetime.datetime(2020, 1, 1)},
            {"metrics": {"vmaf": 92.0}, "t": None},
        ]
    ]
    table = pa.table({"clip_id": ["a"], "log": deep})
    (scores,) = read(tmp_path, table, score_field="log[].metrics.vmaf")
    assert (scores.records["score"].to_pylist(), scores.records["frames"].to_pylist()) == ([91.0], [2])


def test_summary(tmp_path: Path) -> None:
    """An object `summary` is looked into as in JSON."""
    summary = [
        {"clip_id": "a", "score": 1.0, "status": "ok"},
        {"clip_id": "b", "score": None, "status": "failed"},
    ]
    assert by_key(read(tmp_path, pa.table({"summary": summary}))) == {"a": 1.0, "b": None}


@pytest.mark.parametrize("part_bytes", [1, 1 << 24])
def test_all_rows_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int) -> None:
    """A fault names its row, counted from 1 through all parts of the file."""
    monkeypatch.setattr(columnrows, "PART_BYTES", part_bytes)
    table = pa.table({"clip_id": [f"c{row}" for row in range(50)], "score": [1.0] * 49 + [NAN]})
    with pytest.raises(SidecarError, match=r"1 faulty row .*\n.*s\.parquet row 50: field score: found nan"):
        read(tmp_path, table)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (pa.table({"video": ["a"], "score": [1]}), r"row 1: no key; .*\(the row has: 'video', 'score'\)"),
        (
            pa.table({"clip_id": ["a"], "other": [1]}),
            r"row 1: no score; .*\(the row has: 'clip_id', 'other'\)",
        ),
        (pa.table({"clip_id": [None, "a"], "score": [1, 2]}), "row 1: field clip_id: found None"),
        (
            pa.table({"clip_id": [["a"]], "score": [1]}),
            r"row 1: field clip_id: found \['a'\]; expected a key",
        ),
        (pa.table({"clip_id": ["a"], "score": [True]}), "row 1: field score: found True"),
        (pa.table({"clip_id": [b"\xff"], "score": [1]}), r"row 1: field clip_id: found b'\\xff'"),
    ],
    ids=["key", "score", "null key", "list", "boolean", "bytes"],
)
def test_faulty_rows(tmp_path: Path, table: pa.Table, reason: str) -> None:
    """What is wrong with a row is said as of any other sidecar, with all columns of the file."""
    with pytest.raises(SidecarError, match=reason):
        read(tmp_path, table)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    """A text column with other bytes is an error that names the column."""
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
    with pytest.raises(
        SidecarError, match=r"s\.parquet column 'clip_id': found a value of string that cannot be"
    ):
        read(tmp_path, pa.table({"clip_id": bad, "score": [1]}))


def test_files_that_are_not_sound(tmp_path: Path) -> None:
    """Another format under the name, and a file that was cut off, are errors that name the file."""
    (tmp_path / "s.parquet").write_bytes(b"clip_id,score\na,1\n")
    entry = SidecarEntry("s.parquet", "dover")
    with pytest.raises(SidecarError, match=r"s\.parquet: not a Parquet file"):
        read_sidecar(entry, tmp_path, JoinOptions())
    pq.write_table(
        pa.table({"clip_id": [f"c{row}" for row in range(5000)], "score": [1.0] * 5000}), tmp_path / "t.pq"
    )
    whole = (tmp_path / "t.pq").read_bytes()
    damaged = whole[:100] + bytes(2000) + whole[2100:]
    (tmp_path / "s.parquet").write_bytes(damaged)
    with pytest.raises(SidecarError, match=r"s\.parquet"):
        read_sidecar(entry, tmp_path, JoinOptions())


def test_no_rows(tmp_path: Path) -> None:
    """A file without rows is its label's scorer without scores."""
    none = pa.table({"clip_id": pa.array([], pa.string()), "score": pa.array([], pa.float64())})
    assert by_key(read(tmp_path, none)) == {}
