"""Text files: their formats by name, their content, a JSON value of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
BROKEN = object()
"""Stands for a row that cannot be read."""


def format_of(name: str, given: str | None = None) -> str | None:
    """The format of a file by its name, or the given one."""
    return given or FORMATS.get(Path(name.removesuffix(".gz")).suffix)


def content_of(path: Path) -> str:
    """The text of a file, unpacked."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def parsed(text: str) -> Any:
    """A JSON value, or BROKEN."""
    try:
        return json.loads(text, object_pairs_hook=unrepeated)
    except ValueError:
        return BROKEN


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; :raises ValueError: it holds a key twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)
