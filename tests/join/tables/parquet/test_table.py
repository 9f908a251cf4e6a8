"""Parquet to Parquet: what comes in goes out, and pandas reads what was added."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TableError
from pipeline.join.materialize import materialize
from tests.support.builders import join_features, write_jsonl, write_text

NOON = datetime.datetime(2024, 2, 29, 12, 0, 0, 250_000)
COLUMNS = {
    "leading zeros": pa.array(["0042", "0012_48", None]),
    "dates as text": pa.array(["2024-02-29", "2024-02-29T12:00:00Z", ""]),
    "large text": pa.array(["a", None, "é\n,"], pa.large_string()),
    "integers above 2^53": pa.array([2**53 + 1, -(2**63), 2**63 - 1]),
    "nullable integers": pa.array([2**53 + 1, None, 0]),
    "small integers": pa.array([1, None, -128], pa.int8()),
    "unsigned": pa.array([2**64 - 1, None, 0], pa.uint64()),
    "floats": pa.array([0.1, None, float("-inf")]),
    "float32": pa.array([0.1, None, -0.0], pa.float32()),
    "booleans": pa.array([True, None, False]),
    "decimals": pa.array([Decimal("1.10"), None, Decimal("-0.05")], pa.decimal128(20, 2)),
    "dates": pa.array([NOON.date(), None, NOON.date()]),
    "times": pa.array([NOON.time(), None, NOON.time()]),
    "durations": pa.array([1, None, -5], pa.duration("ms")),
    "timestamps": pa.array([NOON, None, NOON], pa.timestamp("ns")),
    "timestamps with zone": pa.array([NOON, None, NOON], pa.timestamp("us", "Europe/Berlin")),
    "bytes": pa.array([b"\x00\xff", None, b""]),
    "lists": pa.array([[1, None], None, []]),
    "lists of fixed size": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    "structs": pa.array([{"w": 1, "h": None}, None, {"w": 2, "h": [3]}]),
    "lists of structs": pa.array([[{"t": NOON}], None, []]),
    "maps": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
    "dictionaries": pa.array(["u", None, "u"]).dictionary_encode(),
    "nothing but nulls": pa.array([None, None, None], pa.null()),
}
INDEXES = {
    "default": pd.RangeIndex(3),
    "named": pd.Index(["x", "y", "z"], name="shard"),
    "unnamed text": pd.Index(["x", "y", "z"]),
    "times with zone": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]).tz_localize("Asia/Tokyo"),
    "two levels": pd.MultiIndex.from_tuples([(1, "x"), (1, "y"), (2, "x")], names=["i", "j"]),
}


def write_parquet(path: Path, column: pa.Array) -> pa.Table:
    """A feature table of clips c0, c1 ... with one more column `x`; gives what a reader sees."""
    clips = pa.array([f"c{row}" for row in range(len(column))], pa.string())
    pq.write_table(pa.table({"clip_id": clips, "x": column}), path)
    return pq.read_table(path)


def frame(index: pd.Index | None = None) -> pd.DataFrame:
    """Three clips with columns whose pandas types Parquet alone does not tell."""
    return pd.DataFrame(
        {
            "clip_id": ["c0", "c1", "c2"],
            "count": pd.array([2**53 + 1, None, 3], dtype="Int64"),
            "rung": pd.Categorical(["low", "high", "low"]),
            "at": pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("Europe/Berlin"),
        },
        index=index,
    )


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize("rows", [3, 0], ids=["rows", "empty"])
def test_every_type_survives(tmp_path: Path, column: pa.Array, rows: int) -> None:
    """An existing column keeps its type, its values and its nulls, also in a table without rows."""
    before = write_parquet(tmp_path / "f.parquet", column.slice(0, rows))
    after = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet"))
    assert after.select(before.column_names).equals(before)
    assert [after.schema.field(name) for name in before.column_names] == list(before.schema)
    assert after.column_names[2:] == [
        f"second_opinion_dover_{name}" for name in ("score", "status", "runtime_ms", "frames", "source")
    ]


def test_missing_and_nan_stay_apart(tmp_path: Path) -> None:
    """A null is not made a NaN, nor a NaN a null, nor is a negative zero turned."""
    write_parquet(tmp_path / "f.parquet", pa.array([float("nan"), None, -0.0]))
    after = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet"))
    assert [str(value) for value in after["x"].to_pylist()] == ["nan", "None", "-0.0"]


@pytest.mark.parametrize(("policy", "kept"), [("mark", 1), ("drop", 3)])
def test_rows_keep_their_order_over_many_chunks(tmp_path: Path, policy: str, kept: int) -> None:
    """Rows keep their order and each gets its own score, however long the table is."""
    rows = range(150_000)
    pq.write_table(pa.table({"clip_id": pa.array(rows)}), tmp_path / "f.parquet")
    scores = [{"clip_id": row, "score": row} for row in rows[::3]]
    joined = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet", scores, missing_policy=policy))
    assert joined["clip_id"].to_pylist() == list(rows[::kept])
    assert joined["second_opinion_dover_score"].to_pylist() == [
        None if row % 3 else row for row in rows[::kept]
    ]


def test_metadata_survives(tmp_path: Path) -> None:
    """Key-value metadata of the schema and of its fields come through."""
    fields = [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("x", pa.int64(), metadata={b"unit": b"px"}),
    ]
    schema = pa.schema(fields, metadata={b"extractor": b"v3", b"\xff": b"\x00"})
    pq.write_table(pa.table([["c0"], [1]], schema=schema), tmp_path / "f.parquet")
    after = pq.read_schema(join_features(tmp_path / "f.parquet", "o.parquet"))
    assert {b"extractor": b"v3", b"\xff": b"\x00"}.items() <= after.metadata.items()
    assert not after.field("clip_id").nullable
    assert after.field("x").metadata[b"unit"] == b"px"


def test_the_fingerprint_stands_in_the_metadata(tmp_path: Path) -> None:
    """A joined Parquet table holds its fingerprint under `second_opinion.fingerprint`."""
    write_parquet(tmp_path / "f.parquet", pa.array([1]))
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": "c0", "score": 1}])
    made = materialize("f.parquet", ["s=s.jsonl"], "o.parquet", base_dir=tmp_path)
    metadata = pq.read_schema(tmp_path / "o.parquet").metadata
    assert metadata[b"second_opinion.fingerprint"].decode() == made.fingerprint


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_pandas_reads_old_and_new_columns(tmp_path: Path, index: pd.Index) -> None:
    """Pandas reads the index and every column as before, and the new columns with their own types."""
    frame(index).to_parquet(tmp_path / "f.parquet")
    before = pd.read_parquet(tmp_path / "f.parquet")
    after = pd.read_parquet(join_features(tmp_path / "f.parquet", "o.parquet"))
    pd.testing.assert_frame_equal(after[before.columns], before)
    added = after.drop(columns=before.columns).dtypes
    assert added["second_opinion_dover_score"] == "float64"
    assert added["second_opinion_dover_frames"] == "int64"
    assert added["second_opinion_dover_status"] == before["clip_id"].dtype
    assert list(after["second_opinion_dover_status"]) == ["ok", "missing", "missing"]


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_pandas_reads_a_table_with_dropped_rows(tmp_path: Path, index: pd.Index) -> None:
    """After `drop`, pandas reads the rows that are left, with the labels an index column gave them."""
    frame(index).to_parquet(tmp_path / "f.parquet")
    before = pd.read_parquet(tmp_path / "f.parquet").head(1)
    after = pd.read_parquet(join_features(tmp_path / "f.parquet", "o.parquet", missing_policy="drop"))
    pd.testing.assert_frame_equal(after[before.columns], before)


def test_the_pandas_entry_describes_each_column_once(tmp_path: Path) -> None:
    """An overwritten column is replaced where it stands, and described by its new type only."""
    old = frame()
    old.insert(1, "second_opinion_dover_score", ["a", "b", "c"])
    old.to_parquet(tmp_path / "f.parquet")
    joined = join_features(tmp_path / "f.parquet", "o.parquet", overwrite=True)
    after = pd.read_parquet(joined)
    assert list(after.columns[:3]) == ["clip_id", "second_opinion_dover_score", "count"]
    assert after["second_opinion_dover_score"].dtype == "float64"
    described = json.loads(pq.read_schema(joined).metadata[b"pandas"])["columns"]
    assert sorted(column["name"] for column in described) == sorted(after.columns)


@pytest.mark.parametrize("entry", [b"not json", b"{}", b'{"columns": [1]}'])
def test_a_foreign_pandas_entry_passes_through(tmp_path: Path, entry: bytes) -> None:
    """A `pandas` entry that is not pandas' own is kept as it is."""
    table = pa.table({"clip_id": ["c0"]}).replace_schema_metadata({b"pandas": entry})
    pq.write_table(table, tmp_path / "f.parquet")
    assert pq.read_schema(join_features(tmp_path / "f.parquet", "o.parquet")).metadata[b"pandas"] == entry


