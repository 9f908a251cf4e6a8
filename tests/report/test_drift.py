"""The drift of scores, beside slow and obvious definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.drift import Drift, drift, turned_pairs

numbers = st.sampled_from([0.0, 1.0, 1.0, 2.5, -3.0, 1e300, 7.0]) | st.floats(-100, 100)
pairs = st.lists(st.tuples(numbers, numbers), max_size=24)


def drift_of(rows: list[tuple[float, float]]) -> Drift:
    """The drift of rows with an old and a new score."""
    old, new = np.array(rows, np.float64).reshape(-1, 2).T
    return drift(pd.Series([f"k{row}" for row in range(len(rows))]), old, new)


@given(pairs)
def test_turned_pairs_are_those_in_opposite_orders(rows: list[tuple[float, float]]) -> None:
    """Every pair is compared: it is turned if one side is greater in the old table and less in the new one."""
    expected = sum(
        (a[0] < b[0] and a[1] > b[1]) or (a[0] > b[0] and a[1] < b[1])
        for a, b in itertools.combinations(rows, 2)
    )
    old, new = np.array(rows, np.float64).reshape(-1, 2).T
    assert turned_pairs(old, new) == expected


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=4, max_size=30))
def test_correlations_are_those_of_pandas(rows: list[tuple[float, float]]) -> None:
    """Pearson's and Spearman's coefficients are those that pandas computes, where both are defined."""
    found = drift_of(rows)
    frame = pd.DataFrame(rows)
    if found.spearman is not None:
        expected = frame[0].rank().corr(frame[1].rank())
        assert found.spearman == pytest.approx(expected, abs=1e-9)
    if found.pearson is not None and (frame.std() > 1e-6).all():
        assert found.pearson == pytest.approx(frame[0].corr(frame[1]), abs=1e-6)


def test_figures_of_a_small_case() -> None:
    """n, differences and rows that moved, largest first; a row that did not move is not listed."""
    found = drift_of([(1, 1), (2, 2.5), (3, 0)])
    assert (found.n, found.max_difference, found.median_difference) == (3, 3.0, 0.5)
    assert [(each.key, each.old, each.new) for each in found.moved] == [("k2", 3.0, 0.0), ("k1", 2.0, 2.5)]
    assert found.turned == pytest.approx(2 / 3)


def test_nothing_is_said_of_too_few_rows() -> None:
    """No row has no figure; two rows have no correlation; a constant side has none."""
    assert drift_of([]) == Drift(0, None, None, None, None, None, ())
    assert drift_of([(1, 1), (2, 2)]).pearson is None
    assert drift_of([(1, 1), (2, 1), (3, 1)]).spearman is None


@pytest.mark.filterwarnings("error")
def test_huge_differences_are_finite() -> None:
    """A difference beyond the largest float is a large number, which JSON can hold, and no infinity."""
    found = drift_of([(1e308, -1e308), (-1e308, 1e308)])
    assert found.max_difference == found.median_difference == pytest.approx(8.98e307, rel=1e-2)
    assert found.turned == 1


def test_close_values_correlate_exactly() -> None:
    """Scores that differ little beside their size lose nothing; a coefficient of nought is not negative."""
    assert drift_of([(1e16, 1), (1e16 + 2, 2), (1e16 + 4, 3)]).pearson == 1.0
    assert str(drift_of([(1, 1), (2, 2), (1, 3)]).pearson) == "0.0"
