"""Intervals by the bootstrap over groups: contents are drawn with replacement, with all their rows.

Rows of one content are alike, so drawing single rows would make every interval too narrow. All figures of a table use
the same draws, so that differences between two figures are paired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.evidence.statistics.correlations import ranks, standardized
from pipeline.evidence.table import Codes, Floats

DRAWS = 1_000
MAX_BUNDLES = 1_000
MAX_PAIRED_ROWS = 2_000
LEVEL = 0.95
# If all values of a draw are equal, its standardized variance is a rounding error up to this.
_MIN_VARIANCE = 1e-12


@dataclass(frozen=True)
class Draws:
    """Draws of groups, as weights. Groups are assigned at random to at most `MAX_BUNDLES` bundles of equal size.

    Attributes:
        bundles: the bundle of each row.
        weights: how often each draw took each bundle; one row per draw, one column per bundle.
    """

    bundles: Codes
    weights: Floats

    @classmethod
    def of_groups(cls, groups: Codes, draws: int = DRAWS, seed: int = 0) -> Draws:
        """Draw the groups with replacement, `draws` times, each time as many as there are.

        :param groups: the group of each row, a number from 0; a number that no row has is never drawn.
        """
        found, codes = np.unique(groups, return_inverse=True)
        random = np.random.default_rng(seed)
        size = max(1, min(found.size, MAX_BUNDLES))  # one empty bundle if there are no rows
        bundle = random.permutation(found.size) % size
        weights = random.multinomial(size, np.full(size, 1 / size), size=draws)
        return cls(bundle[codes].astype(np.int64), weights.astype(np.float64))

    def of_rows(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Draws:
        """The same draws of some of the rows, given as a mask or as numbers."""
        return replace(self, bundles=self.bundles[rows])

    def sums(self, values: Floats) -> Floats:
        """The sum of `values`, one per row, in each draw."""
        size = self.weights.shape[1]
        summed: Floats = self.weights @ np.bincount(self.bundles, weights=values, minlength=size)
        return summed

    def pearson(self, x: Floats, y: Floats) -> Floats:
        """Pearson's coefficient in each draw; NaN where one of the two is constant."""
        a, b = standardized(x), standardized(y)
        if a is None or b is None:
            return np.full(len(self.weights), np.nan)
        count = np.maximum(self.sums(np.ones(a.size)), 1)
        mean_a, mean_b = self.sums(a) / count, self.sums(b) / count
        variance_a = self.sums(a * a) / count - mean_a**2
        variance_b = self.sums(b * b) / count - mean_b**2
        defined = (variance_a > _MIN_VARIANCE) & (variance_b > _MIN_VARIANCE)
        joint = np.sqrt(np.where(defined, variance_a * variance_b, 1))
        covariance = self.sums(a * b) / count - mean_a * mean_b
        return np.where(defined, np.clip(covariance / joint, -1, 1), np.nan)

    def spearman(self, x: Floats, y: Floats) -> Floats:
        """Spearman's coefficient in each draw. The ranks are those among all rows, and are not computed again per draw."""
        return self.pearson(ranks(x), ranks(y)) if x.size else self.pearson(x, y)

    def rmse(self, x: Floats, y: Floats) -> Floats:
        """The root of the mean squared difference in each draw; NaN if a draw has no row."""
        count = self.sums(np.ones(x.size))
        squares = self.sums((x - y) ** 2) / np.maximum(count, 1)
        return np.where(count > 0, np.sqrt(np.maximum(squares, 0)), np.nan)

    def kendall(self, x: Floats, y: Floats) -> Floats:
        """Kendall's tau-b in each draw, over the pairs of at most `MAX_PAIRED_ROWS` rows, taken at random.

        The weight of a pair is the product of the weights of its rows; copies of one row are ties.
        NaN where one of the two is constant.
        """
        kept = np.sort(sampled(x.size, MAX_PAIRED_ROWS))
        weights = self.weights[:, self.bundles[kept]].astype(
            np.float32
        )  # sums of small whole numbers are exact
        signs = np.sign(_differences(x[kept])) * np.sign(_differences(y[kept]))
        concordance = ((weights @ signs.astype(np.float32)) * weights).sum(axis=1, dtype=np.float64)
        untied = _untied(weights, x[kept]) * _untied(weights, y[kept])
        return np.where(untied > 0, concordance / np.sqrt(np.where(untied > 0, untied, 1)), np.nan)


def interval(values: Floats, level: float = LEVEL) -> list[float | None]:
    """The two-sided percentile interval of a figure over its draws; null if no draw defines it."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return [None, None]
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def sampled(rows: int, most: int) -> NDArray[np.intp]:
    """The numbers of all rows, or of `most` of them in random order; equal arguments give equal numbers."""
    if rows <= most:
        return np.arange(rows)
    return np.random.default_rng(0).choice(rows, most, replace=False)


def _differences(values: Floats) -> Floats:
    ranked = ranks(values) if values.size else values  # scaled, so that differences cannot overflow
    return np.subtract.outer(ranked, ranked)


def _untied(weights: NDArray[np.float32], values: Floats) -> Floats:
    """Per draw, the total weight of ordered pairs whose values differ."""
    _, classes = np.unique(values, return_inverse=True)
    order = np.argsort(classes, kind="stable")
    starts = np.flatnonzero(np.diff(classes[order], prepend=-1))
    per_class = np.add.reduceat(weights[:, order].astype(np.float64), starts, axis=1)
    untied: Floats = per_class.sum(axis=1) ** 2 - (per_class**2).sum(axis=1)
    return untied
