"""Which format a file's name says it has."""

from __future__ import annotations

import pytest

from pipeline.storage.formats import TableFormat, compression, sidecar_format, table_format


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t.parquet", "parquet"),
        ("t.pq", "parquet"),
        ("t.jsonl", "jsonl"),
        ("t.ndjson", "jsonl"),
        ("t.json", "json"),
        ("t.csv", "csv"),
        ("t.tsv", "tsv"),
        ("t.jsonl.gz", "jsonl"),
        ("t.csv.zst", "csv"),
        ("folder.csv/t.json", "json"),
        ("v1.2.features.jsonl", "jsonl"),
        ("T.JSONL.GZ", "jsonl"),
    ],
)
def test_extension_decides_the_format(name: str, expected: TableFormat) -> None:
    """The extension decides the format, also below `.gz` or `.zst`, in any letter case."""
    assert table_format(name) == expected


@pytest.mark.parametrize(
    "name", ["t", "t.txt", "t.gz", "t.parquet.gz", "t.pq.zst", "t.csv.gz.zst", ".jsonl", ""]
)
def test_other_names_have_no_format(name: str) -> None:
    """Only text formats may be compressed, once; a name without a supported extension has no format."""
    assert table_format(name) is None


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("s.csv", None, "csv"),
        ("s.log", "jsonl", "jsonl"),
        ("s.json", "jsonl", "jsonl"),
        ("s.jsonl.gz", None, "jsonl"),
        ("s.parquet", None, "parquet"),
        ("s.dat", "parquet", "parquet"),
        ("s.log", None, None),
    ],
)
def test_sidecar_format(name: str, given: str | None, expected: TableFormat | None) -> None:
    """An entry's `format` goes before the name."""
    assert sidecar_format(name, given) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("t.jsonl.gz", "gzip"), ("t.csv.ZST", "zstd"), ("t.csv", None), ("gz", None)]
)
def test_compression(name: str, expected: str | None) -> None:
    """`.gz` is gzip, `.zst` is zstd, all else is not compressed."""
    assert compression(name) == expected
