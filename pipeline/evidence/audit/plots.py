"""The data of the page's figures of one table: points, bins and a matrix, small enough for a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.evidence.documents import Correlations, Curve, Histogram, Scatter
from pipeline.evidence.statistics.correlations import both
from pipeline.evidence.statistics.metrics import fitted_logistic
from pipeline.evidence.statistics.resampling import sampled
from pipeline.evidence.table import MAX_MAGNITUDE, EvidenceTable, Floats, ScoreColumn

MAX_POINTS = 400
MAX_FITTED = 50_000
MAX_COLUMNS = 40
BINS = 30
_CURVE_POINTS = 50


def scatters(table: EvidenceTable) -> list[Scatter]:
    """Per scorer, score against label: random rows, and the curve that is fitted to many more rows.

    Empty if the table has no label.
    """
    return [_scatter(scorer, *_points(table, scorer)) for scorer in table.scorers if table.target is not None]


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


def _points(table: EvidenceTable, scorer: ScoreColumn) -> tuple[Floats, Floats]:
    x, y = table.columns[scorer.column], table.columns[table.target or ""]
    rows = both(x, y)
    return x[rows], y[rows]


def _scatter(scorer: ScoreColumn, x: Floats, y: Floats) -> Scatter:
    drawn = np.sort(sampled(x.size, MAX_POINTS))
    return {
        "label": scorer.label,
        "column": scorer.column,
        "x": x[drawn].tolist(),
        "y": y[drawn].tolist(),
        "curve": _curve(x, y),
    }


def _curve(x: Floats, y: Floats) -> Curve | None:
    """The curve over the range of the scores; None if there are too few rows, too large values, or no curve fits."""
    rows = np.sort(sampled(x.size, MAX_FITTED))
    fitted = (
        fitted_logistic(x[rows], y[rows])
        if x.size and max(np.abs(x).max(), np.abs(y).max()) < MAX_MAGNITUDE
        else None
    )
    if fitted is None:
        return None
    along = np.linspace(x.min(), x.max(), _CURVE_POINTS)
    return {"x": along.tolist(), "y": fitted(along).tolist()}


def _histogram(scorer: ScoreColumn, values: Floats) -> Histogram:
    finite = values[np.isfinite(values)]
    named: Histogram = {"label": scorer.label, "column": scorer.column, "edges": [], "counts": []}
    if not finite.size:
        return named
    scale = float(np.abs(finite).max()) or 1.0  # so that no width overflows
    counts, edges = np.histogram(finite / scale, BINS)
    most = np.finfo(np.float64).max / scale if scale > 1 else np.inf
    return {**named, "edges": (edges.clip(-most, most) * scale).tolist(), "counts": counts.tolist()}
