"""Intervals by the bootstrap over groups: contents are drawn with replacement, with all their rows.

Rows of one content are alike, so drawing single rows would make every interval too narrow. All figures of a table use
the same draws, so that differences between two figures are paired.

Draws hold the trained models fixed, so their interval holds the choice of tested contents alone. Other training rows would
give other models: how much that matters shows in the repeats, and in how folds differ.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student_t

from ..table import Codes, Floats
from .correlations import Ranked, influence, ranks, standardized

DRAWS = 1_000
MAX_BUNDLES = 1_000
MAX_PAIRED_ROWS = 2_000
LEVEL = 0.95
# If all values of a draw are equal, its standardized variance is a rounding error up to this.
_MIN_VARIANCE = 1e-12


@dataclass(frozen=True)
class Moments:
    """What is known of a column in each draw.

    Attributes:
        standard: its standardized values, one per row.
        mean: their mean in each draw.
        variance: their variance in each draw.
    """

    standard: Floats
    mean: Floats
    variance: Floats


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

    @classmethod
    def leaving_out(cls, groups: Codes) -> Draws:
        """As many draws as there are groups; each leaves one out and takes the others once, for the jackknife."""
        found, codes = np.unique(groups, return_inverse=True)
        return cls(codes.astype(np.int64), 1.0 - np.eye(found.size))

    def of_rows(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Draws:
        """The same draws of some of the rows, given as a mask or as numbers."""
        return replace(self, bundles=self.bundles[rows])

    def sums(self, values: Floats) -> Floats:
        """The sum of `values`, one per row, in each draw."""
        size = self.weights.shape[1]
        summed: Floats = self.weights @ np.bincount(self.bundles, weights=values, minlength=size)
        return summed

    @functools.cached_property
    def count(self) -> Floats:
        """The number of rows in each draw."""
        return self.sums(np.ones(self.bundles.size))

    def moments(self, standard: Floats | None) -> Moments | None:
        """The moments of `standardized` values, one per row; None if they are constant."""
        if standard is None:
            return None
        count = np.maximum(self.count, 1)
        mean = self.sums(standard) / count
        return Moments(standard, mean, self.sums(standard * standard) / count - mean**2)

    def correlation(self, a: Moments | None, b: Moments | None) -> Floats:
        """Pearson's coefficient in each draw; NaN where one of the two is constant."""
        if a is None or b is None:
            return np.full(len(self.weights), np.nan)
        defined = (a.variance > _MIN_VARIANCE) & (b.variance > _MIN_VARIANCE)
        joint = np.sqrt(np.where(defined, a.variance * b.variance, 1))
        covariance = self.sums(a.standard * b.standard) / np.maximum(self.count, 1) - a.mean * b.mean
        return np.where(defined, np.clip(covariance / joint, -1, 1), np.nan)

    def pearson(self, x: Floats, y: Floats) -> Floats:
        """As `correlation`, of values in their own units."""
        return self.correlation(self.moments(standardized(x)), self.moments(standardized(y)))

    def spearman(self, x: Floats, y: Floats) -> Floats:
        """Spearman's coefficient in each draw; NaN where one of the two is constant or a draw has no row."""
        if not x.size:
            return np.full(len(self.weights), np.nan)
        return self.of_ranks(Ranked.of(ranks(x)), Ranked.of(ranks(y)))

    def of_ranks(self, x: Ranked, y: Ranked) -> Floats:
        """Spearman's coefficient in each draw of two columns, ranked among these rows.

        Ranks that stay the same in all draws make intervals too narrow, and ranking each draw again takes minutes for a
        million rows. A draw is therefore the coefficient plus the mean influence of its rows, which holds what ranking
        again would change.
        """
        found = influence(x, y)
        count = self.count
        if found is None:
            return np.full(len(self.weights), np.nan)
        coefficient, of_rows = found
        moved = coefficient + self.sums(of_rows) / np.maximum(count, 1)
        return np.where(count > 0, np.clip(moved, -1, 1), np.nan)

    def rmse(self, x: Floats, y: Floats) -> Floats:
        """The root of the mean squared difference in each draw; NaN if a draw has no row."""
        count = self.count
        squares = self.sums((x - y) ** 2) / np.maximum(count, 1)
        return np.where(count > 0, np.sqrt(np.maximum(squares, 0)), np.nan)

    def kendall(self, x: Floats, y: Floats) -> Floats:
        """Kendall's tau-b in each draw, over the pairs of at most `MAX_PAIRED_ROWS` rows, taken at random.

        Two rows of one content are a pair once for each copy of the content in the draw; a row of one copy and a row of
        another are none, since they would be alike as no two contents are. NaN where one of the two is constant.
        """
        kept = np.sort(sampled(x.size, MAX_PAIRED_ROWS))
        kept = kept[np.argsort(self.bundles[kept], kind="stable")]
        drawn, at, counts = np.unique(self.bundles[kept], return_index=True, return_counts=True)
        weights, content = self.weights[:, drawn], np.repeat(np.arange(drawn.size), counts)
        signs = np.sign(_differences(x[kept])) * np.sign(_differences(y[kept]))
        ordered = np.add.reduceat(np.add.reduceat(signs, at, axis=0), at, axis=1) if at.size else signs
        concordance = ((weights @ ordered) * weights).sum(axis=1)
        concordance += (weights - weights**2) @ np.diagonal(ordered)
        untied = _untied(weights, content, x[kept]) * _untied(weights, content, y[kept])
        return np.where(untied > 0, concordance / np.sqrt(np.where(untied > 0, untied, 1)), np.nan)


