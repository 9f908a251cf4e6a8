"""Parquet to Parquet without a row dropped: the features' bytes stay as they are, and the new columns follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import TableError
from pipeline.join.materialize import materialize
from pipeline.join.tables.parquet import thrift
from pipeline.join.tables.parquet.footer import Footer
from pipeline.join.tables.parquet.thrift import I64, LIST, STRUCT, Field, Items
from tests.support.builders import clips, join_features, run_main, tree, write_jsonl

APPENDED = 5
NAMES = ("score", "status", "runtime_ms", "frames", "source")


def features(rows: int = 6) -> pa.Table:
    """Clips c0, c1 ... with a float and a text that repeats."""
    return pa.table(
        {
            "clip_id": [f"c{row}" for row in range(rows)],
            "f": [row / 7 for row in range(rows)],
            "rung": ["low", None, "high"] * (rows // 3) + ["low"] * (rows % 3),
        }
    )


def chunk_bytes(path: Path) -> bytes:
    """All bytes before the footer."""
    footer = Footer.read(path)
    assert footer is not None
    return path.read_bytes()[: footer.start]


def joined(folder: Path, table: pa.Table, **settings_: Any) -> tuple[Path, Path]:
    """The file that `table` is written to, and the joined table."""
    pq.write_table(table, folder / "f.parquet", **settings_)
    return folder / "f.parquet", join_features(folder / "f.parquet", "o.parquet")


WRITERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "several row groups": {"row_group_size": 4},
    "no dictionaries": {"use_dictionary": False},
    "zstd": {"compression": "zstd"},
    "second pages": {"data_page_version": "2.0"},
    "page index and checksums": {"write_page_index": True, "write_page_checksum": True},
    "no statistics": {"write_statistics": False},
    "no Arrow schema": {"store_schema": False},
    "old version": {"version": "1.0"},
    "byte stream split": {"use_dictionary": False, "column_encoding": {"f": "BYTE_STREAM_SPLIT"}},
    "sorted": {"sorting_columns": [pq.SortingColumn(1)]},
}


@pytest.mark.parametrize("written", WRITERS.values(), ids=WRITERS.keys())
def test_features_are_copied_byte_for_byte(tmp_path: Path, written: dict[str, Any]) -> None:
    """The data of the features stands in the joined table as it stood, whoever wrote it, and all of it is read."""
    source, out = joined(tmp_path, features(10), **written)
    assert out.read_bytes().startswith(chunk_bytes(source))
    after = pq.read_table(out)
    assert after.select(["clip_id", "f", "rung"]).to_pylist() == features(10).to_pylist()
    assert after.column_names[3:] == [f"second_opinion_dover_{name}" for name in NAMES]
    assert after["second_opinion_dover_score"].to_pylist() == [1.0] + [None] * 9


@pytest.mark.parametrize("written", WRITERS.values(), ids=WRITERS.keys())
def test_footer_tells_of_both(tmp_path: Path, written: dict[str, Any]) -> None:
    """Row groups, their sizes, encodings and statistics are those of the features, with the new columns' added."""
    source, out = (pq.ParquetFile(path).metadata for path in joined(tmp_path, features(10), **written))
    assert (out.num_rows, out.num_row_groups) == (source.num_rows, source.num_row_groups)
    for group in range(source.num_row_groups):
        before, after = source.row_group(group), out.row_group(group)
        assert after.num_columns == before.num_columns + APPENDED
        columns = [after.column(column) for column in range(after.num_columns)]
        assert after.total_byte_size == sum(column.total_uncompressed_size for column in columns)
        assert [each.to_dict() for each in columns[:3]] == [
            before.column(each).to_dict() for each in range(3)
        ]


def test_rows_are_found_by_statistics(tmp_path: Path) -> None:
    """A reader that leaves out row groups by their statistics leaves out the right ones, for new columns too."""
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": f"c{row}", "score": row} for row in range(10)])
    pq.write_table(features(10), tmp_path / "f.parquet", row_group_size=2)
    materialize("f.parquet", ["dover=s.jsonl"], "o.parquet", base_dir=tmp_path)
    found = pq.read_table(tmp_path / "o.parquet", filters=[("second_opinion_dover_score", ">", 6.5)])
    assert found["clip_id"].to_pylist() == ["c7", "c8", "c9"]


