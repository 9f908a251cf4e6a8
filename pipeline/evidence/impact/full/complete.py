"""The complete rows of a table, for models that are trained outside the arms: a label, a content and every score."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...statistics.correlations import spearman
from ...statistics.folds import Rows
from ...table import Codes, EvidenceTable, Floats, ScoreColumn
from ..rows import Labelled, bounded


def labelled_rows(table: EvidenceTable) -> Labelled:
    """The rows and the scorers that can be measured.

    :raises ValueError: the table has no target.
    """
    if table.target is None:
        raise ValueError(f"{table.id}: models learn a label, and the table names no target")
    return Labelled.of(table, table.target)


def complete_rows(labelled: Labelled, scorers: Iterable[ScoreColumn]) -> Rows:
    """The rows that have a score of each of these scorers."""
    scores = features(labelled.table, [scorer.column for scorer in scorers], labelled.every)
    return labelled.every[np.isfinite(scores).all(axis=1)]


def features(table: EvidenceTable, columns: Iterable[str], rows: Rows) -> Floats:
    """These columns of these rows, rows x columns; finite or NaN."""
    held = [bounded(table.columns[name][rows]) for name in columns]
    return np.column_stack(held) if held else np.empty((rows.size, 0))


def corpora_of(table: EvidenceTable, rows: Rows) -> Codes:
    """The corpus of each of these rows as a number."""
    return np.zeros(rows.size, np.int64) if table.corpora is None else table.corpora.codes[rows]


def order_agreement(predictions: Floats, labels: Floats, corpora: Codes) -> float | None:
    """The mean over corpora of SRCC within each; 0 for constant predictions, None if all labels are constant."""
    found = []
    for corpus in np.unique(corpora):
        inside = corpora == corpus
        if np.ptp(labels[inside]) > 0:
            found.append(spearman(predictions[inside], labels[inside]) or 0.0)
    return float(np.mean(found)) if found else None
