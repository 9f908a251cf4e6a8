"""Correlations between the columns of a table, and of each column with the label.

Spearman's coefficient is Pearson's of average ranks. None where it is not defined: fewer than three rows hold both
values, or one of the two is constant.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..table import Floats

Ranks: TypeAlias = NDArray[np.float32]
MIN_ROWS = 3
# A smaller standard deviation is a rounding error of a constant; relative to the magnitude of the values.
_MIN_SPREAD = 1e-13
# A smaller residual is a rounding error: another variable predicts this one fully.
_MIN_REST = 1e-6
# The same limit for sums of squares, which lose more digits.
_MIN_SHARE = 1e-11
# More decimals would depend on the order of summation.
_DECIMALS = 12
_BLOCK_ROWS = 1 << 13

MAX_RANKED = 100_000_000
"""Maximum number of values that are ranked again for pairs of columns with gaps; about ten seconds."""


def both(x: Floats | Ranks, y: Floats | Ranks) -> NDArray[np.bool_]:
    """The rows in which both have a finite value."""
    return np.isfinite(x) & np.isfinite(y)


def pearson(x: Floats, y: Floats) -> float | None:
    """Pearson's coefficient of two arrays of finite values, -1 to 1."""
    return correlation(standardized(x), standardized(y))


def correlation(a: Floats | None, b: Floats | None) -> float | None:
    """Pearson's coefficient of two arrays of `standardized` values, -1 to 1."""
    if a is None or b is None or a.size < MIN_ROWS:
        return None
    return _clipped(float(a @ b) / a.size)


def spearman(x: Floats, y: Floats) -> float | None:
    """Spearman's coefficient of two arrays of finite values, -1 to 1."""
    return pearson(ranks(x), ranks(y)) if x.size else None


def influence(first: Ranked, second: Ranked) -> tuple[float, Floats] | None:
    """Spearman's coefficient of two columns, and how much each row changes it: mean 0.

    The influence of a row on the covariance of the two relative ranks holds its own share, and what it does to the
    ranks of the others; so too for the two variances, which ties change.

    :returns: None if one of the two is constant.
    """
    size = first.centred.size
    joint = np.sqrt(first.variance * second.variance)
    if not joint > 0:
        return None
    covariance = float(first.centred @ second.centred) / size
    of_rows: Floats = first.centred * second.centred  # changed in place, as a million rows take 8 MB
    of_rows -= covariance
    of_rows += first.moved(second.centred)
    of_rows += second.moved(first.centred)
    of_rows /= joint
    coefficient = covariance / joint
    spreads: Floats = first.of_variance + second.of_variance
    spreads *= coefficient / 2
    of_rows -= spreads
    return coefficient, of_rows


@dataclass(frozen=True)
class Ranked:
    """A column's relative ranks, 0 to 1.

    Attributes:
        doubled: twice the rank, a whole number also where equal values share a rank.
        centred: the relative ranks minus their mean.
        variance: their variance.
    """

    doubled: NDArray[np.int64]
    centred: Floats
    variance: float

    @classmethod
    def of(cls, ranked: Floats) -> Ranked:
        """Of a column's `ranks`."""
        size = max(1, ranked.size)
        centred: Floats = ranked - (ranked.size + 1) / 2
        centred /= size
        return cls((2 * ranked).astype(np.int64), centred, float(centred @ centred) / size)

    def moved(self, others: Floats) -> Floats:
        """For each row, by how much it moves the mean of (relative rank x `others`), by moving the ranks above its own."""
        at = np.bincount(self.doubled, weights=others)
        above: Floats = np.cumsum(at)
        np.subtract(at.sum(), above, out=above)
        above += np.divide(at, 2, out=at)
        mean: Floats = above[self.doubled]
        mean -= float((self.centred + 0.5) @ others)
        mean /= self.centred.size
        return mean

    @functools.cached_property
    def of_variance(self) -> Floats:
        """The influence of each row on the variance, relative to it."""
        moved = self.moved(self.centred)
        moved *= 2
        changed: Floats = self.centred**2
        changed -= self.variance
        changed += moved
        changed /= self.variance
        return changed


def partial(x: Floats, y: Floats, given: Floats) -> tuple[Floats, Floats] | None:
    """Residuals of standardized `x` and `y` after linear regression on `given`.

    Their Pearson coefficient is the partial coefficient. None if `given` predicts one of them fully, or one of the
    three is constant.
    """
    a, b, c = (standardized(each) for each in (x, y, given))
    if x.size < MIN_ROWS or a is None or b is None or c is None:
        return None
    rest_a, rest_b = (each - (float(each @ c) / each.size) * c for each in (a, b))
    if min(float(rest_a.std()), float(rest_b.std())) < _MIN_REST:
        return None
    return rest_a, rest_b


