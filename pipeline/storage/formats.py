"""The format and the compression of a file, by its name."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal, TypeAlias, cast

TableFormat: TypeAlias = Literal["parquet", "jsonl", "json", "csv", "tsv"]

_FORMATS: dict[str, TableFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""Suffixes of compressed text, which follow the suffix of the format, each with its compression."""

TABLE_EXTENSIONS = (*_FORMATS, "a text format with " + " or ".join(COMPRESSIONS))
SIDECAR_EXTENSIONS = TABLE_EXTENSIONS


def table_format(path: str) -> TableFormat | None:
    """The format of a feature table or joined table by its name; None if the extension is not supported."""
    name = path.rstrip("/").rpartition("/")[2]  # by hand: a Path takes ten times as long, and shards are many
    parts = [] if name.endswith(".") else name.lstrip(".").split(".")[1:]
    suffixes = [f".{part.lower()}" for part in parts[-2:]]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        inner = _FORMATS.get(suffixes[0]) if len(suffixes) == 2 else None
        return None if inner == "parquet" else inner
    return _FORMATS.get(suffixes[-1]) if suffixes else None


def sidecar_format(path: str, given: str | None) -> TableFormat | None:
    """The format of a sidecar: `given`, else by its name; None if the extension is not supported."""
    return cast("TableFormat | None", given) or table_format(path)


def compression(path: str) -> str | None:
    """The compression of a file by its name, in pyarrow's words."""
    return COMPRESSIONS.get(PurePath(path).suffix.lower())
