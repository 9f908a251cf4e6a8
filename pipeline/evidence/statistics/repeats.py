"""Rows that are in a table more than once, under different contents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..table import Codes, Floats
from .correlations import standardized

MAX_REPEATED = 0.02
"""A table with a larger share of repeated rows cannot be split: a row and its copy would be on both sides of a fold."""

_TIMES_CHANCE = 5


def repeated_rows(features: Sequence[Floats], label: Floats, groups: Codes) -> int:
    """The number of rows whose features and label are those of a row of another content; 0 if chance explains them.

    Coarse features and labels agree by chance: as often as rows with equal features would have equal labels if labels
    were shuffled among all rows. Only far more of them are copies.

    :param features: the columns, one value per row; two values that are NaN are equal.
    :param label: one per row; finite.
    :param groups: the content of each row; rows of one content may be equal.
    """
    alike, same = _classes(features), _classes([*features, label])
    _, contents = np.unique(np.column_stack([same, groups]), axis=0, return_inverse=True)
    contents = contents.reshape(-1)
    found = _pairs(same) - _pairs(contents)
    by_chance = _pairs(alike) * _pairs(_classes([label])) / max(1.0, label.size * (label.size - 1) / 2)
    if found <= _TIMES_CHANCE * by_chance:
        return 0
    rows, of_content = np.bincount(same), np.bincount(contents)
    return int(np.count_nonzero(rows[same] > of_content[contents]))


def first_of_each(features: Sequence[Floats], label: Floats) -> NDArray[np.intp]:
    """The rows without those whose features and label are those of an earlier row."""
    _, first = np.unique(_classes([*features, label]), return_index=True)
    return np.sort(first)


def _classes(columns: Sequence[Floats]) -> NDArray[np.intp]:
    """A number for each row; rows that are nearly equal have equal numbers.

    Two copies may differ in the last digits, if features were computed twice: values count as equal if they are in the same
    hundredth of a standard deviation.

    Rows are compared by a hash of 64 bits, since a matrix of all columns would take as much memory again: in a million
    rows, two that differ have the same hash once in forty million tables.
    """
    hashes = np.zeros(columns[0].size, np.uint64)
    for at, column in enumerate(columns):
        odd = np.random.default_rng([at, 1]).integers(1 << 63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        bits = _steps(column).view(np.uint64)
        hashes += (bits ^ (bits >> np.uint64(31))) * odd
        hashes ^= hashes >> np.uint64(29)
    return np.unique(hashes, return_inverse=True)[1].reshape(-1)


def _steps(column: Floats) -> Floats:
    """The values in whole hundredths of their standard deviation; one NaN, and no negative zero."""
    finite = np.isfinite(column)
    scaled = standardized(column[finite])
    steps = np.full(column.size, np.nan)
    steps[finite] = 0.0 if scaled is None else np.round(100 * scaled) + 0.0
    return steps


def _pairs(codes: NDArray[np.intp]) -> float:
    """The number of pairs of rows with equal codes."""
    counts = np.bincount(codes).astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
