"""Order within a content: whether a column puts the encodes of one clip in the order of their labels.

A correlation over a whole table mixes two abilities: to tell contents apart, and to tell the encodes of one content
apart. An encoder's settings are chosen by the second alone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..table import Codes, Floats
from .correlations import MIN_ROWS
from .resampling import Draws, interval

MAX_CONTENT_ROWS = 50
"""Rows of one content that are compared; of more, so many are taken at random."""

MAX_COMPARED_ROWS = 50_000
"""Rows that are compared; of more, whole contents are left out at random."""


@dataclass(frozen=True)
class Order:
    """How a column orders the rows of the same content; shares are 0 to 1, higher is better.

    Attributes:
        pairs: number of pairs of rows of one content.
        contents: number of contents with such a pair.
        share: share of the pairs that are ordered as their labels; a tie in either counts half. NaN: no pair.
        untied_pairs: number of pairs whose labels and values both differ.
        untied_share: share of these that are ordered as their labels; NaN: no such pair.
        srcc: mean over contents of Spearman's coefficient, -1 to 1; contents with fewer than three rows, or in which one
            of the two is constant, are left out. NaN: no content defines it.
        share_interval: 95 %, over draws of contents.
        srcc_interval: the same of `srcc`.
    """

    pairs: int
    contents: int
    share: float
    untied_pairs: int
    untied_share: float
    srcc: float
    share_interval: list[float | None]
    srcc_interval: list[float | None]


@dataclass(frozen=True)
class LabelledContents:
    """The rows of contents that have several, prepared for comparing many columns with the labels.

    Attributes:
        rows: numbers of the rows, sorted by content.
        labels: the label of each of these rows.
        codes: the content of each, numbered from 0 without gaps.
        draws: the bootstrap over contents; it has one element per content.
    """

    rows: NDArray[np.intp]
    labels: Floats
    codes: Codes
    draws: Draws

    @classmethod
    def of(cls, labels: Floats, contents: Codes) -> LabelledContents | None:
        """The contents with at least two labelled rows; None: there is none.

        :param labels: one per row; a value that is not finite is missing.
        :param contents: the content of each row; a negative number: the row names none.
        """
        random = np.random.default_rng(0)
        rows = random.permutation(np.flatnonzero(np.isfinite(labels) & (contents >= 0)))
        rows = rows[np.argsort(contents[rows], kind="stable")]
        rows, codes = _several(rows[_place(contents[rows]) < MAX_CONTENT_ROWS], contents)
        if rows.size > MAX_COMPARED_ROWS:
            sizes = np.bincount(codes)
            drawn = random.permutation(sizes.size)
            kept = drawn[np.cumsum(sizes[drawn]) <= MAX_COMPARED_ROWS]
            rows, codes = _several(rows[np.isin(codes, kept)], contents)
        if not rows.size:
            return None
        return cls(rows, labels[rows], codes, Draws.of_groups(np.arange(codes[-1] + 1)))

    def order(self, values: Floats) -> Order:
        """The order of a column, one value per row of the table; a value that is not finite is missing."""
        picked = values[self.rows]
        there = np.isfinite(picked)
        x, y, codes = picked[there], self.labels[there], self.codes[there]
        size = int(self.codes[-1]) + 1
        pairs, right, untied, untied_right = _compared(x, y, codes, size)
        coefficients = _spearman_within(x, y, codes, size)
        known = np.isfinite(coefficients).astype(np.float64)
        coefficients = np.nan_to_num(coefficients)
        return Order(
            pairs=int(pairs.sum()),
            contents=int(np.count_nonzero(pairs)),
            share=_ratio(right, pairs),
            untied_pairs=int(untied.sum()),
            untied_share=_ratio(untied_right, untied),
            srcc=_ratio(coefficients, known),
            share_interval=self._interval(right, pairs),
            srcc_interval=self._interval(coefficients, known),
        )

    def _interval(self, parts: Floats, whole: Floats) -> list[float | None]:
        """The interval of the ratio of two sums over contents; null if only one content has a part in it."""
        if np.count_nonzero(whole) < 2:
            return [None, None]
        summed, known = self.draws.sums(parts), self.draws.sums(whole)
        return interval(np.where(known > 0, summed / np.maximum(known, 1), np.nan))


def order_within(predictions: Floats, labels: Floats, contents: Codes) -> Order | None:
    """The order of any predictions within contents; None: no content has two rows with a label.

    :param predictions: one per row, higher where `labels` should be higher; a value that is not finite is missing.
    :param labels: one per row, likewise.
    :param contents: the content of each row; a negative number: the row names none.
    """
    prepared = LabelledContents.of(labels, contents)
    return None if prepared is None else prepared.order(predictions)


def _several(rows: NDArray[np.intp], contents: Codes) -> tuple[NDArray[np.intp], Codes]:
    """The rows, sorted by content, whose content has at least two of them; the contents numbered from 0."""
    _, codes, sizes = np.unique(contents[rows], return_inverse=True, return_counts=True)
    rows = rows[sizes[codes] > 1]
    return rows, np.unique(contents[rows], return_inverse=True)[1].astype(np.int64)


def _place(sorted_codes: Codes) -> NDArray[np.intp]:
    """The place of each row within its content, from 0."""
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1))
    sizes = np.diff(np.append(starts, sorted_codes.size))
    return np.arange(sorted_codes.size) - np.repeat(starts, sizes)


def _compared(x: Floats, y: Floats, codes: Codes, size: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Per content: pairs, pairs ordered right with ties as halves, pairs without a tie, and those of them ordered right."""
    pairs, right, untied, untied_right = (np.zeros(size) for _ in range(4))
    for lag in itertools.count(1):
        first = np.flatnonzero(codes[lag:] == codes[:-lag]) if lag < codes.size else np.empty(0, np.intp)
        if not first.size:
            return pairs, right, untied, untied_right
        content = codes[first]
        signs = _order(x[first], x[first + lag]) * _order(y[first], y[first + lag])
        pairs += np.bincount(content, minlength=size)
        right += np.bincount(content, weights=(signs + 1) / 2, minlength=size)
        untied += np.bincount(content, weights=signs != 0, minlength=size)
        untied_right += np.bincount(content, weights=signs > 0, minlength=size)
    raise AssertionError("a content ends at some lag")


