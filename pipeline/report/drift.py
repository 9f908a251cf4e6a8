"""How the scores of one scorer moved between two versions of a joined table; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]

MIN_ROWS = 3
"""A correlation of fewer rows says nothing."""

MAX_MOVED = 10
MAX_POINTS = 500
_DECIMALS = 12


@dataclass(frozen=True)
class Moved:
    """A row whose score changed; `key` is its feature key."""

    key: str
    old: float
    new: float


@dataclass(frozen=True)
class Drift:
    """How scores moved, over the rows that have an `ok` score in both tables.

    Attributes:
        n: number of those rows.
        pearson: Pearson's coefficient, -1 to 1; None: fewer than three rows, or one side is constant.
        spearman: Spearman's coefficient, as above; 1: the order is the same.
        max_difference: the largest absolute difference, in the scorer's units; None: no rows.
        median_difference: the median absolute difference; None: no rows.
        turned: share of the pairs of rows whose order is the opposite in the other table, 0 to 1; None: no pair.
        moved: up to ten rows that moved most, by absolute difference.
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
    distance = np.abs(new - old)
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
    """The number of pairs of rows with `old` in one order and `new` in the opposite; ties are of no order.

    Sorted by `old`, these are the inversions of `new`. They are counted bit by bit: two ranks are ordered by the highest
    bit in which they differ. So O(n log n), where comparing all pairs would take hours for a million rows.
    """
    order = np.lexsort((new, old))  # among equal `old` the order of `new`, which counts none of them
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


def _ranks(values: _Floats) -> _Floats:
    ranks: _Floats = pd.Series(values).rank().to_numpy(np.float64)
    return ranks


def _pearson(x: _Floats, y: _Floats) -> float | None:
    if x.size < MIN_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    a, b = (_centred(each) for each in (x, y))
    value = float(a @ b) / float(np.sqrt((a @ a) * (b @ b)))
    return round(min(1.0, max(-1.0, value)), _DECIMALS)


def _centred(values: _Floats) -> _Floats:
    """The values about their mean, scaled so that no square overflows."""
    scaled = values / np.abs(values).max()
    centred: _Floats = scaled - scaled.mean()
    return centred
