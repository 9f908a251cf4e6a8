"""Tables that share their sidecars: in one batch, which reads a sidecar once, and each in a batch of its own.

python -m benchmarks.together [--tables 4] [--rows 250000] [--columns 20] [--scorers 3] [--runs 3] [--folder FOLDER]

The rows of all tables have a score in each sidecar.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from benchmarks.corpus import FEATURES, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

_TOGETHER, _APART = "one batch", "a batch for each"


def main() -> None:
    """Cut a corpus into tables, take turns, print the costs and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=4)
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    add_folder(parser)
    given = parser.parse_args()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.tables * given.rows, given.columns, given.scorers)
        place = corpus.folder
        if not (place / "features").exists():
            spent(module("benchmarks.sharding", FEATURES, "features", given.rows), place)
        tables = _tables(place, corpus.sidecars)
        rounds = alternating(
            {
                _TOGETHER: lambda: _cost(place, [tables]),
                _APART: lambda: _cost(place, [[each] for each in tables]),
            },
            given.runs,
        )
    print(
        f"{given.tables} tables of {given.rows:,} rows x {given.columns}, {given.scorers} scorers, {given.runs} rounds"
    )
    for name in (_TOGETHER, _APART):
        costs = [each[name] for each in rounds]
        walls = spread([cost.wall for cost in costs])
        print(f"{name}: wall s {walls}, CPU s {median(costs).cpu:.1f}, peak MB {median(costs).peak:.0f}")
    together, apart = (median([each[name] for each in rounds]).wall for name in (_TOGETHER, _APART))
    print(f"one batch / a batch for each: {together / apart:.2f}")


def _tables(place: Path, sidecars: tuple[str, ...]) -> list[dict[str, object]]:
    scores = [f"{Path(each).stem}={each}" for each in sidecars]
    features = sorted((place / "features").rglob("*.parquet"))
    return [
        {
            "id": f"t{number}",
            "features": str(path.relative_to(place)),
            "scores": scores,
            "out": f"out/t{number}.parquet",
        }
        for number, path in enumerate(features)
    ]


def _cost(place: Path, batches: list[list[dict[str, object]]]) -> Cost:
    """The cost of the batches one after the other, from nothing."""
    shutil.rmtree(place / "out", ignore_errors=True)
    costs = []
    for tables in batches:
        for left in [*place.glob("m.*"), *place.glob(".m.*")]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        (place / "m.json").write_text(json.dumps({"tables": tables}), "utf-8")
        costs.append(spent(module("pipeline", "run", "m.json"), place))
    return Cost(
        sum(each.wall for each in costs),
        sum(each.cpu for each in costs),
        max(each.peak for each in costs),
        "",
    )


if __name__ == "__main__":
    main()
