"""What `second-opinion audit` costs for one large table that is joined already, as a whole process.

The label is a column like any other, so every signal is noise; all of them are the baseline, which is the most work.

    python -m benchmarks.audit [--rows 1000000] [--columns 60] [--scorers 3] [--runs 1] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import shutil

from benchmarks.corpus import FEATURES, Corpus, made
from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, median, module, spent, spread

MANIFEST = "audited.json"


def main() -> None:
    """Make the corpus, join it, time the audit, print the figures."""
    given = arguments()
    with data_folder(given.folder) as folder:
        corpus = made(folder, given.rows, given.columns, given.scorers)
        costs = [audited(corpus) for _ in range(given.runs)]
    middle = median(costs)
    print(
        f"{corpus.rows:,} rows x {corpus.columns} columns, {given.scorers} scorers: "
        f"{spread([cost.wall for cost in costs])} s, CPU {middle.cpu:.1f} s, peak {middle.peak:.0f} MB"
    )


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--scorers", type=int, default=3)
    parser.add_argument("--runs", type=int, default=1)
    add_folder(parser)
    return parser.parse_args()


def audited(corpus: Corpus) -> Cost:
    """What the audit of a joined batch costs; nothing is left of it."""
    try:
        (corpus.folder / MANIFEST).write_text(json.dumps(manifest(corpus)))
        spent(module("pipeline", "run", MANIFEST), corpus.folder)
        return spent(module("pipeline", "audit", MANIFEST), corpus.folder)
    finally:
        clear(corpus)


def manifest(corpus: Corpus) -> dict[str, object]:
    """A batch of the one table."""
    return {
        "tables": [
            {
                "id": "large",
                "features": FEATURES,
                "scores": [f"{name.removesuffix('.jsonl')}={name}" for name in corpus.sidecars],
                "out": "audited.out.parquet",
                "missing_policy": "mark",
                "evidence": {
                    "target": "feature_000",
                    "features": ["feature_*"],
                    "each_row_is_content": True,
                },
            }
        ]
    }


def clear(corpus: Corpus) -> None:
    """Remove the batch and what was made for it."""
    for path in [*corpus.folder.glob("audited.*"), *corpus.folder.glob(".audited.*")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
