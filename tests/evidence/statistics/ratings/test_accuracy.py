"""Errors as ITU-T P.1401 measures them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.statistics.ratings.accuracy import Accuracy
from pipeline.evidence.statistics.ratings.uncertainty import half_interval


def test_errors_by_hand() -> None:
    """Six rows, four of them exact, one within the label's interval, one beyond it by 1."""
    labels, n = np.arange(6.0), np.full(6, 5.0)
    sd = np.full(6, 5**0.5 / 2.7764451051977987)  # t of 4 degrees of freedom: the half width is 1
    assert half_interval(sd, n) == pytest.approx(np.ones(6))
    mapped = labels + np.array([0, 0, 0, 0, 0.5, -2])
    found = Accuracy.of(mapped, labels, sd, n)
    assert found is not None
    assert found.rows == 6
    assert found.half_interval == pytest.approx(1)
    assert found.rmse == pytest.approx(np.sqrt((0.25 + 4) / 2))
    assert found.rmse_star == pytest.approx(np.sqrt(1 / 2))
    assert found.outlier_ratio == pytest.approx(1 / 6)


def test_four_rows_leave_no_error() -> None:
    """The curve has four parameters, which four rows determine."""
    assert Accuracy.of(*(np.arange(4.0), np.arange(4.0), np.ones(4), np.full(4, 9.0))) is None


@given(st.lists(st.tuples(*[st.floats(0.1, 5)] * 3, st.integers(2, 100)), min_size=5, max_size=30))
def test_an_uncertain_label_excuses_errors(rows: list[tuple[float, float, float, int]]) -> None:
    """RMSE* is never above RMSE, and certain labels excuse nothing."""
    mapped, labels, sd, n = (np.array(each, float) for each in zip(*rows, strict=True))
    found, certain = Accuracy.of(mapped, labels, sd, n), Accuracy.of(mapped, labels, 0 * sd, n)
    assert found is not None
    assert certain is not None
    assert found.rmse_star <= found.rmse == certain.rmse == certain.rmse_star
    assert found.outlier_ratio <= certain.outlier_ratio == np.mean(mapped != labels)
