"""A join from and into a bucket, beside the same join of local files and beside the bytes alone.

python -m benchmarks.objects [--rows 1000000] [--columns 60] [--scorers 3] [--runs 5] [--folder FOLDER]

The store is SeaweedFS on loopback, which shares the processors with what is measured. The bytes alone: obstore reads all
inputs and writes an object of the output's size.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.contenders import OURS, cost
from benchmarks.corpus import FEATURES, Corpus, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread
from tests.support import stores


def main() -> None:
    """Begin a store, fill it, take turns, print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    add_folder(parser)
    given = parser.parse_args()
    if (reason := stores.reason_to_skip()) is not None:
        parser.exit(0, f"not measured: {reason}\n")
    with data_folder(given.folder) as folder, tempfile.TemporaryDirectory() as place:
        corpus = made(folder, given.rows, given.columns, given.scorers)
        endpoint = stores.begun(Path(place))
        try:
            os.environ |= stores.environment_of(endpoint)
            _measure(corpus, stores.Bucket.at(endpoint, "corpus").uri, given.runs)
        finally:
            stores.left(Path(place))


def _measure(corpus: Corpus, uri: str, runs: int) -> None:
    spent(module("benchmarks.moving", "fill", uri), corpus.folder)
    rounds = alternating(
        {
            "local": lambda: cost(OURS, corpus),
            "bucket": lambda: _join(uri, corpus),
            "bytes": lambda: spent(module("benchmarks.moving", "move", uri), corpus.folder),
        },
        runs,
    )
    middle = {name: median([each[name] for each in rounds]) for name in rounds[0]}
    print(f"{corpus.rows:,} rows x {corpus.columns} columns, {len(corpus.sidecars)} scorers, {runs} rounds")
    for name, each in middle.items():
        walls = [costs[name].wall for costs in rounds]
        print(f"{name}: wall s {spread(walls)}, peak MB {each.peak:.0f}")
    wall = middle["bucket"].wall / (middle["local"].wall + middle["bytes"].wall)
    print(
        f"bucket / (local + bytes): {wall:.2f}; peak, bucket / local: "
        f"{middle['bucket'].peak / middle['local'].peak:.2f}"
    )


def _join(uri: str, corpus: Corpus) -> Cost:
    """The cost of the join in the bucket."""
    scores = [f"--scores={Path(name).stem}={uri}/{name}" for name in corpus.sidecars]
    command = module(
        "second_opinion", "join", f"--features={uri}/{FEATURES}", *scores, f"--out={uri}/joined.parquet"
    )
    return spent(command, corpus.folder)


if __name__ == "__main__":
    main()
