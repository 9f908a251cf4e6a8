"""The section about the ceiling of the labels, and how far each scorer is on the way to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...documents import Ceiling, CeilingOfScorer
from ...statistics.correlations import pearson
from ...statistics.ratings.ceiling import LabelCeiling, ceiling_of
from ...table import EvidenceTable
from .scores import MIN_ROWS, LabelledScores


def ceiling_section(table: EvidenceTable, scores: Sequence[LabelledScores]) -> Ceiling | None:
    """The ceiling; None if deviation and number of ratings are not declared, or too few rows have them."""
    found = ceiling_of(table, np.flatnonzero(table.named_rows))
    if found is None:
        return None
    return {
        "rows": found.rows,
        "reliability": found.reliability,
        "correlation": found.correlation,
        "rmse": found.rmse,
        "scorers": [_scorer(found, each) for each in scores],
    }


def _scorer(ceiling: LabelCeiling, scores: LabelledScores) -> CeilingOfScorer:
    mapped = scores.mapped if scores.rows.size >= MIN_ROWS else None
    plcc = None if mapped is None else pearson(mapped, scores.labels)
    return {
        "label": scores.scorer.label,
        "n": scores.rows.size,
        "plcc": plcc,
        "rmse": None if mapped is None else float(np.sqrt(np.mean((mapped - scores.labels) ** 2))),
        "share": None if plcc is None else ceiling.share(plcc),
    }
