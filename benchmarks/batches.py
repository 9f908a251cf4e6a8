"""Batches of many small tables, and three processes that go through one."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.corpus import FEATURES, Corpus
from benchmarks.measuring import Cost, module, spent

ROWS, COLUMNS = 100, 10


def inputs(place: Path, corpus: Corpus, tables: int) -> Path:
    """A folder with the feature table and the first sidecar of a corpus, as often as there are tables."""
    folder = place / f"tables-{tables}x{corpus.rows}"
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        for number in range(tables):
            shutil.copy(corpus.folder / FEATURES, making / f"{number}.parquet")
            shutil.copy(corpus.folder / corpus.sidecars[0], making / f"{number}.jsonl")
        making.rename(folder)
    return folder


def run(folder: Path, tables: int) -> Cost:
    """`second-opinion run` with the scheduler of its own process and one worker."""
    return _in_a_fresh_folder(folder, tables, module("pipeline", "run", "m.json"))


def loop(folder: Path, tables: int) -> Cost:
    """Nothing but the join of each table: no scheduler, no records, no report."""
    return _in_a_fresh_folder(folder, tables, module("benchmarks.looping", "m.json"))


def luigi_alone(folder: Path, tables: int) -> Cost:
    """As many tasks of Luigi that leave a marker file."""
    return _in_a_fresh_folder(folder, tables, module("benchmarks.luigi_alone", tables))


WAYS: dict[str, Callable[[Path, int], Cost]] = {"run": run, "loop": loop, "luigi": luigi_alone}


def _in_a_fresh_folder(folder: Path, tables: int, command: list[str]) -> Cost:
    """Run a command in the folder of the batch `m.json`, of which nothing is built."""
    place = folder / "running"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    entries = [
        {
            "id": f"t{number}",
            "features": f"../{number}.parquet",
            "scores": [f"scorer=../{number}.jsonl"],
            "out": f"joined/{number}.parquet",
            "audit_json": f"joined/{number}.audit.json",
        }
        for number in range(tables)
    ]
    (place / "m.json").write_text(json.dumps({"tables": entries}), encoding="ascii")
    try:
        cost = spent(command, place)
        return dataclasses.replace(cost, said="")  # a line for each of thousands of tables
    finally:
        shutil.rmtree(place)
