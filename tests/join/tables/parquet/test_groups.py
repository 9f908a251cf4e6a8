"""Parquet in many small row groups: joined in few, in the time that it takes to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TableError
from pipeline.join.tables.parquet import thrift
from pipeline.join.tables.parquet.footer import Footer
from tests.support.builders import clips, join_features

ROWS, COLUMNS = 300, 8
SCORES = [{"clip_id": f"c{row}", "score": row} for row in range(0, ROWS, 2)]


def features(**more: pa.Array) -> pa.Table:
    """Clips with floats and texts, one of which is null."""
    floats = {f"f{column}": [row / (column + 1) for row in range(ROWS)] for column in range(COLUMNS)}
    texts = [None if row == 7 else f"t{row % 3}" for row in range(ROWS)]
    return pa.table({"clip_id": [f"c{row}" for row in range(ROWS)], **floats, "text": texts} | more)


@pytest.mark.parametrize("options", [{}, {"missing_policy": "drop"}], ids=["mark", "drop"])
@pytest.mark.parametrize("group", [1, 2])
def test_small_row_groups_become_few(tmp_path: Path, group: int, options: dict[str, Any]) -> None:
    """The joined table has the same rows in one row group."""
    table = features().replace_schema_metadata({"extractor": "v3"})
    pq.write_table(table, tmp_path / "f.parquet", row_group_size=group)
    path = join_features(tmp_path / "f.parquet", "o.parquet", SCORES, **options)
    after = pq.read_table(path)
    kept = table.take([*range(0, ROWS, 2)]) if options else table
    assert after.select(table.column_names).equals(kept)
    assert after["second_opinion_dover_score"].to_pylist() == [
        row if row % 2 == 0 else None for row in range(0, ROWS, 2 if options else 1)
    ]
    assert after.schema.metadata[b"extractor"] == b"v3"
    assert pq.ParquetFile(path).num_row_groups == 1


def test_row_groups_of_a_type_that_arrow_lacks(tmp_path: Path) -> None:
    """Small row groups stay where writing them anew would lose a type."""
    at = pa.array(range(ROWS), pa.timestamp("ns"))
    pq.write_table(
        features(at=at), tmp_path / "f.parquet", row_group_size=1, use_deprecated_int96_timestamps=True
    )
    out = pq.ParquetFile(join_features(tmp_path / "f.parquet", "o.parquet", SCORES))
    assert out.num_row_groups == ROWS
    assert out.schema.column(COLUMNS + 2).physical_type == "INT96"


@pytest.mark.parametrize("column", [0, 1, COLUMNS + 1], ids=["key", "float", "text"])
def test_a_column_that_ends_too_soon(tmp_path: Path, column: int) -> None:
    """In many small row groups too, a column with fewer values than the table has rows is damage."""
    pq.write_table(features(), tmp_path / "f.parquet", row_group_size=1)
    footer = Footer.read(tmp_path / "f.parquet")
    assert footer is not None
    values = footer.row_groups[9][1].value.values[column][3].value
    values[5] = values[5]._replace(value=0)
    content = thrift.dump(footer.fields)
    data = (tmp_path / "f.parquet").read_bytes()[: footer.start]
    (tmp_path / "f.parquet").write_bytes(data + content + len(content).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(TableError, match=r"f\.parquet.*damaged Parquet data"):
        join_features(tmp_path / "f.parquet", "o.parquet", clips("c0", score=1))
    assert not (tmp_path / "o.parquet").exists()