def test_type_that_arrow_lacks_stays(tmp_path: Path) -> None:
    """A timestamp of 96 bits, as older programs write it, is not turned into another type."""
    table = features(3).append_column("at", pa.array([1, None, 2], pa.timestamp("ns")))
    _, out = joined(tmp_path, table, use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(out).schema.column(3).physical_type == "INT96"


def with_empty_row_group(path: Path) -> None:
    """A table with a row group of no rows."""
    with pq.ParquetWriter(path, features(3).schema) as writer:
        writer.write_table(features(3).slice(0, 0))
        writer.write_table(features(3))


def test_row_group_without_rows(tmp_path: Path) -> None:
    """A table with an empty row group is joined all the same."""
    with_empty_row_group(tmp_path / "f.parquet")
    after = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet"))
    assert after["clip_id"].to_pylist() == ["c0", "c1", "c2"]
    assert after["second_opinion_dover_status"].to_pylist() == ["ok", "missing", "missing"]


def test_replaced_column_leaves_nothing_behind(tmp_path: Path) -> None:
    """A column that is overwritten is gone from the file's bytes too."""
    old = pa.array(["a text that is gone"] * 3)
    pq.write_table(features(3).append_column("second_opinion_dover_source", old), tmp_path / "f.parquet")
    out = join_features(tmp_path / "f.parquet", "o.parquet", overwrite=True)
    assert b"a text that is gone" not in out.read_bytes()
    assert pq.read_table(out)["second_opinion_dover_source"].to_pylist() == ["dover.jsonl", "", ""]


@pytest.mark.parametrize("options", [{}, {"missing_policy": "drop"}], ids=["copied", "dropped"])
def test_damaged_data_is_an_error(tmp_path: Path, options: dict[str, Any]) -> None:
    """A feature column that cannot be read fails the table, though nobody asks for its values; nothing is written."""
    pq.write_table(features(30), tmp_path / "f.parquet")
    content = bytearray((tmp_path / "f.parquet").read_bytes())
    start = pq.ParquetFile(tmp_path / "f.parquet").metadata.row_group(0).column(1).data_page_offset
    content[start : start + 8] = b"\xff" * 8
    (tmp_path / "f.parquet").write_bytes(content)
    with pytest.raises(TableError, match=r"f\.parquet: damaged Parquet data"):
        join_features(tmp_path / "f.parquet", "o.parquet", **options)
    assert set(tree(tmp_path)) == {"f.parquet", "dover.jsonl"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.integers(1, 40), group=st.integers(1, 50), kept=st.integers(1, 40))
def test_copied_is_what_encoded_would_be(tmp_path: Path, rows: int, group: int, kept: int) -> None:
    """Copied or encoded, the table reads the same: a copy of the same rows that drops none is what `drop` writes."""
    pq.write_table(features(rows), tmp_path / "f.parquet", row_group_size=group)
    scores = [{"clip_id": f"c{row}", "score": row / 3} for row in range(rows)]
    marked = pq.read_table(join_features(tmp_path / "f.parquet", "m.parquet", scores[:kept]))
    dropped = pq.read_table(
        join_features(tmp_path / "f.parquet", "d.parquet", scores[:kept], missing_policy="drop")
    )
    assert dropped.to_pylist() == marked.slice(0, kept).to_pylist()


def test_footer_that_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that ends in the middle is no Parquet file: an error that names it, not a copy of it."""
    pq.write_table(features(6), tmp_path / "f.parquet")
    (tmp_path / "f.parquet").write_bytes((tmp_path / "f.parquet").read_bytes()[:-20])
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    paths = [tmp_path / name for name in ("f.parquet", "s.jsonl", "o.parquet")]
    ended = run_main(
        capsys, "join", "--features", paths[0], "--scores", f"dover={paths[1]}", "--out", paths[2]
    )
    assert ended.code == 1
    assert "not a Parquet file" in ended.err


def test_many_columns_and_rows(tmp_path: Path) -> None:
    """A wide table of several row groups comes out as it went in."""
    table = pa.table(
        {"clip_id": [f"c{row}" for row in range(1000)]}
        | {f"f{column}": np.arange(1000) * column / 3 for column in range(100)}
    )
    source, out = joined(tmp_path, table, row_group_size=300)
    assert pq.read_table(out, columns=table.column_names).equals(pq.read_table(source))


def test_column_that_ends_too_soon(tmp_path: Path) -> None:
    """A key column with fewer values than the table has rows is damage, not a shorter table."""
    source, _ = joined(tmp_path, features(12), row_group_size=5)
    footer = Footer.read(source)
    assert footer is not None
    values = footer.row_groups[0][1].value.values[0][3].value
    values[5] = values[5]._replace(value=0)
    content = thrift.dump(footer.fields)
    source.write_bytes(chunk_bytes(source) + content + len(content).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(
        TableError, match=r"column 'clip_id': damaged Parquet data: found 7 values; expected 12"
    ):
        join_features(source, "again.parquet")


def test_key_that_is_no_text(tmp_path: Path) -> None:
    """A text column may hold bytes that are no text; as a key they are an error that names the column."""
    clip_id = pa.array([b"c0", b"\xff\xfe"]).view(pa.string())
    pq.write_table(pa.table({"clip_id": clip_id}), tmp_path / "f.parquet")
    with pytest.raises(TableError, match=r"column 'clip_id'.*UTF8"):
        join_features(tmp_path / "f.parquet", "o.parquet")


def test_metadata_that_is_nested_deeply(tmp_path: Path) -> None:
    """An entry `pandas` that pandas did not write passes through."""
    odd = features(3).replace_schema_metadata({b"pandas": b"[" * 100_000})
    _, out = joined(tmp_path, odd)
    assert pq.read_schema(out).metadata[b"pandas"] == b"[" * 100_000


@pytest.mark.parametrize("number", [2, 3], ids=["repetition levels", "definition levels"])
@pytest.mark.parametrize("out", ["o.parquet", "o.csv"])
def test_statistics_that_are_damaged(tmp_path: Path, number: int, out: str) -> None:
    """Statistics of the wrong length, of which pyarrow's Python ends the process, are an error that names the file."""
    source, _ = joined(tmp_path, features(12).append_column("n", pa.array([[1]] * 12)))
    footer = Footer.read(source)
    assert footer is not None
    for chunk in footer.row_groups[0][1].value.values:
        chunk[3].value[16] = Field(STRUCT, {number: Field(LIST, Items(I64, [1] * 9))})
    content = thrift.dump(footer.fields)
    source.write_bytes(chunk_bytes(source) + content + len(content).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(TableError, match=r"f\.parquet.*histogram size mismatch"):
        join_features(source, out)
