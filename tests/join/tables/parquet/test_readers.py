"""Joined Parquet tables as other programs read them: pandas, pyarrow, Polars and DuckDB see old and new columns."""

from __future__ import annotations

import datetime
import tempfile
import uuid
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import join_features

CLIPS = ["c0", "c1", "c2", "c3"]
SCORED = [0, 1, 3]
SCORES = [{"clip_id": f"c{row}", "score": row / 2} for row in SCORED]
NEW = [f"second_opinion_dover_{name}" for name in ("score", "status", "runtime_ms", "frames", "source")]
WAYS: dict[str, dict[str, Any]] = {
    "mark": {},
    "drop": {"missing_policy": "drop"},
    "overwrite": {"overwrite": True},
}
NAMES: dict[str, Any] = {
    "integers": [0, 1],
    "small integers": pd.Index([1, 2], dtype="int8"),
    "unsigned": pd.Index([1, 2], dtype="uint64"),
    "nullable integers": pd.Index([1, 2], dtype="Int64"),
    "range": pd.RangeIndex(2),
    "floats": [0.5, 1.5],
    "texts": ["si", "ti"],
    "string dtype": pd.Index(["si", "ti"], dtype="string"),
    "named": pd.Index(["si", "ti"], name="feature"),
    "bytes": [b"si", b"ti"],
    "mixed": [0, "ti"],
    "booleans": [True, False],
    "times": pd.to_datetime(["2024-01-01", "2024-01-02"]),
    "times with zone": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Asia/Tokyo"),
    "dates": [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)],
    "durations": pd.to_timedelta([1, 2], unit="s"),
    "periods": pd.period_range("2024-01", periods=2, freq="M"),
    "intervals": pd.interval_range(0, 2),
    "decimals": [Decimal("1.5"), Decimal("2.5")],
    "categories": pd.CategoricalIndex(["si", "ti"]),
    "tuples": pd.Index([("vif", "mean"), ("vif", "std")], tupleize_cols=False),
    "two levels": pd.MultiIndex.from_product([["vif"], ["mean", "std"]]),
    "two named levels": pd.MultiIndex.from_product([["vif"], [1, 2]], names=["feature", "scale"]),
    "two levels of times": pd.MultiIndex.from_product(
        [["vif"], pd.to_datetime(["2024-01-01", "2024-01-02"])]
    ),
    "none": [],
}
INDEXES: dict[str, Callable[[], pd.Index]] = {
    "clips": lambda: pd.Index(CLIPS, name="clip_id"),
    "clips in two levels": lambda: pd.MultiIndex.from_arrays(
        [CLIPS, [1, 1, 2, 2]], names=["clip_id", "take"]
    ),
    "clips and unnamed": lambda: pd.MultiIndex.from_arrays([[1, 1, 2, 2], CLIPS], names=[None, "clip_id"]),
    "clips and times": lambda: pd.MultiIndex.from_arrays(
        [CLIPS, pd.date_range("2024", periods=4, tz="UTC")], names=["clip_id", "at"]
    ),
}
ROW_LABELS: dict[str, Callable[[], pd.Index]] = {
    "default": lambda: pd.RangeIndex(4),
    "shard": lambda: pd.RangeIndex(100, 108, 2),
    "named range": lambda: pd.RangeIndex(4, name="row"),
    "backwards": lambda: pd.RangeIndex(3, -1, -1, name="clip_id"),
    "integers": lambda: pd.Index([7, 5, 3, 1]),
    "texts": lambda: pd.Index([*"wxyz"], name="shard"),
    "two levels": lambda: pd.MultiIndex.from_product([[1, 2], [*"xy"]], names=["i", None]),
}
MOMENT = datetime.datetime(2024, 2, 29, 12, 0, 0, 250_000)


def extension(kind: pa.DataType, storage: Sequence[Any]) -> pa.Array:
    """A column of an extension type."""
    return pa.ExtensionArray.from_storage(kind, pa.array(storage, kind.storage_type))


