"""How uncertain a label is that is the mean of ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from ...table import MAX_MAGNITUDE, Floats
from ..resampling import LEVEL

MIN_RATINGS = 2
"""Number of ratings of a row from which their deviation is defined."""


def rated(labels: Floats, sd: Floats, n: Floats) -> NDArray[np.bool_]:
    """The rows with a finite label, a deviation of at least 0 and two ratings or more.

    :param labels: mean of the ratings of each row.
    :param sd: standard deviation of the ratings of each row, in the labels' units.
    :param n: number of ratings of each row.
    """
    limited = (np.abs(each) < MAX_MAGNITUDE for each in (labels, sd, n))  # False for NaN
    found: NDArray[np.bool_] = np.logical_and.reduce([*limited, sd >= 0, n >= MIN_RATINGS])
    return found


def variance_of_mean(sd: Floats, n: Floats) -> Floats:
    """The variance of each label, `sd^2 / n`: of the mean of so many ratings."""
    variance: Floats = sd**2 / n
    return variance


def half_interval(sd: Floats, n: Floats) -> Floats:
    """Half the width of each label's 95 % interval: Student's t with n - 1 degrees of freedom (ITU-T P.1401, 7.4)."""
    numbers, codes = np.unique(n, return_inverse=True)  # few, and each quantile takes long
    half: Floats = t.ppf((1 + LEVEL) / 2, numbers - 1)[codes] * np.sqrt(variance_of_mean(sd, n))
    return half
