"""Writes a corpus into the working folder, row group by row group; the same arguments give the same corpus.

::

    python -m benchmarks.generating ROWS COLUMNS SCORERS
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpus import FEATURES

# What pyarrow writes by default; a row group is the most that is held in memory here.
ROW_GROUP_ROWS = 1024 * 1024
LINES = 100_000
FOLDERS = 97
FAILING = 0.003
SHARES = (1.0, 0.98, 0.95)

Lines = Callable[[str, list[str], list[float], list[float]], list[str]]
"""Lines of a sidecar: of scorer, clips' names, scores, and milliseconds."""


def write(folder: Path, rows: int, columns: int, scorers: int) -> None:
    """Write the feature table and all sidecars."""
    _write_features(folder / FEATURES, rows, columns)
    for number in range(scorers):
        path = folder / f"scorer_{number + 1}.jsonl"
        share, lines = SHARES[number % len(SHARES)], SHAPES[number % len(SHAPES)]
        _write_sidecar(path, rows, share, lines, np.random.default_rng([1, number]))


def clip_names(numbers: Any) -> list[str]:
    """The names of clips by their numbers, such as 0000003_daa66d13: unique, and hashed like ids that are."""
    hashed = numbers * 2_654_435_761 & 0xFFFFFFFF
    return [
        f"{number:07d}_{mixed:08x}" for number, mixed in zip(numbers.tolist(), hashed.tolist(), strict=True)
    ]


def _write_features(path: Path, rows: int, columns: int) -> None:
    random = np.random.default_rng(0)
    names = ["path", *(f"feature_{number:03d}" for number in range(columns))]
    schema = pa.schema([(name, pa.float64() if number else pa.string()) for number, name in enumerate(names)])
    with pq.ParquetWriter(path, schema) as writer:
        for numbers in _blocks(np.arange(rows), ROW_GROUP_ROWS):
            places = zip((numbers % FOLDERS).tolist(), clip_names(numbers), strict=True)
            paths = pa.array([f"clips/{folder:02d}/{name}.mp4" for folder, name in places])
            features = [pa.array(random.standard_normal(len(numbers))) for _ in range(columns)]
            table = pa.Table.from_arrays([paths, *features], schema=schema)
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def _write_sidecar(path: Path, rows: int, share: float, lines: Lines, random: np.random.Generator) -> None:
    shuffled = random.permutation(rows)[: round(rows * share)]
    with path.open("w", encoding="ascii") as stream:
        for numbers in _blocks(shuffled, LINES):
            scores, times = random.random((2, len(numbers)))
            stream.writelines(
                lines(path.stem, clip_names(numbers), scores.tolist(), (times * 100).round(3).tolist())
            )


def _blocks(numbers: Any, length: int) -> Iterator[Any]:
    for start in range(0, len(numbers), length):
        yield numbers[start : start + length]


def _full(scorer: str, names: list[str], scores: list[float], times: list[float]) -> list[str]:
    return [
        f'{{"path": "runs/{scorer}/{name}.mp4", "score": {score!r}, "runtime_ms": {time!r}, "status": "ok"}}\n'
        for name, score, time in zip(names, scores, times, strict=True)
    ]


def _plain(scorer: str, names: list[str], scores: list[float], _times: list[float]) -> list[str]:
    return [
        f'{{"path": "runs/{scorer}/{name}.mp4", "score": {score!r}}}\n'
        for name, score in zip(names, scores, strict=True)
    ]


def _failing(scorer: str, names: list[str], scores: list[float], times: list[float]) -> list[str]:
    return [
        f'{{"status": "{"failed" if score < FAILING else "success"}", "path": "runs/{scorer}/{name}.mp4", '
        f'"runtime_ms": {time!r}, "score": {"null" if score < FAILING else repr(score)}}}\n'
        for name, score, time in zip(names, scores, times, strict=True)
    ]


SHAPES: tuple[Lines, ...] = (_full, _plain, _failing)


if __name__ == "__main__":
    write(Path(), *map(int, sys.argv[1:]))
