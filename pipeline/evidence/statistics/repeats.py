"""Rows that are in a table more than once, under different contents."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..table import Codes, Floats
from .correlations import standardized

MAX_REPEATED = 0.02
"""A table with a larger share of repeated rows cannot be split: a row and its copy would be on both sides of a fold."""

_TIMES_CHANCE = 5
_LABEL = 1 << 31  # the number of the label among hashed columns; no table has so many


def repeated_rows(features: Iterable[Floats], label: Floats, groups: Codes) -> int:
    """The number of rows whose features and label are those of a row of another content; 0 if chance explains them.

    Coarse features and labels agree by chance: as often as rows with equal features would have equal labels if labels
    were shuffled among all rows. Only far more of them are copies.

    :param features: the columns, one value per row; two values that are NaN are equal.
    :param label: one per row; finite.
    :param groups: the content of each row; rows of one content may be equal.
    """
    hashes = _hashes(features, label.size)
    alike, same = _classes(hashes), _classes(_mixed(hashes, label, _LABEL))
    contents = _classes(same * (int(groups.max(initial=0)) + 1) + groups)
    found = _pairs(same) - _pairs(contents)
    labels = _classes(_hashes([label], label.size))
    by_chance = _pairs(alike) * _pairs(labels) / max(1.0, label.size * (label.size - 1) / 2)
    if found <= _TIMES_CHANCE * by_chance:
        return 0
    rows, of_content = np.bincount(same), np.bincount(contents)
    return int(np.count_nonzero(rows[same] > of_content[contents]))


def first_of_each(features: Iterable[Floats], label: Floats) -> NDArray[np.intp]:
    """The rows without those whose features and label are those of an earlier row."""
    _, first = np.unique(_mixed(_hashes(features, label.size), label, _LABEL), return_index=True)
    return np.sort(first)


def _classes(values: NDArray[np.uint64] | Codes) -> NDArray[np.intp]:
    """A number from 0 for each row; rows of equal values have equal numbers."""
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _hashes(columns: Iterable[Floats], rows: int) -> NDArray[np.uint64]:
    """A hash of each row; rows that are nearly equal have equal ones.

    Two copies may differ in the last digits, if features were computed twice: values count as equal if they are in the same
    hundredth of a standard deviation.

    Rows are compared by a hash of 64 bits, since a matrix of all columns would take as much memory again: in a million
    rows, two that differ have the same hash once in forty million tables.
    """
    hashes = np.zeros(rows, np.uint64)
    for at, column in enumerate(columns):
        hashes = _mixed(hashes, column, at)
    return hashes


def _mixed(hashes: NDArray[np.uint64], column: Floats, at: int) -> NDArray[np.uint64]:
    """The hashes with one more column.

    :param at: its number, from which it has a multiplier of its own.
    """
    odd = np.random.default_rng([at, 1]).integers(1 << 63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    bits = _steps(column).view(np.uint64)
    mixed = hashes.copy()
    mixed += (bits ^ (bits >> np.uint64(31))) * odd
    mixed ^= mixed >> np.uint64(29)
    return mixed


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
