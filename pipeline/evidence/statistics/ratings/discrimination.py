"""Whether a prediction tells pairs of clips apart as people do: the method of Krasula et al. (QoMEX 2016).

A pair is *different* if its labels differ significantly. A good prediction differs more in different pairs than in
similar ones, and has the sign of the labels' difference in different pairs. No curve is fitted.

Krasula et al. compare two predictions by the test of Hanley and McNeil (1983), which takes pairs as independent. Each
row is in as many pairs as there are other rows, so that test finds nearly every difference significant. Here the
intervals are those of the paired bootstrap over contents to first order (the infinitesimal jackknife, Efron 1982): from
the influence of each row on an AUC, by the placement values of DeLong et al. (1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ...table import Codes, Floats
from ..resampling import LEVEL, sampled
from .uncertainty import variance_of_mean

MAX_ROWS = 2_000
"""Rows whose pairs are compared; of more, so many are taken at random."""

MEASURES = ("auc_different", "auc_better", "c0")
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class RatedPairs:
    """The pairs of rated rows, and which of them people tell apart.

    Attributes:
        rows: numbers of the rows that are compared.
        contents: the content of each of these rows, numbered from 0.
        first: per pair, the place of one row in `rows`: of a different pair the one with the higher label.
        second: the other one.
        different: per pair, whether the labels differ significantly.
    """

    rows: _Rows
    contents: Codes
    first: _Rows
    second: _Rows
    different: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: Floats, sd: Floats, n: Floats, contents: Codes) -> RatedPairs:
        """The pairs of `rated` labels: two differ if |z| of their difference is above 1.96 (95 %, two-sided).

        :param contents: the content of each row; intervals draw contents.
        """
        rows = np.sort(sampled(labels.size, MAX_ROWS))
        y, variance = labels[rows], variance_of_mean(sd[rows], n[rows])
        first, second = np.triu_indices(rows.size, 1)
        apart = y[first] - y[second]
        different = np.abs(apart) > ndtri((1 + LEVEL) / 2) * np.sqrt(variance[first] + variance[second])
        swapped = apart < 0
        first, second = np.where(swapped, second, first), np.where(swapped, first, second)
        codes = np.unique(contents[rows], return_inverse=True)[1].astype(np.int64)
        return cls(rows, codes, first, second, different)

    def discrimination(self, predictions: Floats) -> Discrimination:
        """How finite predictions, one per row that `of` was given, tell the pairs apart.

        :param predictions: higher where the labels should be higher.
        """
        picked = predictions[self.rows]
        differences = picked[self.first] - picked[self.second]
        measured = _measured(differences, self.different)
        return Discrimination(
            pairs=self.different.size,
            different_pairs=int(np.count_nonzero(self.different)),
            values=np.array([value for value, _ in measured]),
            influences=np.stack([self._by_content(influences) for _, influences in measured]),
        )

    def _by_content(self, influences: Floats) -> Floats:
        """The influence of each content: that of a pair counts for both of its rows."""
        size = int(self.contents.max(initial=-1)) + 1
        found = np.zeros(size)
        for side in (self.first, self.second):
            found += np.bincount(self.contents[side], influences, size)
        return found


@dataclass(frozen=True)
class Discrimination:
    """How one prediction tells pairs apart.

    Attributes:
        pairs: number of pairs.
        different_pairs: number of those whose labels differ significantly.
        values: one of each of `MEASURES`: AUC of different against similar pairs (.5: chance, 1: best), AUC of better
            against worse, and the share of different pairs with the right sign (a tie counts half). NaN: not defined.
        influences: how much each content adds to each measure, to first order; one row per measure.
    """

    pairs: int
    different_pairs: int
    values: Floats
    influences: Floats

    def intervals(self) -> list[list[float | None]]:
        """The 95 % interval of each measure, within 0 to 1; null where it is not defined."""
        found = (
            _interval(value, _deviation(each))
            for value, each in zip(self.values, self.influences, strict=True)
        )
        return [[None if end is None else min(1.0, max(0.0, end)) for end in ends] for ends in found]


@dataclass(frozen=True)
class Gain:
    """The difference of one measure between two predictions of the same rows.

    Attributes:
        difference: second minus first; above 0 the second is better.
        interval: 95 %, paired over contents; null: not defined.
        p: two-sided probability of a difference as large by chance; NaN: not defined.
    """

    difference: float
    interval: list[float | None]
    p: float


def gains(first: Discrimination, second: Discrimination) -> dict[str, Gain]:
    """Whether the second prediction tells the same `RatedPairs` apart better than the first, by name of `MEASURES`."""
    found = {}
    for at, name in enumerate(MEASURES):
        difference = float(second.values[at] - first.values[at])
        deviation = _deviation(second.influences[at] - first.influences[at])
        p = 2 * float(ndtr(-abs(difference) / deviation)) if deviation > 0 else float("nan")
        found[name] = Gain(difference, _interval(difference, deviation), p)
    return found


def _measured(differences: Floats, different: NDArray[np.bool_]) -> list[tuple[float, Floats]]:
    """Each of `MEASURES`, and the influence of each pair on it.

    The influence of a pair on an AUC is its placement: the share of the other side that it is compared with and that
    is ordered right, less the AUC. One sort of the absolute differences gives all placements.

    :param differences: of the predictions; of a different pair, positive if it is ordered right.
    """
    total, similar = int(np.count_nonzero(different)), int(np.count_nonzero(~different))
    if not total:
        return [(float("nan"), np.zeros(differences.size))] * len(MEASURES)
    larger = _Larger.of(np.abs(differences))
    wrong = larger.number(different & (differences <= 0)) / total
    right = larger.number(different & (differences > 0)) / total
    better, better_influence = _mean(np.where(differences >= 0, 1 - wrong, right), different)
    c0, c0_influence = _mean((np.sign(differences) + 1) / 2, different)
    smaller = 1 - larger.number(~different) / max(similar, 1)
    apart, apart_influence = _mean(smaller if similar else np.full(smaller.size, np.nan), different)
    of_similar = (larger.number(different) / total - apart) / max(similar, 1)
    return [
        (apart, np.where(different, apart_influence, of_similar)),
        (
            better,
            2 * better_influence,
        ),  # a pair is compared with the reverse of every pair, and reversed with every pair
        (c0, c0_influence),
    ]


def _mean(placements: Floats, different: NDArray[np.bool_]) -> tuple[float, Floats]:
    """The mean over different pairs, and the influence of each pair on it."""
    value = float(placements[different].mean())
    return value, np.where(different, placements - value, 0) / np.count_nonzero(different)


@dataclass(frozen=True)
class _Larger:
    """Values by size, for counting the flagged ones that are larger than each value.

    Attributes:
        places: for each value, the number of its class of equal values, the smallest first.
        classes: number of classes.
    """

    places: _Rows
    classes: int

    @classmethod
    def of(cls, sizes: Floats) -> _Larger:
        order = np.argsort(sizes)
        ordered = sizes[order]
        places = np.empty(sizes.size, np.intp)
        places[order] = np.cumsum(np.append(False, ordered[1:] != ordered[:-1])[: sizes.size])
        return cls(places, int(places.max(initial=-1)) + 1)

    def number(self, flags: NDArray[np.bool_]) -> Floats:
        """For each value, the number of flagged values that are larger; equal ones count half."""
        equal = np.bincount(self.places[flags], minlength=self.classes)
        larger: Floats = (equal.sum() - np.cumsum(equal) + equal / 2)[self.places]
        return larger


def _deviation(influences: Floats) -> float:
    """The standard deviation of a measure over contents; NaN if there are fewer than two."""
    size = influences.size
    return float(np.sqrt((influences**2).sum() * size / (size - 1))) if size > 1 else float("nan")


def _interval(value: float, deviation: float) -> list[float | None]:
    if not np.isfinite(value) or not np.isfinite(deviation):
        return [None, None]
    half = float(ndtri((1 + LEVEL) / 2)) * deviation
    return [value - half, value + half]
