"""Rows that are in a table more than once, under different contents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..table import Codes, Floats

MAX_REPEATED = 0.02
"""A table with a larger share of repeated rows cannot be split: a row and its copy would be on both sides of a fold."""

_TIMES_CHANCE = 5


def repeated_rows(features: Floats, label: Floats, groups: Codes) -> int:
    """The number of rows whose features and label are those of a row of another content; 0 if chance explains them.

    Coarse features and labels agree by chance: as often as rows with equal features would have equal labels if labels
    were shuffled among all rows. Only far more of them are copies.

    :param features: rows x columns; two values that are NaN are equal.
    :param label: one per row; finite.
    :param groups: the content of each row; rows of one content may be equal.
    """
    alike, wanted = _classes(features), _classes(label[:, None])
    same = _classes(np.column_stack([alike, wanted]).astype(np.float64))
    found = _pairs(same) - _pairs(same, groups)
    by_chance = _pairs(alike) * _pairs(wanted) / max(1.0, label.size * (label.size - 1) / 2)
    if found <= _TIMES_CHANCE * by_chance:
        return 0
    contents = _classes(np.column_stack([same, groups]).astype(np.float64))
    rows, of_content = np.bincount(same), np.bincount(contents)
    return int(np.count_nonzero(rows[same] > of_content[contents]))


def first_of_each(features: Floats, label: Floats) -> NDArray[np.intp]:
    """The rows without those whose features and label are those of an earlier row."""
    _, first = np.unique(_classes(np.column_stack([features, label])), return_index=True)
    return np.sort(first)


def _classes(rows: Floats) -> NDArray[np.intp]:
    """A number for each row; equal rows have equal numbers."""
    _, codes = np.unique(np.where(np.isnan(rows), np.inf, rows), axis=0, return_inverse=True)
    return codes.reshape(-1)


def _pairs(codes: NDArray[np.intp], groups: Codes | None = None) -> float:
    """The number of pairs of rows with equal codes, of one group if groups are given."""
    if groups is not None:
        codes = _classes(np.column_stack([codes, groups]).astype(np.float64))
    counts = np.bincount(codes).astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
