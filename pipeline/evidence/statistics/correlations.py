"""Correlations between the columns of a table, and of each column with the label.

Spearman's coefficient is Pearson's of average ranks. None where it is not defined: fewer than three rows hold both
values, or one of the two is constant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.evidence.table import Floats

MIN_ROWS = 3
# A smaller standard deviation is a rounding error of a constant; relative to the magnitude of the values.
_MIN_SPREAD = 1e-13
# A smaller residual is a rounding error: another variable predicts this one fully.
_MIN_REST = 1e-6
# The same limit for sums of squares, which lose more digits.
_MIN_SHARE = 1e-11
# More decimals would depend on the order of summation.
_DECIMALS = 12
_BLOCK_ROWS = 1 << 15


def both(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """The rows in which both have a finite value."""
    return np.isfinite(x) & np.isfinite(y)


def pearson(x: Floats, y: Floats) -> float | None:
    """Pearson's coefficient of two arrays of finite values, -1 to 1."""
    if x.size < MIN_ROWS:
        return None
    a, b = standardized(x), standardized(y)
    return None if a is None or b is None else _clipped(float(a @ b) / x.size)


def spearman(x: Floats, y: Floats) -> float | None:
    """Spearman's coefficient of two arrays of finite values, -1 to 1."""
    return pearson(ranks(x), ranks(y)) if x.size else None


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


def ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share their mean rank."""
    ranked: Floats = rankdata(values).astype(np.float64, copy=False)
    return ranked


def centred_ranks(values: Floats) -> NDArray[np.float32]:
    """The ranks of the finite values minus their mean, NaN elsewhere; exact up to about 8 million rows."""
    finite = np.isfinite(values)
    centred = np.full(values.size, np.nan, np.float32)
    if finite.any():
        ranked = ranks(values[finite])
        centred[finite] = ranked - (ranked.size + 1) / 2
    return centred


def pairwise(columns: Sequence[NDArray[np.float32]]) -> tuple[Floats, Floats]:
    """Spearman's coefficients between columns, given as `centred_ranks`.

    A coefficient covers the rows in which both columns have a value. A value keeps its rank among all values of its
    column, because ranking again for each pair would take minutes for a million rows. Both give the same coefficient if
    no value is missing.

    :returns: two symmetric matrices: the coefficients, NaN if not defined, and the numbers of rows.
    """
    size = len(columns)
    count, total, square, product = (np.zeros((size, size)) for _ in range(4))
    rows = columns[0].size if columns else 0
    for start in range(0, rows, _BLOCK_ROWS):
        block = np.stack([column[start : start + _BLOCK_ROWS] for column in columns]).astype(np.float64)
        there = np.isfinite(block)
        block = np.where(there, block / rows, 0.0)
        known = there.astype(np.float64)
        count += known @ known.T
        total += (
            block @ known.T
        )  # of the column of this row of the matrix, where the other column has a value too
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
