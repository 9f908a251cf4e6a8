"""A feature table and its sidecars, made once per size.

::

    clips/14/0000003_daa66d13.mp4   0.125...  -1.7...      features.parquet, random float64
    {"path": "runs/scorer_1/0000003_daa66d13.mp4", ...}    scorer_1.jsonl, in an order of its own
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import module, spent

FEATURES = "features.parquet"
FORMATS = ("parquet", "csv", "csv.gz", "jsonl", "jsonl.gz")


@dataclass(frozen=True)
class Corpus:
    """A corpus that is there.

    Attributes:
        folder: holds the features and the sidecars.
        rows: rows of the feature table.
        columns: its columns beside the key.
        sidecars: names of the sidecars, whose stems are their scorers' names; they cover 100, 98, 95, 100 ... %
            of the rows.
        features: the name of the feature table.
    """

    folder: Path
    rows: int
    columns: int
    sidecars: tuple[str, ...]
    features: str = FEATURES


def made(place: Path, rows: int, columns: int, scorers: int, form: str = "parquet") -> Corpus:
    """The corpus of this size below `place`, made if it is not there, with its features in one of `FORMATS`."""
    folder = place / f"corpus-{rows}x{columns}x{scorers}"
    if not folder.exists():
        making = folder.with_suffix(".making")  # a corpus that was cut short is not taken for one
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        spent(module("benchmarks.generating", rows, columns, scorers), making)
        making.rename(folder)
    features = Path(FEATURES).with_suffix(f".{form}").name
    if not (folder / features).exists():
        spent(module("benchmarks.retyping", FEATURES, f"making.{features}"), folder)
        (folder / f"making.{features}").rename(folder / features)
    sidecars = tuple(f"scorer_{number}.jsonl" for number in range(1, scorers + 1))
    return Corpus(folder, rows, columns, sidecars, features)
