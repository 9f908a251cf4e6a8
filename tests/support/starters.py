"""Folders for `init`, and what comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from tests.support.builders import (
    run_main,
    run_manifest,
    write_jsonl,
)


def features(path: Path, names: list[str], column: str = "clip_id", **more: Any) -> Path:
    """A feature table: a key and two measures."""
    rows = [{column: name, "blur": row / 2, "noise": row / 3, **more} for row, name in enumerate(names)]
    return write_jsonl(path, rows)


def init(folder: Path, capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[dict[str, Any], str]:
    """The tables of the manifest that `init` writes, by id, and what it prints; the manifest passes `check`."""
    ended = run_main(capsys, "init", folder, *argv)
    assert (ended.code, ended.err) == (0, "")
    manifest = Path(str(argv[1])) if argv else folder / "second-opinion.json"
    assert run_main(capsys, "check", manifest).code == 0
    return {table["id"]: table for table in json.loads(manifest.read_text("utf-8"))["tables"]}, ended.out


def counts(manifest: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Matched and missing rows per table and scorer, of a complete run."""
    result = run_manifest(manifest)
    assert result.exit_code == 0, result.report
    return {
        table["id"]: {
            label: (each["matched_rows"], each["missing_rows"])
            for label, each in table["summary"]["competitors"].items()
        }
        for table in result.report["tables"]
    }


def table_of(rows: int, **columns: Any) -> dict[str, list[Any]]:
    """Columns of a feature table: a key, a label, two measures, and others; an array or a list has a value per row."""
    random = np.random.default_rng(rows)
    made: dict[str, Any] = {
        "clip_id": [f"clip_{row:05d}" for row in range(rows)],
        "mos": (1 + 4 * random.random(rows)).round(3),
        "blur": random.random(rows).round(4),
        "noise": random.random(rows).round(4),
    } | columns
    return {name: np.asarray(values).tolist() for name, values in made.items() if values is not None}


def evidence_of(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    columns: dict[str, Any],
    form: str = "parquet",
    scorer: str = "dover",
) -> tuple[dict[str, Any] | None, list[str]]:
    """The evidence that `init` proposes of a table and a scorer of all its clips, and what it says of it."""
    names = list(map(str, columns["clip_id"]))
    table = pa.table(columns)
    folder.mkdir(exist_ok=True)
    match form:
        case "parquet":
            pq.write_table(table, folder / "features.parquet")
        case "csv":
            pacsv.write_csv(table, folder / "features.csv")
        case _:
            write_jsonl(folder / "features.jsonl", table.to_pylist())
    write_jsonl(folder / f"{scorer}.jsonl", [{"path": name, "score": 0.5} for name in dict.fromkeys(names)])
    tables, said = init(folder, capsys)
    ((_, entry),) = tables.items()
    return entry.get("evidence"), [line.strip() for line in said.splitlines() if "evidence" in line]