LONG = "a text that is too long to be held in a view"
COLUMNS: dict[str, pa.Array] = {
    "views": pa.array(["a", None, LONG, ""], pa.string_view()),
    "views of bytes": pa.array([b"a", None, LONG.encode(), b""], pa.binary_view()),
    "lists of views": pa.array([["a"], None, [LONG, None], []], pa.list_(pa.string_view())),
    "list views of views": pa.array([["a"], None, [LONG, None], []], pa.list_view(pa.string_view())),
    "large list views": pa.array([[1], None, [2, None], []], pa.large_list_view(pa.int64())),
    "structs of views": pa.array(
        [{"a": "x"}, None, {"a": LONG}, {"a": None}], pa.struct([("a", pa.string_view())])
    ),
    "maps of views": pa.array([[("k", "v")], None, [], []], pa.map_(pa.string_view(), pa.string_view())),
    "arrays of views": pa.array([["a"], None, [LONG], [None]], pa.list_(pa.string_view(), 1)),
    "arrays": pa.array([[1, 2], None, [3, None], [4, 5]], pa.list_(pa.float32(), 2)),
    "large lists": pa.array([[1], None, [2], []], pa.large_list(pa.int64())),
    "large text": pa.array(["a", None, "b", ""], pa.large_string()),
    "large bytes": pa.array([b"a", None, b"b", b""], pa.large_binary()),
    "fixed bytes": pa.array([b"ab", None, b"cd", b"ef"], pa.binary(2)),
    "dictionaries": pa.array(["a", None, "b", "a"]).dictionary_encode(),
    "small dictionaries": pa.array(["a", None, "b", "a"]).cast(pa.dictionary(pa.int8(), pa.string())),
    "unsigned dictionaries": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, 0], pa.uint64()), ["a", "b"]
    ),
    "ordered dictionaries": pa.DictionaryArray.from_arrays([0, None, 1, 0], ["b", "a"], ordered=True),
    "halves": pa.array([1.5, None, 2.5, 0], pa.float16()),
    "small decimals": pa.array([Decimal("1.1"), None, Decimal("2.2"), 0], pa.decimal32(5, 1)),
    "decimals": pa.array([Decimal("1.1"), None, Decimal("2.2"), 0], pa.decimal64(15, 1)),
    "large decimals": pa.array([Decimal("1.1"), None, Decimal("2.2"), 0], pa.decimal256(50, 1)),
    "durations": pa.array([1, None, -5, 0], pa.duration("ms")),
    "dates": pa.array([MOMENT.date(), None, MOMENT.date(), MOMENT.date()]),
    "times": pa.array([1, None, 2, 0], pa.time64("ns")),
    "timestamps": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("ns", "Europe/Berlin")),
    "unsigned": pa.array([2**64 - 1, None, 0, 1], pa.uint64()),
    "nothing": pa.nulls(4),
    "UUIDs": extension(pa.uuid(), [uuid.UUID(int=1).bytes, None, uuid.UUID(int=2).bytes, bytes(16)]),
    "JSON": extension(pa.json_(), ["{}", None, "1", "[]"]),
    "JSON in views": extension(pa.json_(pa.string_view()), ["{}", None, f'"{LONG}"', "[]"]),
    "bytes as booleans": extension(pa.bool8(), [1, None, 0, 1]),
    "tensors": extension(pa.fixed_shape_tensor(pa.float32(), [2]), [[1, 2], None, [3, 4], [5, 6]]),
}


def rows_left(way: str) -> list[int]:
    """The rows of the features that a joined table has."""
    return SCORED if way == "drop" else [0, 1, 2, 3]


def joined(folder: Path, way: str, **options: Any) -> Path:
    """The features of `folder` joined in one of `WAYS`."""
    return join_features(folder / "f.parquet", "o.parquet", SCORES, **WAYS[way], **options)


def check_new_columns(read: Callable[[str], list[Any]], way: str) -> None:
    """A reader gives the new columns with their values."""
    scores: list[float | None] = [0.0, 0.5, None, 1.5]
    assert read(NEW[0]) == [scores[row] for row in rows_left(way)]
    assert read(NEW[1]) == ["missing" if row == 2 else "ok" for row in rows_left(way)]
    assert read(NEW[3]) == [0 for _ in rows_left(way)]


