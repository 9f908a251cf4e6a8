"""A small table in three shards with hive partitions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.builders import (
    stamps,
    write_jsonl,
    write_manifest,
)

SHARDS = {"corpus=bvi/part-0": (5, 9), "corpus=chug/part-0": (0, 5), "corpus=chug/part-1": (9, 10)}


def rows(first: int, last: int) -> list[dict[str, Any]]:
    """The features of some clips."""
    return [{"clip_id": f"c{clip}", "f": clip * 1.5} for clip in range(first, last)]


def scores(last: int = 12) -> list[dict[str, Any]]:
    """The scores of the first clips."""
    return [{"clip_id": f"c{clip}", "score": clip / 10} for clip in range(last)]


def entry(**changed: Any) -> dict[str, Any]:
    """The table in shards as its manifest has it."""
    return {
        "id": "t",
        "features": "features/",
        "scores": ["dover=dover.jsonl"],
        "out": "joined/",
        "audit_json": "t.audit.json",
        **changed,
    }


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    """A Parquet file of these columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def sharded(folder: Path, **changed: Any) -> Path:
    """A manifest `m.json` of a table in three shards with hive partitions."""
    for name, (first, last) in SHARDS.items():
        write_jsonl(folder / f"features/{name}.jsonl", rows(first, last))
    write_jsonl(folder / "dover.jsonl", scores())
    return write_manifest(folder / "m.json", [entry(**changed)])


def summary(folder: Path, name: str = "m") -> Any:
    """What the report says of the first table."""
    return json.loads((folder / f"{name}.report.json").read_text())["tables"][0]["summary"]


def made(folder: Path, before: dict[str, tuple[int, int, int]]) -> set[str]:
    """The joined files and the audit that were written since."""
    now = stamps(folder)
    return {
        name
        for name in now
        if before.get(name) != now[name]
        and name.startswith(("joined/", "t.audit"))
        and (folder / name).is_file()
    }