def interval(values: Floats, level: float = LEVEL) -> list[float | None]:
    """The two-sided percentile interval of a figure over its draws; null if no draw defines it."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return [None, None]
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def jackknife(values: Floats, point: float, level: float = LEVEL) -> list[float | None]:
    """The interval of a figure by leaving out one group at a time, with Student's t.

    The variance is `(n - 1) / n` times the sum of squared distances from the mean (Efron and Tibshirani 1993, 11.2).

    :param values: the figure without each of the groups (`Draws.leaving_out`).
    :param point: the figure with all of them.
    """
    defined = values[~np.isnan(values)]
    if defined.size < 2 or np.isnan(point):
        return [None, None]
    error = np.sqrt((defined.size - 1) * defined.var())
    half = float(student_t.ppf((1 + level) / 2, defined.size - 1) * error)
    return [point - half, point + half]


def widened(point: float, ends: list[float | None], repeats: Floats, level: float) -> list[float | None]:
    """An interval with the training's part: each side becomes `sqrt(side^2 + (z s)^2)`.

    :param ends: the interval for fixed models.
    :param repeats: the change in each repeat of the whole cross-validation; `s` is their standard deviation (ddof 1), 0
        for a single repeat, of which nothing is known.
    """
    low, high = ends
    defined = repeats[~np.isnan(repeats)]
    if low is None or high is None:
        return [None, None]
    spread = float(defined.std(ddof=1)) if defined.size > 1 else 0.0
    reach = float(norm.ppf((1 + level) / 2)) * spread
    return [point - float(np.hypot(point - low, reach)), point + float(np.hypot(high - point, reach))]


def corrected_t(folds: Floats, tested_share: float, level: float) -> list[float | None]:
    """The corrected resampled t interval of a mean change over folds.

    Its variance is `(1 / J + n_test / n_train) s^2` with `J - 1` degrees of freedom (Nadeau and Bengio 2003).

    :param folds: the change in each of J folds.
    :param tested_share: rows tested over rows trained on, `1 / (k - 1)` for k folds.
    :returns: null if fewer than two folds define the change.
    """
    defined = folds[~np.isnan(folds)]
    if defined.size < 2:
        return [None, None]
    error = np.sqrt((1 / defined.size + tested_share) * defined.var(ddof=1))
    half = float(student_t.ppf((1 + level) / 2, defined.size - 1) * error)
    mean = float(defined.mean())
    return [mean - half, mean + half]


def sampled(rows: int, most: int) -> NDArray[np.intp]:
    """The numbers of all rows, or of `most` of them in random order; equal arguments give equal numbers."""
    if rows <= most:
        return np.arange(rows)
    return np.random.default_rng(0).choice(rows, most, replace=False)


def _differences(values: Floats) -> Floats:
    ranked = ranks(values) if values.size else values  # scaled, so that differences cannot overflow
    return np.subtract.outer(ranked, ranked)


def _untied(weights: Floats, content: Codes, values: Floats) -> Floats:
    """The number of ordered pairs in each draw whose values differ."""
    _, classes, counts = np.unique(values, return_inverse=True, return_counts=True)
    rows = np.bincount(content, minlength=weights.shape[1]).astype(np.float64)[:, None]
    shared = np.flatnonzero(counts[classes] > 1)
    _, columns = np.unique(classes[shared], return_inverse=True)
    alike = np.zeros((weights.shape[1], int(columns.max(initial=-1)) + 1))
    np.add.at(alike, (content[shared], columns), 1)
    return _pairs(weights, rows) - _pairs(weights, alike)


def _pairs(weights: Floats, rows: Floats) -> Floats:
    """The number of ordered pairs of rows of one class in each draw, summed over classes.

    :param rows: the number of rows per content (down) and class (across).
    """
    pairs: Floats = ((weights @ rows) ** 2 - weights**2 @ rows**2 + weights @ (rows * (rows - 1))).sum(axis=1)
    return pairs