def check_all_readers(path: Path, way: str, columns: list[str]) -> None:
    """Every reader sees all columns and reads the new ones right."""
    table = pq.read_table(path)
    frame = pl.read_parquet(path)
    relation = duckdb.connect().from_parquet(str(path))
    assert set(columns) | set(NEW) <= set(table.column_names) == set(frame.columns) == set(relation.columns)
    check_new_columns(lambda name: table[name].to_pylist(), way)
    check_new_columns(lambda name: frame[name].to_list(), way)
    check_new_columns(lambda name: [row[0] for row in relation.project(f'"{name}"').fetchall()], way)
    read = pd.read_parquet(path)
    assert len(read) == len(rows_left(way))
    check_new_columns(lambda name: read[name].astype(object).where(read[name].notna(), None).tolist(), way)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame; pandas warns of names that it will read as texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame.to_parquet(path)


@settings(max_examples=30, deadline=None)
@given(
    names=st.sampled_from(sorted(NAMES)),
    index=st.sampled_from(sorted(INDEXES)),
    way=st.sampled_from(sorted(WAYS)),
)
def test_pandas_reads_what_it_would_have_written(names: str, index: str, way: str) -> None:
    """Whatever the names and the index, pandas reads the joined table as if it had written `pd.concat` of both."""
    columns = NAMES[names]
    before = pd.DataFrame(
        np.arange(8).reshape(4, 2)[:, : len(columns)] / 3, index=INDEXES[index](), columns=columns
    )
    before.attrs = {"extractor": "v3"}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_frame(before, folder / "f.parquet")
        after = pd.read_parquet(joined(folder, way))
        new = after[NEW]
        left = before.iloc[rows_left(way)]
        write_frame(pd.concat([left, new.set_axis(left.index)], axis=1), folder / "wanted.parquet")
        wanted = pd.read_parquet(folder / "wanted.parquet")
        pd.testing.assert_frame_equal(after, wanted, check_names=False, check_column_type=False)
        assert after.index.names == before.index.names
        assert after.attrs == before.attrs
        check_all_readers(folder / "o.parquet", way, ["clip_id"])


@settings(max_examples=15, deadline=None)
@given(labels=st.sampled_from(sorted(ROW_LABELS)), way=st.sampled_from(sorted(WAYS)))
def test_pandas_reads_the_labels_of_the_rows(labels: str, way: str) -> None:
    """Each row keeps its label, also one that pandas only counted: dropped rows leave gaps."""
    before = pd.DataFrame({"clip_id": CLIPS, "f": [0.1, 0.2, None, 0.4]}, index=ROW_LABELS[labels]())
    if way == "overwrite":
        before.insert(1, NEW[0], [*"abcd"])
    with tempfile.TemporaryDirectory() as place:
        write_frame(before, Path(place) / "f.parquet")
        path = joined(Path(place), way)
        after = pd.read_parquet(path)
        wanted = before.iloc[rows_left(way)]
        kept = [name for name in before.columns if name not in NEW]
        pd.testing.assert_frame_equal(after[kept], wanted[kept])
        assert {*after.columns} == {*before.columns, *NEW}
        check_all_readers(path, way, [*before.columns])


