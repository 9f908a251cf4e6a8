"""Rows on which two columns disagree most: by their difference, or by the difference of their ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..table import Floats
from .correlations import ranks

_SLACK = 1e-5  # larger than what rounding to six significant digits changes


def rank_shares(values: Floats) -> Floats:
    """The place of each finite value among all of them, 0 (lowest) to 1 (highest); equal values share their mean place."""
    return (ranks(values) - 0.5) / values.size if values.size else values


def extremes(differences: Floats, most: int) -> NDArray[np.intp]:
    """The rows that are, or once rounded may be, among the `most` with the largest absolute difference.

    A row without a difference is not one of them. The rows are in their own order; there may be more than `most`, so
    that a caller can order equal differences by key.
    """
    size = np.abs(differences)
    if size.size > most:
        least = float(np.partition(size, size.size - most)[size.size - most]) * (1 - _SLACK)
        return np.flatnonzero((size >= least) & (size > 0))
    return np.flatnonzero(size)
