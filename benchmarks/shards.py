"""A table in shards: one worker on one core, two workers on two, and a run with nothing to do.

python -m benchmarks.shards [--shards 200] [--rows 100000] [--columns 20] [--scorers 3] [--runs 1] [--folder FOLDER]

Each sidecar has a score for every row of all shards.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from benchmarks.corpus import FEATURES, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

_ONE, _TWO, _NOTHING = "one worker, one core", "two workers, two cores", "nothing to do"


def main() -> None:
    """Cut a corpus into shards, take turns, print the costs and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--runs", type=int, default=1)
    add_folder(parser)
    given = parser.parse_args()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.shards * given.rows, given.columns, given.scorers)
        place = corpus.folder
        if not (place / "features").exists():
            spent(module("benchmarks.sharding", FEATURES, "features", given.rows), place)
        _write_manifest(place, corpus.sidecars)
        rounds = alternating(
            {
                _ONE: lambda: _cost(place, ["taskset", "-c", "0"], given.memory, 1),
                _TWO: lambda: _cost(place, ["taskset", "-c", "0,1"], given.memory, 2),
            },
            given.runs,
        )
        idle = _run(place, [], given.memory, 1)
        _clear(place)
    print(
        f"{given.shards} shards of {given.rows:,} rows x {given.columns}, {given.scorers} scorers, {given.runs} rounds"
    )
    for name in (_ONE, _TWO):
        costs = [each[name] for each in rounds]
        walls = spread([cost.wall for cost in costs])
        print(f"{name}: wall s {walls}, CPU s {median(costs).cpu:.1f}, peak MB {median(costs).peak:.0f}")
    print(f"{_NOTHING}: wall s {idle.wall:.2f}")
    one, two = (median([each[name] for each in rounds]).wall for name in (_ONE, _TWO))
    print(f"two workers / one: {two / one:.2f}")


def _write_manifest(place: Path, sidecars: tuple[str, ...]) -> None:
    table = {
        "id": "t",
        "features": "features/",
        "scores": [f"{Path(each).stem}={each}" for each in sidecars],
        "out": "joined/",
        "audit_json": "t.audit.json",
    }
    (place / "m.json").write_text(json.dumps({"tables": [table]}), "utf-8")


def _cost(place: Path, pinned: list[str], memory: str, workers: int) -> Cost:
    _clear(place)
    return _run(place, pinned, memory, workers)


def _run(place: Path, pinned: list[str], memory: str, workers: int) -> Cost:
    return spent(
        [*pinned, *module("pipeline", "run", "m.json", "--memory", memory, "--workers", workers)], place
    )


def _clear(place: Path) -> None:
    for path in (*place.glob("m.*"), *place.glob("t.audit*")):
        if path.name != "m.json":
            path.unlink()
    for folder in (place / "joined", place / ".m.report.json.state"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
