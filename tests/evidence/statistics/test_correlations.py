"""Correlations over the rows that two columns share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from pipeline.evidence.statistics.correlations import centred_ranks, pairwise, ranks
from pipeline.evidence.table import Floats
from tests.support.evidence_audits import (
    ODD,
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([np.exp, np.cbrt, lambda x: 3 * x - 1, lambda x: -x]))
def test_spearman_knows_order_alone(seed: int, bent: Any) -> None:
    """A monotone map of a column changes no Spearman coefficient but for its sign, with label or other columns."""
    values = np.random.default_rng(seed).normal(size=60).round(2)
    other = np.random.default_rng(seed + 1).normal(size=60) + values
    before, _ = pairwise([centred_ranks(values), centred_ranks(other)])
    after, _ = pairwise([centred_ranks(bent(values)), centred_ranks(other)])
    assert abs(before[0, 1]) == pytest.approx(abs(after[0, 1]), abs=1e-12)
    assert before[0, 1] == pytest.approx(spearmanr(values, other).statistic, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=4))
def test_pairwise_coefficients_are_coefficients(columns: list[Floats]) -> None:
    """Symmetric, within -1 and 1 where defined, and 1 on the diagonal of a column that varies."""
    coefficients, rows = pairwise([centred_ranks(each) for each in columns])
    defined = ~np.isnan(coefficients)
    assert (np.abs(coefficients[defined]) <= 1).all()
    np.testing.assert_array_equal(coefficients, coefficients.T)
    for at, values in enumerate(columns):
        finite = values[np.isfinite(values)]
        assert rows[at, at] == finite.size
        varies = finite.size >= 3 and np.unique(finite).size > 1
        assert coefficients[at, at] == pytest.approx(1 if varies else np.nan, nan_ok=True)


@given(st.lists(st.sampled_from([-1e308, -2.0, -0.0, 0.0, 0.5, 1e308]) | st.floats(-9, 9), max_size=40))
def test_ranks_are_those_of_scipy(values: list[float]) -> None:
    """From 1; equal values, zeros of either sign among them, share their mean rank."""
    assert ranks(np.array(values)).tolist() == rankdata(values).tolist()