def _order(first: Floats, second: Floats) -> NDArray[np.int8]:
    """1: the second is larger; -1: smaller; 0: equal. A difference could overflow."""
    return (second > first).astype(np.int8) - (second < first).astype(np.int8)


def _spearman_within(x: Floats, y: Floats, codes: Codes, size: int) -> Floats:
    """Spearman's coefficient of each content; NaN where it is not defined."""
    counts = np.bincount(codes, minlength=size)
    a, b = (_centred(_ranks_within(values, codes), codes, counts) for values in (x, y))
    covariance, first, second = (
        np.bincount(codes, weights=product, minlength=size) for product in (a * b, a * a, b * b)
    )
    defined = (counts >= MIN_ROWS) & (first > 0) & (second > 0)
    joint = np.sqrt(np.where(defined, first * second, 1.0))
    return np.where(defined, np.clip(covariance / joint, -1, 1), np.nan)


def _ranks_within(values: Floats, codes: Codes) -> Floats:
    """Ranks that grow within each content; equal values share their mean rank. Their start is arbitrary."""
    order = np.lexsort((values, codes))
    v, c = values[order], codes[order]
    starts = np.flatnonzero(np.append(True, (v[1:] != v[:-1]) | (c[1:] != c[:-1]))[: v.size])
    lengths = np.diff(np.append(starts, v.size))
    ranked = np.empty(v.size)
    ranked[order] = np.repeat(starts + (lengths - 1) / 2, lengths)
    return ranked


def _centred(values: Floats, codes: Codes, counts: NDArray[np.intp]) -> Floats:
    sums = np.bincount(codes, weights=values, minlength=counts.size)
    centred: Floats = values - (sums / np.maximum(counts, 1))[codes]
    return centred


def _ratio(parts: Floats, whole: Floats) -> float:
    total = float(whole.sum())
    return float(parts.sum()) / total if total else float("nan")
