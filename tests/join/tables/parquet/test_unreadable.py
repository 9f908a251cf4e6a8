"""Parquet that pyarrow cannot read here: the message says what it is and what to do."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from pipeline.errors import TableError
from tests.support.builders import join_features, tree

WAYS = pytest.mark.parametrize(
    ("out", "options"),
    [("o.parquet", {}), ("o.parquet", {"missing_policy": "drop"}), ("o.csv", {})],
    ids=["copied", "dropped", "csv"],
)


class Keys(pe.KmsClient):  # type: ignore[misc]  # pyarrow ships no types
    """Keys that wrap nothing."""

    def __init__(self, _config: object) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, _name: str) -> bytes:
        """The key in the open."""
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _name: str) -> bytes:
        """The key."""
        return base64.b64decode(wrapped_key)


ENCRYPTED: dict[str, dict[str, Any]] = {
    "all": {"uniform_encryption": True},
    "footer and a column": {"column_keys": {"c": ["x"]}},
    "a column": {"column_keys": {"c": ["x"]}, "plaintext_footer": True},
    "the key column": {"column_keys": {"c": ["clip_id"]}, "plaintext_footer": True},
}


def write_encrypted(path: Path, **how: Any) -> None:
    """Two clips in encrypted Parquet."""
    properties = pe.CryptoFactory(Keys).file_encryption_properties(
        pe.KmsConnectionConfig(), pe.EncryptionConfiguration(footer_key="f", **how)
    )
    table = pa.table({"clip_id": ["c0", "c1"], "x": [1, 2]})
    with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)


@WAYS
@pytest.mark.parametrize("how", ENCRYPTED.values(), ids=ENCRYPTED.keys())
def test_encrypted_parquet_is_called_encrypted(
    tmp_path: Path, how: dict[str, Any], out: str, options: dict[str, Any]
) -> None:
    """Encrypted as a whole or in a column, a table is refused as that, and nothing is written."""
    write_encrypted(tmp_path / "f.parquet", **how)
    with pytest.raises(TableError, match=r"f\.parquet.*: found encrypted Parquet; .*without encryption"):
        join_features(tmp_path / "f.parquet", out, **options)
    assert set(tree(tmp_path)) == {"f.parquet", "dover.jsonl"}


@pytest.mark.parametrize("end", [slice(None, -8), slice(8, None)], ids=["start", "end"])
def test_a_part_of_an_encrypted_table(tmp_path: Path, end: slice) -> None:
    """The magic bytes at either end are enough to tell that a table is encrypted."""
    write_encrypted(tmp_path / "f.parquet", uniform_encryption=True)
    (tmp_path / "f.parquet").write_bytes((tmp_path / "f.parquet").read_bytes()[end])
    with pytest.raises(TableError, match="found encrypted Parquet"):
        join_features(tmp_path / "f.parquet", "o.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR", b"PAR1", b"PAR1" * 3], ids=str)
def test_a_short_file_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    """A file that is too short for a footer is no Parquet file."""
    (tmp_path / "f.parquet").write_bytes(content)
    with pytest.raises(TableError, match="not a Parquet file"):
        join_features(tmp_path / "f.parquet", "o.parquet")


@WAYS
def test_nulls_in_arrays_of_duckdb(tmp_path: Path, out: str, options: dict[str, Any]) -> None:
    """The message names the column whose arrays are null as DuckDB writes them, and says what to do."""
    duckdb.connect().sql(
        "select * from (values ('c0', 1, [1, 2]::FLOAT[2]), ('c1', 2, null)) rows(clip_id, f, mfcc)"
    ).write_parquet(str(tmp_path / "f.parquet"))
    with pytest.raises(
        TableError, match=r"column 'mfcc': found an array of fixed size that is null.*as a list"
    ):
        join_features(tmp_path / "f.parquet", out, **options)


def test_nulls_in_lists_of_duckdb(tmp_path: Path) -> None:
    """What the message advises helps."""
    duckdb.connect().sql(
        "select clip_id, mfcc::FLOAT[] as mfcc from (values ('c0', [1, 2]::FLOAT[2]), ('c1', null)) rows(clip_id, mfcc)"
    ).write_parquet(str(tmp_path / "f.parquet"))
    after = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet"))
    assert after["mfcc"].to_pylist() == [[1.0, 2.0], None]


@WAYS
def test_nulls_in_arrays_of_polars(tmp_path: Path, out: str, options: dict[str, Any]) -> None:
    """Arrays that are null as Polars writes them are read."""
    arrays = pl.Series([[1.0, 2.0], None, [3.0, None]], dtype=pl.Array(pl.Float32, 2))
    pl.DataFrame({"clip_id": ["c0", "c1", "c2"], "mfcc": arrays}).write_parquet(tmp_path / "f.parquet")
    path = join_features(tmp_path / "f.parquet", out, **options)
    if out.endswith(".parquet"):
        kept = arrays[:1] if options else arrays
        assert pl.read_parquet(path)["mfcc"].equals(kept)
    else:
        assert '"[3.0, null]"' in path.read_text("utf-8")


@pytest.mark.parametrize("group", [9, 1], ids=["one row group", "many"])
def test_damage_names_its_column(tmp_path: Path, group: int) -> None:
    """Damaged data is called that, with the column, also where it is read with the others."""
    table = pa.table({"clip_id": ["c0"] * 900, **{f"f{column}": [0.1] * 900 for column in range(9)}})
    pq.write_table(table, tmp_path / "f.parquet", row_group_size=group)
    content = bytearray((tmp_path / "f.parquet").read_bytes())
    start = pq.ParquetFile(tmp_path / "f.parquet").metadata.row_group(5).column(4).data_page_offset
    content[start : start + 8] = b"\xff" * 8
    (tmp_path / "f.parquet").write_bytes(content)
    with pytest.raises(TableError, match=r"f\.parquet: damaged Parquet data: column 'f3': "):
        join_features(tmp_path / "f.parquet", "o.parquet")