def test_an_index_that_is_overwritten(tmp_path: Path) -> None:
    """An index of a planned column's name becomes a column with the scores, and the rows are counted."""
    index = pd.Index([*"wxyz"], name=NEW[0])
    write_frame(pd.DataFrame({"clip_id": CLIPS, "f": range(4)}, index=index), tmp_path / "f.parquet")
    after = pd.read_parquet(joined(tmp_path, "overwrite"))
    assert {*after.columns} == {"clip_id", "f", *NEW}
    assert after.index.equals(pd.RangeIndex(4))
    check_all_readers(tmp_path / "o.parquet", "overwrite", ["clip_id", "f"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
def test_every_type_of_arrow_is_kept(tmp_path: Path, column: pa.Array, way: str) -> None:
    """Every type that Parquet can hold stays with its values and nulls, in each way to join."""
    table = pa.table({"clip_id": CLIPS, NEW[4] if way == "overwrite" else "t": [*"abcd"], "x": column})
    pq.write_table(table, tmp_path / "f.parquet")
    before = pq.read_table(tmp_path / "f.parquet")
    path = joined(tmp_path, way)
    after = pq.read_table(path)
    assert after["x"].type == before["x"].type
    assert str(after["x"].to_pylist()) == str([before["x"].to_pylist()[row] for row in rows_left(way)])
    check_new_columns(lambda name: after[name].to_pylist(), way)
    assert duckdb.connect().from_parquet(str(path)).fetchall()


POLARS = pl.DataFrame(
    {
        "clip_id": CLIPS,
        "text": ["a", None, LONG, ""],
        "rung": pl.Series(["low", None, "high", "low"], dtype=pl.Enum(["low", "high"])),
        "category": pl.Series(["u", None, "v", "u"], dtype=pl.Categorical),
        "list": [[1], None, [2, None], []],
        "array": pl.Series([[1.0, 2.0], None, [3.0, None], [4.0, 5.0]], dtype=pl.Array(pl.Float32, 2)),
        "struct": [{"a": "x", "b": [1.5]}, None, {"a": None, "b": None}, {"a": LONG, "b": []}],
        "decimal": pl.Series([Decimal("1.10"), None, Decimal("2.20"), Decimal(0)], dtype=pl.Decimal(20, 2)),
        "at": pl.Series([MOMENT, None, MOMENT, MOMENT], dtype=pl.Datetime("us", "UTC")),
        "duration": pl.Series([datetime.timedelta(seconds=1), None] * 2, dtype=pl.Duration("ms")),
        "bytes": [b"a", None, b"\xff", b""],
        "nothing": pl.Series([None] * 4, dtype=pl.Null),
    }
)


@pytest.mark.parametrize("way", WAYS)
def test_tables_of_polars(tmp_path: Path, way: str) -> None:
    """Polars reads its own table back, with its own types, and the new columns."""
    before = POLARS if way != "overwrite" else POLARS.with_columns(pl.lit("old").alias(NEW[0]))
    before.write_parquet(tmp_path / "f.parquet", row_group_size=2)
    path = joined(tmp_path, way)
    kept = [name for name in before.columns if name not in NEW]
    assert pl.read_parquet(path, columns=kept).equals(before.select(kept)[rows_left(way)])
    assert pl.read_parquet(path, columns=kept).schema == before.select(kept).schema
    check_all_readers(path, way, before.columns)


DUCKDB = """
    select 'c' || i as clip_id, uuid() as id, '{"a": 1}'::JSON as document,
        (i % 2)::UTINYINT as small, i::HUGEINT as huge, (i / 3)::DECIMAL(20, 2) as decimal, [i, null] as list,
        {'a': i, 'b': 'x'} as struct, map {'k': i} as map, [i, i]::FLOAT[2] as array, time '12:00:00' as time,
        timestamptz '2024-02-29 12:00:00+00' as at, 'low'::ENUM ('low', 'high') as rung, 'ab'::BLOB as bytes
    from range(4) rows(i)
"""


@pytest.mark.parametrize("way", WAYS)
def test_tables_of_duckdb(tmp_path: Path, way: str) -> None:
    """DuckDB reads its own table back, and the new columns."""
    before = duckdb.connect().sql(DUCKDB)
    if way == "overwrite":
        before = before.project(f"*, 'old' as {NEW[0]}")
    before.write_parquet(str(tmp_path / "f.parquet"))
    path = joined(tmp_path, way)
    kept = ", ".join(f'"{name}"' for name in before.columns if name not in NEW)
    source, after = (
        duckdb.connect().from_parquet(str(file)).project(kept) for file in (tmp_path / "f.parquet", path)
    )
    assert after.types == source.types
    rows = source.fetchall()
    assert after.fetchall() == [rows[row] for row in rows_left(way)]
    check_all_readers(path, way, before.columns)
