"""CPU seconds that `second-opinion join` takes for a small table, start and imports included.

python -m benchmarks.small [--rows 10000] [--columns 60] [--scorers 3] [--runs 7] [--folder FOLDER]
"""

from __future__ import annotations

import argparse

from benchmarks.contenders import OURS, cost
from benchmarks.corpus import made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import median, spread


def main() -> None:
    """Make the corpus, join it some times, print what it cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--runs", type=int, default=7)
    add_folder(parser)
    given = parser.parse_args()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.rows, given.columns, given.scorers)
        costs = [cost(OURS, corpus) for _ in range(given.runs)]
    middle = median(costs)
    print(f"{given.rows:,} rows x {given.columns} columns, {given.scorers} scorers, {given.runs} runs")
    print(
        f"CPU s {spread([each.cpu for each in costs])}, wall s {middle.wall:.2f}, peak MB {middle.peak:.0f}"
    )


if __name__ == "__main__":
    main()
