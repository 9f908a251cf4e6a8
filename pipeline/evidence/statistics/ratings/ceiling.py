"""The ceiling of labels: what a perfect predictor would reach, given that the labels themselves are uncertain.

Two groups of viewers who rate the same clips do not give the same labels. The more ratings, and the closer they lie
together, the higher the ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...table import EvidenceTable, Floats
from ..correlations import MIN_ROWS
from .uncertainty import rated, variance_of_mean


@dataclass(frozen=True)
class LabelCeiling:
    """What labels allow at best.

    Attributes:
        rows: number of rows whose label, deviation and number of ratings are known.
        reliability: share of the labels' variance that is not noise of the ratings, 0 to 1.
        correlation: the highest correlation with the labels that a perfect predictor can be expected to have, 0 to 1.
        rmse: the least error that it can be expected to have, in the labels' units.
    """

    rows: int
    reliability: float
    correlation: float
    rmse: float

    @classmethod
    def of(cls, labels: Floats, sd: Floats, n: Floats) -> LabelCeiling | None:
        """The ceiling of labels, each with the standard deviation and the number of its ratings.

        `reliability = 1 - mean(sd^2 / n) / var(label)`, `correlation = sqrt(reliability)` and `rmse = sqrt(mean(sd^2 /
        n))`, as in classical test theory (Spearman 1904; Lord and Novick 1968, chapter 3).

        :returns: None: fewer than three rows know all three, or the label is constant.
        """
        rows = rated(labels, sd, n)
        if np.count_nonzero(rows) < MIN_ROWS or not np.ptp(labels[rows]):
            return None
        noise = float(variance_of_mean(sd[rows], n[rows]).mean())
        variance = float(labels[rows].var(ddof=1))
        if not variance > 0:  # the differences are too small to be squared
            return None
        reliability = max(0.0, 1 - noise / variance)
        return cls(int(np.count_nonzero(rows)), reliability, reliability**0.5, noise**0.5)

    def share(self, correlation: float) -> float | None:
        """How far a correlation with the labels is on the way to the ceiling: 1 is all the way. None: the ceiling is 0."""
        return correlation / self.correlation if self.correlation > 0 else None


def ceiling_of(table: EvidenceTable, rows: NDArray[np.intp]) -> LabelCeiling | None:
    """The ceiling of the labels of some rows; None if deviation and number of ratings are not declared, or too few have them.

    Of pooled corpora each would have a ceiling of its own, so there is none either.
    """
    if table.target is None or table.target_sd is None or table.target_n is None or table.corpora is not None:
        return None
    return LabelCeiling.of(table.columns[table.target][rows], table.target_sd[rows], table.target_n[rows])
