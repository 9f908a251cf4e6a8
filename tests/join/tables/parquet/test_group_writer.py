"""A Parquet file whose row groups are encoded in threads is the file that pyarrow's writer makes, byte for byte."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.join.tables.parquet import groups as row_groups
from pipeline.join.tables.parquet.groups import Layout, group_writer
from pipeline.join.tables.parquet.sink import sink_settings
from pipeline.storage import writing

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("score", pa.float64()),
        ("frames", pa.int64()),
        ("levels", pa.list_(pa.struct([("level", pa.int32()), ("share", pa.float32())]))),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
    ],
    metadata={b"pandas": b"{}", b"note": b"one"},
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "clip_id": st.one_of(st.none(), st.sampled_from(["a", "b", "c" * 300])),
            "score": st.floats(),
            "frames": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            "levels": st.lists(
                st.fixed_dictionaries({"level": st.integers(0, 9), "share": st.just(0.5)}), max_size=2
            ),
            "kind": st.sampled_from(["ugc", "pgc", None]),
        }
    ),
    max_size=5,
)


def in_one_go(batches: list[pa.RecordBatch], arrow_schema: dict[bytes, bytes] | None) -> bytes:
    """The file as pyarrow's writer makes it."""
    into = io.BytesIO()
    with pq.ParquetWriter(
        into, SCHEMA, **sink_settings(["clip_id", "kind"]), store_schema=arrow_schema is None
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)
        if arrow_schema is not None:
            writer.add_key_value_metadata(arrow_schema)
    return into.getvalue()


@settings(max_examples=60)
@given(st.lists(ROWS, max_size=8), st.sampled_from([None, {b"ARROW:schema": b"another"}]))
def test_row_groups_in_threads(
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[list[dict[str, object]]],
    arrow_schema: dict[bytes, bytes] | None,
) -> None:
    """Whatever the columns hold and however many row groups there are."""
    batches = [pa.RecordBatch.from_pylist(rows, SCHEMA) for rows in groups]
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    with writing.replacing(path) as created:
        layout = Layout(SCHEMA, sink_settings(["clip_id", "kind"]), arrow_schema)
        writer = group_writer(created[0], layout)
        for batch in batches:
            writer.write(batch)
        writer.close()
    assert path.read_bytes() == in_one_go(batches, arrow_schema)


@pytest.mark.parametrize("most", [0, 500])
def test_a_row_group_that_cannot_be_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """What pyarrow refuses in a thread is an error of the end at the latest, and leaves no file."""
    monkeypatch.setattr(row_groups, "MAX_COLUMNS", most)
    wrong = pa.RecordBatch.from_pydict({"x": ["text"]})

    def write() -> None:
        with writing.replacing(tmp_path / "t.parquet") as created:
            writer = group_writer(created[0], Layout(pa.schema([("x", pa.float64())]), sink_settings([])))
            writer.write(wrong)
            writer.close()

    with pytest.raises(ValueError, match="schema does not match"):
        write()
    assert [*tmp_path.iterdir()] == []
