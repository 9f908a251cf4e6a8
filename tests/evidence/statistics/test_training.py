"""What training adds to the interval of a change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student_t

from pipeline.evidence.statistics.training import corrected_t, widened


def test_the_spread_of_repeats_is_added_in_quadrature() -> None:
    """Each side grows by its own length; a change that is the same in all repeats leaves the interval as it was."""
    repeats = np.array([0.1, 0.3, 0.1, 0.3])
    reach = 1.959964 * repeats.std(ddof=1)
    expected = [0.2 - np.hypot(0.1, reach), 0.2 + np.hypot(0.2, reach)]
    assert widened(0.2, [0.1, 0.4], repeats, 0.95) == pytest.approx(expected)
    assert widened(0.2, [0.1, 0.4], np.full(4, 0.2), 0.95) == pytest.approx([0.1, 0.4])


def test_of_one_repeat_nothing_is_known() -> None:
    """The interval stays that of the draws; one that is not defined stays so."""
    assert widened(0.2, [0.1, 0.4], np.array([0.2]), 0.95) == pytest.approx([0.1, 0.4])
    assert widened(0.2, [None, None], np.array([0.1, 0.2]), 0.95) == [None, None]


def test_the_corrected_t_interval_is_that_of_nadeau_and_bengio() -> None:
    """Folds share training rows, so the variance of their mean is not s^2 / J but (1 / J + n_test / n_train) s^2."""
    folds = np.array([0.1, 0.2, 0.15, 0.05, np.nan])
    known = folds[:4]
    error = np.sqrt((1 / 4 + 0.25) * known.var(ddof=1))
    assert corrected_t(folds, 0.25, 0.95) == pytest.approx(
        list(student_t.interval(0.95, 3, known.mean(), error))
    )
    assert corrected_t(folds[:1], 0.25, 0.95) == [None, None]
