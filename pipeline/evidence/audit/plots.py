"""The data of the page's figures of one table: points, bins and a matrix, small enough for a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..documents import Correlations, Curve, Histogram, Scatter
from ..statistics.resampling import sampled
from ..table import EvidenceTable, Floats, ScoreColumn
from .sections.scores import LabelledScores

MAX_POINTS = 400
MAX_COLUMNS = 40
BINS = 30
_CURVE_POINTS = 50


def scatters(scores: Sequence[LabelledScores]) -> list[Scatter]:
    """Per scorer, score against label: random rows, and the curve that is fitted to many more rows."""
    return [_scatter(each) for each in scores]


def histograms(table: EvidenceTable) -> list[Histogram]:
    """Per scorer, the number of scores in bins of equal width; a scorer without scores has no bins."""
    return [_histogram(scorer, table.columns[scorer.column]) for scorer in table.scorers]


def correlations(names: Sequence[str], index: Mapping[str, int], coefficients: Floats) -> Correlations:
    """Spearman's correlations between the first `MAX_COLUMNS` of `names`.

    :param index: the position of each column in `coefficients`.
    """
    shown = [*names[:MAX_COLUMNS]]
    at = [index[name] for name in shown]
    return {"columns": shown, "spearman": coefficients[np.ix_(at, at)].tolist()}


def _scatter(scores: LabelledScores) -> Scatter:
    drawn = np.sort(sampled(scores.rows.size, MAX_POINTS))
    return {
        "label": scores.scorer.label,
        "column": scores.scorer.column,
        "x": scores.scores[drawn].tolist(),
        "y": scores.labels[drawn].tolist(),
        "curve": _curve(scores),
    }


def _curve(scores: LabelledScores) -> Curve | None:
    """The curve over the range of the scores; None if there is none."""
    if scores.curve is None:
        return None
    along = np.linspace(scores.scores.min(), scores.scores.max(), _CURVE_POINTS)
    return {"x": along.tolist(), "y": scores.curve(along).tolist()}


def _histogram(scorer: ScoreColumn, values: Floats) -> Histogram:
    finite = values[np.isfinite(values)]
    named: Histogram = {"label": scorer.label, "column": scorer.column, "edges": [], "counts": []}
    if not finite.size:
        return named
    scale = float(np.abs(finite).max()) or 1.0  # so that no width overflows
    counts, edges = np.histogram(finite / scale, BINS)
    most = np.finfo(np.float64).max / scale if scale > 1 else np.inf
    return {**named, "edges": (edges.clip(-most, most) * scale).tolist(), "counts": counts.tolist()}
