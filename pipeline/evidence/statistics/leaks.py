"""Whether a column is the label, or was computed from it, in all rows or in some.

Three tests, each on at most 5,000 rows. What they miss: a label that was rounded to few values or mixed with noise
beyond the last test's limit, and one in fewer than about a third of the rows.
"""

from __future__ import annotations

import numpy as np

from ..table import Codes, Floats
from .correlations import both, pearson, ranks, spearman, standardized
from .resampling import sampled

LEAK = 0.999
"""A column with a larger |Pearson| or |Spearman| with the label is the label, or nearly."""

MIN_LEAK_ROWS = 8
"""Minimum number of rows of a leak; fewer can agree by chance."""

ON_A_LINE = 0.1
"""Median distance from the best line, in median absolute deviations of the label; honest scorers have 0.15 to 0.6."""

_MIN_LINE_SPEARMAN = 0.2
_LINES = 400
_MIN_LINE_ROWS = 50
_MIN_STEP = 1e-9
_MIN_NEIGHBOURS = 100
_NEAR = 0.004
_NEAR_ROWS = 2.5
_WIDER = 4
_EXCESS = 0.12
_MAX_TIES = 0.02
_MAX_ROWS = 5_000
_MAX_LINE_ROWS = 2_000


def leak_reason(values: Floats, label: Floats, groups: Codes | None = None) -> str | None:
    """Why a column counts as the label, in words that follow its name; None if it does not.

    :param values: one per row; a value that is not finite is left out. Rows that are there twice must be left out too: a
        row and its copy agree in any column.
    :param groups: the content of each row; two rows of one content say nothing of how labels follow the column. None: not
        known, and neighbours are not compared: they may be frames of one clip.
    """
    kept = np.flatnonzero(both(values, label))
    if kept.size < MIN_LEAK_ROWS:
        return None
    kept = kept[sampled(kept.size, _MAX_ROWS)]
    x, y = values[kept], label[kept]
    linear, order = pearson(x, y), spearman(x, y)
    if linear is None or order is None:
        return None
    if max(abs(linear), abs(order)) > LEAK:
        return f"is the label, or nearly: Pearson {linear:.6g}, Spearman {order:.6g}"
    if abs(order) >= _MIN_LINE_SPEARMAN and (apart := distance_from_line(x, y)) < ON_A_LINE:
        return f"lies on a line with the label: half of the rows are within {apart:.2g} median absolute deviations of it"
    if groups is not None and share_of_neighbours(x, y, groups[kept]) > _EXCESS:
        return "follows the label in a part of the rows: there, neighbouring values have neighbouring labels"
    return None


def distance_from_line(x: Floats, y: Floats) -> float:
    """Median distance of labels from the line that is nearest to half of them, in median absolute deviations of the label.

    Rousseeuw's least median of squares (1984), over lines through random pairs of rows: rows beside the line do not move
    it, as long as they are fewer than half, however far out they lie. Infinite if half of the labels are equal, or there
    are too few rows: few lie near a line by chance.
    """
    scaled_x, scaled_y = standardized(x), standardized(y)
    if x.size < _MIN_LINE_ROWS or scaled_x is None or scaled_y is None:
        return np.inf
    x, y = scaled_x, scaled_y
    spread = float(np.median(np.abs(y - np.median(y))))
    if spread < _MIN_STEP:
        return np.inf
    first, second = np.random.default_rng(0).integers(0, x.size, (2, _LINES))
    differ = np.abs(x[first] - x[second]) > _MIN_STEP
    first, second = first[differ], second[differ]
    kept = sampled(x.size, _MAX_LINE_ROWS)
    slopes = (y[second] - y[first]) / (x[second] - x[first])
    rest = np.abs(y[kept] - y[first, None] - slopes[:, None] * (x[kept] - x[first, None]))
    return float(np.median(rest, axis=1).min(initial=np.inf)) / spread


def share_of_neighbours(x: Floats, y: Floats, groups: Codes) -> float:
    """The share of neighbours in `x` whose labels are closer than any smooth spread explains; 0 if that is not known.

    In the order of a column, the distances between the labels of neighbours are spread smoothly, however good the
    column is. Where a part of the rows holds the label itself, or any curve of it, distances of 0 are too many: those
    below 0.4 % of all ranks are far more than a quarter of those below 1.6 %. Of labels with many equal values nothing is known.
    """
    # Rows with equal values must not stay in the order of the file, which may be that of the labels.
    order = np.random.default_rng(0).permutation(x.size)
    order = order[np.argsort(x[order], kind="stable")]
    _, counts = np.unique(y, return_counts=True)
    if x.size < _MIN_NEIGHBOURS or float(((counts / y.size) ** 2).sum()) > _MAX_TIES:
        return 0.0
    apart = np.abs(np.diff(ranks(y)[order] / y.size))
    apart = apart[np.diff(groups[order]) != 0]
    if apart.size < _MIN_NEIGHBOURS:
        return 0.0
    limit = max(_NEAR, _NEAR_ROWS / x.size)
    near, wider = float((apart < limit).mean()), float((apart < _WIDER * limit).mean())
    by_chance = 2 * float(np.sqrt(near * (1 - near) / apart.size))
    return max(0.0, (near - by_chance - wider / _WIDER) / (1 - 1 / _WIDER))
