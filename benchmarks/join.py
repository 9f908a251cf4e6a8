"""`second-opinion join` beside Polars, DuckDB and a bare copy: the same work, as whole processes, in turn.

Everyone makes the table once beforehand, and the tables must be the same.

    python -m benchmarks.join [--rows 1000000] [--columns 60] [--scorers 3] [--format parquet] [--runs 5]
        [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from collections.abc import Collection, Sequence
from functools import partial

from benchmarks import contenders
from benchmarks.contenders import COPY, NAMES, OURS, PEERS
from benchmarks.corpus import FORMATS, Corpus, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

Rounds = Sequence[dict[str, Cost]]


def main() -> None:
    """Make the corpus, compare what the contenders make of it, time them, print the figures."""
    given = arguments()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.rows, given.columns, given.scorers, given.format)
        names = [name for name in NAMES if name in given.only]
        runs = {
            name: partial(contenders.cost, name, corpus, _limit(name, given.memory_limit)) for name in names
        }
        check(corpus, [name for name in names if name != COPY])
        print(
            f"{corpus.rows:,} rows x {corpus.columns} columns of {corpus.features}, {given.scorers} scorers, {given.runs} rounds; "
            f"{machine()}"
        )
        print("\n".join(figures(alternating(runs, given.runs))))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--format", choices=FORMATS, default="parquet", help="of the feature table")
    parser.add_argument("--runs", type=int, default=5, help="rounds; each runs everyone once")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="these alone")
    parser.add_argument(
        "--memory-limit", type=float, metavar="MB", help="address space that second-opinion may have"
    )
    add_folder(parser)
    return parser.parse_args()


def check(corpus: Corpus, joining: Sequence[str]) -> None:
    """Have everyone who joins make the table once, if there are two of them.

    :raises SystemExit: two of the tables differ.
    """
    if len(joining) < 2:
        return
    try:
        for name in joining:
            spent(contenders.command(name, corpus), corpus.folder)
        spent(module("benchmarks.agreement", *map(contenders.out_of, joining)), corpus.folder)
    finally:
        contenders.clear(corpus)


def figures(rounds: Rounds) -> list[str]:
    """A Markdown table: ratios are of the same round, each with its median and from where to where it goes."""
    lines = [
        "| who | wall s | over the bare copy | over the faster peer | CPU s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for name in (name for name in NAMES if name in rounds[0]):
        costs = [each[name] for each in rounds]
        middle = median(costs)
        lines.append(
            f"| {name} | {spread([cost.wall for cost in costs])} | {_over(name, [COPY], rounds)} "
            f"| {_over(name, PEERS, rounds)} | {middle.cpu:.1f} | {middle.peak:.0f} |"
        )
    return lines


def machine() -> str:
    """What the figures depend on beside the code."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("pyarrow", *PEERS)]
    return ", ".join([f"{os.cpu_count()} CPUs", f"Python {platform.python_version()}", *packages])


def _over(name: str, others: Collection[str], rounds: Rounds) -> str:
    """The wall time over that of the fastest of some others."""
    there = [other for other in others if other in rounds[0]]
    if not there:
        return ""
    return spread([each[name].wall / min(each[other].wall for other in there) for each in rounds])


def _limit(name: str, memory_limit: float | None) -> float | None:
    return memory_limit if name == OURS else None


if __name__ == "__main__":
    main()
