"""How time and memory grow with rows, scorers, columns and tables, as Markdown tables for docs/performance.md.

python -m benchmarks.growth [rows|scorers|columns|tables ...] [--runs 3] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import batches
from benchmarks.contenders import OURS, cost
from benchmarks.corpus import Corpus, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, Name, alternating, median
from benchmarks.slopes import Growing, figure, growth

COLUMNS, SCORERS = 60, 3


def main() -> None:
    """Measure the parts that were asked for, and print their tables."""
    given = arguments()
    with data_folder(given.folder) as folder:
        for name in given.parts or PARTS:
            print(f"\n{name}, {given.runs} runs\n")
            print("\n".join(PARTS[name](folder, given)), flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choices = (*PARTS, [])  # where none is given, argparse may look for the empty list among them
    parser.add_argument("parts", nargs="*", choices=choices, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 4_000_000])
    parser.add_argument("--scorers", type=int, nargs="+", default=[1, 3, 8])
    parser.add_argument("--scorers-rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, nargs="+", default=[60, 240, 480])
    parser.add_argument("--columns-rows", type=int, default=250_000)
    parser.add_argument("--tables", type=int, nargs="+", default=[10, 100, 1_000, 5_000])
    add_folder(parser)
    return parser.parse_args()


def by_rows(folder: Path, given: argparse.Namespace) -> list[str]:
    """At so many rows."""
    corpora = [made(folder, rows, COLUMNS, SCORERS) for rows in given.rows]
    return growth(Growing("row", "µs", "bytes"), given.rows, joined(corpora, given.runs))


def by_scorers(folder: Path, given: argparse.Namespace) -> list[str]:
    """With so many of the sidecars of one corpus."""
    whole = made(folder, given.scorers_rows, COLUMNS, max(given.scorers))
    corpora = [dataclasses.replace(whole, sidecars=whole.sidecars[:count]) for count in given.scorers]
    return growth(Growing("scorer", "s", "MB"), given.scorers, joined(corpora, given.runs))


def by_columns(folder: Path, given: argparse.Namespace) -> list[str]:
    """At so many feature columns."""
    corpora = [made(folder, given.columns_rows, columns, SCORERS) for columns in given.columns]
    return growth(Growing("column", "ms", "KB", flat=True), given.columns, joined(corpora, given.runs))


def by_tables(folder: Path, given: argparse.Namespace) -> list[str]:
    """At so many tables of a batch: the whole run, and what in it is the join and what is Luigi."""
    corpus = made(folder, batches.ROWS, batches.COLUMNS, 1)
    places = {tables: batches.inputs(folder, corpus, tables) for tables in given.tables}
    found = medians(
        {
            (way, tables): partial(go, places[tables], tables)
            for tables in given.tables
            for way, go in batches.WAYS.items()
        },
        given.runs,
    )
    costs = {way: [found[way, tables] for tables in given.tables] for way in batches.WAYS}
    run = growth(Growing("table", "ms", "KB", flat=True), given.tables, costs["run"])
    return [*run, "", *shares(given.tables, costs)]


def shares(sizes: Sequence[int], costs: dict[str, list[Cost]]) -> list[str]:
    """A table of what a run takes beyond the joins, beside what Luigi takes for tasks that do nothing."""
    lines = [
        "| tables | run s | only the joins s | run beyond the joins s | ms per table | Luigi alone s | ms per table |",
        "|---|---|---|---|---|---|---|",
    ]
    for index, size in enumerate(sizes):
        run, loop, luigi = (costs[way][index].wall for way in ("run", "loop", "luigi"))
        lines.append(
            f"| {size:,} | {run:.2f} | {loop:.2f} | {run - loop:.2f} | {figure((run - loop) / size * 1000)} "
            f"| {luigi:.2f} | {figure(luigi / size * 1000)} |"
        )
    return lines


def joined(corpora: Sequence[Corpus], runs: int) -> list[Cost]:
    """What it costs to join each corpus."""
    found = medians({number: partial(cost, OURS, corpus) for number, corpus in enumerate(corpora)}, runs)
    return list(found.values())


def medians(commands: Mapping[Name, Callable[[], Cost]], runs: int) -> dict[Name, Cost]:
    """The median costs of some commands, which are run in turn."""
    rounds = alternating(commands, runs)
    return {name: median([each[name] for each in rounds]) for name in commands}


PARTS: dict[str, Callable[[Path, argparse.Namespace], list[str]]] = {
    "rows": by_rows,
    "scorers": by_scorers,
    "columns": by_columns,
    "tables": by_tables,
}


if __name__ == "__main__":
    main()