def ranks(values: Floats | Ranks) -> Floats:
    """Ranks from 1 of finite values; equal ones share their mean rank."""
    order = np.argsort(
        values
    )  # scipy.stats.rankdata sorts stably, for which there is no need, in twice the time
    ordered = values[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, values.size)  # of values that are equal
    begins = np.append(0, ends[:-1])
    ranked = np.empty(values.size)
    ranked[order] = np.repeat((begins + ends + 1) / 2, ends - begins)
    return ranked


def centred_ranks(values: Floats | Ranks) -> Ranks:
    """The ranks of the finite values minus their mean, NaN elsewhere; exact up to about 8 million rows."""
    finite = np.isfinite(values)
    centred = np.full(values.size, np.nan, np.float32)
    if finite.any():
        ranked = ranks(values[finite])
        centred[finite] = ranked - (ranked.size + 1) / 2
    return centred


def pairwise(columns: Sequence[Ranks]) -> tuple[Floats, Floats]:
    """Spearman's coefficients between columns, given as `centred_ranks`.

    A coefficient covers the rows in which both columns have a value, and values are ranked among these. If columns have
    gaps in so many different rows that this would rank more than `MAX_RANKED` values, all keep their ranks among the
    values of their own column.

    :returns: two symmetric matrices: the coefficients, NaN if not defined, and the numbers of rows.
    """
    coefficients, count = _by_block(columns)
    patterns: dict[bytes, list[int]] = {}
    for at, column in enumerate(columns):
        patterns.setdefault(np.packbits(np.isfinite(column)).tobytes(), []).append(at)
    again = [
        (first, second, rows)
        for first, second in combinations(patterns.values(), 2)
        if (rows := np.flatnonzero(both(columns[first[0]], columns[second[0]]))).size
    ]
    if sum(rows.size * (len(first) + len(second)) for first, second, rows in again) <= MAX_RANKED:
        for first, second, rows in again:
            among, _ = _by_block([_ranked_among(columns[at], rows) for at in (*first, *second)])
            block = among[: len(first), len(first) :]
            coefficients[np.ix_(first, second)] = block
            coefficients[np.ix_(second, first)] = block.T
    return coefficients, count


def _ranked_among(column: Ranks, rows: NDArray[np.intp]) -> Ranks:
    """The centred ranks of some rows among themselves; by counting, since ranks are whole or half numbers already."""
    doubled = (2 * column[rows].astype(np.float64) + np.count_nonzero(np.isfinite(column)) + 1).astype(
        np.int64
    )
    counts = np.bincount(doubled)
    centred = np.cumsum(counts) - (counts + rows.size) / 2
    return centred.astype(np.float32)[doubled]


def _by_block(columns: Sequence[Ranks]) -> tuple[Floats, Floats]:
    """The coefficients from ranks as they are, and the numbers of rows."""
    size = len(columns)
    count, total, square, product = (np.zeros((size, size)) for _ in range(4))
    rows = columns[0].size if columns else 0
    for start in range(0, rows, _BLOCK_ROWS):
        block = np.stack([column[start : start + _BLOCK_ROWS] for column in columns]).astype(np.float64)
        there = np.isfinite(block)
        block = np.where(there, block / rows, 0.0)
        known = there.astype(np.float64)
        count += known @ known.T
        # Of the column of this row of the matrix, where the other column has a value too.
        total += block @ known.T
        square += block**2 @ known.T
        product += block @ block.T
    return _coefficients(count, total, square, product), count


def _coefficients(count: Floats, total: Floats, square: Floats, product: Floats) -> Floats:
    known = np.maximum(count, 1)
    spread = square - total**2 / known
    defined = (count >= MIN_ROWS) & (spread > _MIN_SHARE * square) & (spread.T > _MIN_SHARE * square.T)
    joint = np.sqrt(np.where(defined, spread * spread.T, 1.0))
    values = (product - total * total.T / known) / joint
    return np.where(defined, np.round(np.clip(values, -1, 1), _DECIMALS), np.nan)


def standardized(values: Floats) -> Floats | None:
    """Finite values with mean 0 and standard deviation 1; None if they are constant."""
    if not values.size or not (scale := float(np.abs(values).max())):
        return None
    scaled = values / scale  # so that no square overflows
    scaled -= scaled.mean()
    spread = float(scaled.std())
    return scaled / spread if spread > _MIN_SPREAD else None


def _clipped(value: float) -> float:
    return round(min(1.0, max(-1.0, value)), _DECIMALS)
