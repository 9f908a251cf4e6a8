"""A join whose keys and scores do not fit in memory, beside DuckDB's within the same limit, and beside itself in memory.

python -m benchmarks.large [--rows 20000000] [--columns 20] [--scorers 1] [--memory 2GB] [--runs 3] [--folder FOLDER]

Run it in a control group of 3 GB to see that the limit holds: the pages of mapped files count as resident memory, though
the kernel takes them back when it needs them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks.contenders import OURS, clear, command, out_of
from benchmarks.corpus import FEATURES, Corpus, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

_PIECES, _MEMORY, _DUCKDB = "in pieces", "in memory", "duckdb"
_PLENTY = "1TB"


def main() -> None:
    """Take turns, print the costs and the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--scorers", type=int, default=1)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=[_PIECES, _MEMORY, _DUCKDB], action="append")
    add_folder(parser)
    given = parser.parse_args()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.rows, given.columns, given.scorers)
        contenders = _contenders(corpus, given.memory)
        wanted = given.only or list(contenders)
        rounds = alternating({name: contenders[name] for name in wanted}, given.runs)
    print(
        f"{corpus.rows:,} rows x {corpus.columns} columns, {len(corpus.sidecars)} scorers, {given.runs} rounds"
    )
    for name in wanted:
        costs = [each[name] for each in rounds]
        middle = median(costs)
        walls = spread([cost.wall for cost in costs])
        print(f"{name}: wall s {walls}, CPU s {middle.cpu:.1f}, peak MB {middle.peak:.0f}")
    if {_PIECES, _DUCKDB} <= {*wanted}:
        ours, theirs = (median([each[name] for each in rounds]).wall for name in (_PIECES, _DUCKDB))
        print(f"wall time of a join in pieces / DuckDB's: {ours / theirs:.2f}")


def _contenders(corpus: Corpus, memory: str) -> dict[str, Callable[[], Cost]]:
    ours, duckdb = command(OURS, corpus), "benchmarks.peers.by_duckdb_within"
    return {
        _PIECES: lambda: _cost([*ours, f"--memory={memory}"], corpus),
        _MEMORY: lambda: _cost([*ours, f"--memory={_PLENTY}"], corpus),
        _DUCKDB: lambda: _cost(module(duckdb, memory, FEATURES, out_of(_DUCKDB), *corpus.sidecars), corpus),
    }


def _cost(joining: list[str], corpus: Corpus) -> Cost:
    try:
        return spent(joining, corpus.folder)
    finally:
        clear(corpus)


if __name__ == "__main__":
    main()
