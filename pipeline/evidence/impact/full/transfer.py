"""Transfer: a model that is trained on one table and tested on another, without the scores and with them.

Labels are z-scored within each corpus, since two studies seldom share a scale, and turned where lower is better. The order
within a corpus, and so its SRCC, stays as it is; RMSE is in standard deviations of labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from ....errors import show
from ....manifest.declarations import slug
from ...documents import OutsideColumn, Transfer, TransferArm, rounded
from ...statistics.correlations import pearson
from ...statistics.folds import Rows
from ...statistics.models import Model
from ...table import EvidenceTable, Floats, scaled_within
from ..protocol import BASE, SCORES, WITH_SCORES
from ..rows import Labelled
from .complete import complete_rows, corpora_of, features, labelled_rows, order_agreement

MANY_OUTSIDE = 0.1
"""With a larger share of rows outside the range of training there is a warning."""

MAX_OUTSIDE_COLUMNS = 3


def measure_transfer(trained: EvidenceTable, tested: EvidenceTable, model: Model) -> Transfer:
    """What a model that learned the complete rows of one table predicts of another's.

    Both are complete with regard to the scorers whose labels they share. No other column is used.

    :param trained: a table whose impact can be measured, as `tested`.
    """
    found = unmeasured_transfer(trained.id, tested.id, _hindrance(trained, tested))
    baseline = [name for name in trained.baseline if name in tested.baseline]
    both = labelled_rows(trained), labelled_rows(tested)
    labels = sorted(set.intersection(*({each.label for each in table.scorers} for table in both)))
    if found["reason"] is None and not (baseline or labels):
        found["reason"] = "The two tables share no baseline column and no scorer."
    if found["reason"] is None:
        rows = [_complete(table, labels) for table in both]
        found |= {"model": model.name, "columns": len(baseline), "scorers": labels}
        found |= {"trained_rows": int(rows[0].size), "tested_rows": int(rows[1].size)}
        with threadpool_limits(1):  # with more threads sums differ in the last bits
            found["arms"] = [*_arms((trained, tested), rows, baseline, labels, model)]
        _add_outside(
            found, features(trained, baseline, rows[0]), features(tested, baseline, rows[1]), baseline
        )
    result: Transfer = rounded(found)
    return result


def unmeasured_transfer(trained_on: str, tested_on: str, reason: str | None) -> Transfer:
    """A pair of tables of which nothing was measured, and why."""
    return {
        "trained_on": trained_on,
        "tested_on": tested_on,
        "model": None,
        "columns": 0,
        "scorers": [],
        "trained_rows": 0,
        "tested_rows": 0,
        "arms": [],
        "outside": None,
        "outside_columns": [],
        "warning": None,
        "reason": reason,
    }


def _hindrance(trained: EvidenceTable, tested: EvidenceTable) -> str | None:
    names = {slug(name) for name in trained.corpus_names}
    if common := [name for name in tested.corpus_names if slug(name) in names]:
        return f"Both tables are of the corpus {show(common[0])}, so the model may know the contents it is tested on."
    return None


def _complete(table: Labelled, labels: Sequence[str]) -> Rows:
    return complete_rows(table, [each for each in table.scorers if each.label in labels])


def _arms(
    tables: tuple[EvidenceTable, EvidenceTable],
    rows: Sequence[Rows],
    baseline: Sequence[str],
    labels: Sequence[str],
    model: Model,
) -> Iterator[TransferArm]:
    given = {BASE: (baseline, []), WITH_SCORES: (baseline, labels), SCORES: ([], labels)}
    trained = tables[0]
    learned, wanted = (_standard_labels(*each) for each in zip(tables, rows, strict=True))
    groups = np.zeros(trained.rows, np.int64) if trained.groups is None else trained.groups
    for name, (columns, scorers) in given.items():
        if (name != SCORES and not baseline) or (name != BASE and not labels):
            continue
        known, new = (
            features(table, [*columns, *_columns(table, scorers)], of)
            for table, of in zip(tables, rows, strict=True)
        )
        predicted = model.fit(known, learned, groups[rows[0]])(new)
        yield {
            "name": name,
            "features": known.shape[1],
            "srcc": order_agreement(predicted, wanted, corpora_of(tables[1], rows[1])),
            "plcc": pearson(predicted, wanted),
            "rmse": float(np.sqrt(np.mean((predicted - wanted) ** 2))),
        }


def _columns(table: EvidenceTable, labels: Sequence[str]) -> list[str]:
    columns = {each.label: each.column for each in table.scorers}
    return [columns[label] for label in labels]


def _standard_labels(table: EvidenceTable, rows: Rows) -> Floats:
    """The labels with mean 0 and standard deviation 1 in each corpus, higher for better."""
    labels = table.columns[table.target or ""][rows] * (-1.0 if table.target_direction == "lower" else 1.0)
    return scaled_within(labels, corpora_of(table, rows))


def _add_outside(found: Transfer, known: Floats, new: Floats, columns: Sequence[str]) -> None:
    """Add the share of rows that leave the range of training in a feature, the features that do most, and a warning."""
    if not columns:
        return
    empty = np.isnan(known).all(axis=0)
    low = np.where(empty, -np.inf, np.where(np.isnan(known), np.inf, known).min(axis=0))
    high = np.where(empty, np.inf, np.where(np.isnan(known), -np.inf, known).max(axis=0))
    leaves = (new < low) | (new > high)  # a missing value leaves nothing
    share, per_column = float(leaves.any(axis=1).mean()), leaves.mean(axis=0)
    most = np.argsort(-per_column, kind="stable")[:MAX_OUTSIDE_COLUMNS]
    widest: list[OutsideColumn] = [
        {"column": columns[at], "share": float(per_column[at])} for at in most if per_column[at] > 0
    ]
    found["outside"], found["outside_columns"] = share, widest
    if share > MANY_OUTSIDE:
        found["warning"] = (
            f"{100 * share:.1f} % of the rows of {found['tested_on']} leave the range of {found['trained_on']} in at least "
            f"one of {len(columns)} features: there the model extrapolates, and its figures tell more of that than of labels."
        )