def refused(folder: Path, message: str, **options: Any) -> None:
    """The table `f.parquet` is refused with a message that matches, and nothing is written."""
    with pytest.raises(TableError, match=message):
        join_features(folder / "f.parquet", "o.parquet", **options)
    assert not (folder / "o.parquet").exists()


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """The message names the file and says that it is no Parquet file."""
    write_text(tmp_path / "f.parquet", "clip_id,x\n")
    refused(tmp_path, r"f\.parquet: not a Parquet file")


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    """Damage behind a sound footer is an error of the table, not a shorter table."""
    write_parquet(tmp_path / "f.parquet", pa.array(["x" * 1000] * 1000))
    content = bytearray((tmp_path / "f.parquet").read_bytes())
    content[4:200] = bytes(196)
    (tmp_path / "f.parquet").write_bytes(content)
    refused(tmp_path, r"f\.parquet: damaged Parquet data")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """Columns that share a name could be taken for each other: the message names them."""
    pq.write_table(pa.table([["c0"], [1], [2]], names=["clip_id", "x", "x"]), tmp_path / "f.parquet")
    refused(tmp_path, "two columns are named 'x'")


def test_a_key_column_of_lists_is_refused(tmp_path: Path) -> None:
    """A key is a text or a number: the message names the column and its type."""
    write_parquet(tmp_path / "f.parquet", pa.array([[1]]))
    refused(tmp_path, r"column 'x': found list<.*int64>; expected keys", key_column="x")
