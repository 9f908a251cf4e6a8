"""The scores of a table beside its labels, with the curve that maps them onto the labels' scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...statistics.correlations import both
from ...statistics.metrics import Logistic, fitted_logistic
from ...table import MAX_MAGNITUDE, Codes, EvidenceTable, Floats, ScoreColumn

MIN_ROWS = 8
"""Rows that a figure needs; fewer can agree by chance."""


@dataclass(frozen=True)
class LabelledScores:
    """One scorer's scores in the rows that also have a label.

    Attributes:
        scorer: the scorer.
        rows: numbers of these rows.
        scores: their scores.
        labels: their labels; of pooled corpora in standard deviations from the corpus's mean.
        curve: the logistic curve from scores to labels; None: none fits, or the numbers are too large.
    """

    scorer: ScoreColumn
    rows: NDArray[np.intp]
    scores: Floats
    labels: Floats
    curve: Logistic | None

    @property
    def mapped(self) -> Floats | None:
        """The scores on the labels' scale; None: there is no curve."""
        return None if self.curve is None else self.curve(self.scores)


def labelled_scores(table: EvidenceTable) -> Sequence[LabelledScores]:
    """Per scorer, its scores beside the labels; empty if the table has no label."""
    if table.target is None:
        return ()
    label = np.where(table.named_rows, table.labels, np.nan)
    return [_labelled(scorer, table.columns[scorer.column], label) for scorer in table.scorers]


def contents_of(table: EvidenceTable) -> Codes:
    """The content of each row, numbered from 0; a row that names none is a content of its own."""
    if table.groups is None:
        return np.arange(table.rows, dtype=np.int64)
    own = table.groups.max(initial=-1) + 1 + np.arange(table.rows, dtype=np.int64)
    return np.where(table.groups < 0, own, table.groups)


def is_turned(table: EvidenceTable, scorer: ScoreColumn) -> bool:
    """Whether lower scores go with higher labels, as declared; an undeclared direction is taken as that of the label."""
    return scorer.direction is not None and scorer.direction != table.target_direction


def _labelled(scorer: ScoreColumn, scores: Floats, label: Floats) -> LabelledScores:
    rows = np.flatnonzero(both(scores, label))
    x, y = scores[rows], label[rows]
    small = rows.size > 0 and max(np.abs(x).max(), np.abs(y).max()) < MAX_MAGNITUDE
    return LabelledScores(scorer, rows, x, y, fitted_logistic(x, y) if small else None)
