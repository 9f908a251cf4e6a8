"""How the scores of one scorer moved between two versions of a joined table; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]

MIN_ROWS = 3
"""Minimum number of rows for a correlation."""

MAX_MOVED = 10
MAX_POINTS = 500
_DECIMALS = 12
_MAX_DIFFERENCE = float(np.finfo(np.float64).max) / 2  # the sum of two, for a median, is no infinity


@dataclass(frozen=True)
class Moved:
    """A row whose score changed, by its feature key."""

    key: str
    old: float
    new: float


@dataclass(frozen=True)
class Drift:
    """How scores moved, over the rows that have an `ok` score in both tables.

    Attributes:
        n: number of those rows.
        pearson: Pearson's coefficient, -1 to 1; None: fewer than three rows, or one side is constant.
        spearman: Spearman's coefficient, -1 to 1; 1: the same order; None: as for `pearson`.
        max_difference: the largest absolute difference, in the scorer's units; None: no rows.
        median_difference: the median absolute difference; None: no rows.
        turned: share of the pairs of rows whose order is the opposite in the other table, 0 to 1; None: no pair.
        moved: up to ten rows with the largest absolute differences, largest first.
        points: old and new score of up to 500 rows, evenly drawn, for a picture.
    """

    n: int
    pearson: float | None
    spearman: float | None
    max_difference: float | None
    median_difference: float | None
    turned: float | None
    moved: tuple[Moved, ...]
    points: tuple[tuple[float, float], ...] = ()


def drift(keys: pd.Series, old: _Floats, new: _Floats) -> Drift:
    """The drift between the scores of the same rows.

    :param keys: the feature key of each row.
    :param old: finite scores.
    :param new: finite scores.
    """
    distance = _distance(old, new)
    most = np.argsort(-distance, kind="stable")[:MAX_MOVED]
    pairs = old.size * (old.size - 1) // 2
    return Drift(
        n=int(old.size),
        pearson=_pearson(old, new),
        spearman=_pearson(_ranks(old), _ranks(new)),
        max_difference=float(distance.max()) if old.size else None,
        median_difference=float(np.median(distance)) if old.size else None,
        turned=turned_pairs(old, new) / pairs if pairs else None,
        moved=tuple(
            Moved(str(keys.iloc[row]), float(old[row]), float(new[row])) for row in most if distance[row]
        ),
        points=tuple((float(old[row]), float(new[row])) for row in _drawn(old.size)),
    )


def _drawn(rows: int) -> NDArray[np.int64]:
    """Up to `MAX_POINTS` row numbers, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, MAX_POINTS)).astype(np.int64))


def turned_pairs(old: _Floats, new: _Floats) -> int:
    """The number of pairs of rows whose order in `new` is the opposite of that in `old`; a tie has no order.

    Sorted by `old`, these pairs are the inversions of `new`. They are counted bit by bit: two ranks are ordered by the
    highest bit in which they differ. This is O(n log n); comparing all pairs would take hours for a million rows.
    """
    order = np.lexsort(
        (new, old)
    )  # rows of equal `old` are sorted by `new`, so that none of their pairs counts
    _, ranks = np.unique(new[order], return_inverse=True)
    turned = 0
    for bit in range(int(ranks.max(initial=0)).bit_length()):
        above = ranks >> (bit + 1)
        by_group = np.argsort(above, kind="stable")
        groups, ones = above[by_group], (ranks[by_group] >> bit) & 1
        seen = np.cumsum(ones)
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        before = np.where(starts > 0, seen[starts - 1], 0)
        in_group = seen - np.repeat(before, np.diff(np.append(starts, groups.size)))
        turned += int(in_group[ones == 0].sum())
    return turned


def _distance(old: _Floats, new: _Floats) -> _Floats:
    """The absolute differences, at most _MAX_DIFFERENCE."""
    with np.errstate(over="ignore"):
        return np.minimum(np.abs(new - old), _MAX_DIFFERENCE)


def _ranks(values: _Floats) -> _Floats:
    ranks: _Floats = pd.Series(values).rank().to_numpy(np.float64)
    return ranks


def _pearson(x: _Floats, y: _Floats) -> float | None:
    if x.size < MIN_ROWS or x.min() == x.max() or y.min() == y.max():
        return None
    a, b = (_centred(each) for each in (x, y))
    value = float(a @ b) / float(np.sqrt((a @ a) * (b @ b)))
    return round(min(1.0, max(-1.0, value)), _DECIMALS) + 0.0  # never -0.0


def _centred(values: _Floats) -> _Floats:
    """The values about their mean, scaled so that no square overflows.

    The scale is a power of two and one of the values is subtracted first: for values that differ little, both are exact.
    """
    _, exponent = np.frexp(np.abs(values).max())
    scaled = np.ldexp(values, -exponent)
    scaled = scaled - scaled[0]
    centred: _Floats = scaled - scaled.mean()
    return centred
