"""Figures of merit, and the curve that maps predictions onto labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from pipeline.evidence.statistics.metrics import FIGURES, figures, fitted_logistic

RANDOM = np.random.default_rng(7)
LABELS = RANDOM.normal(3, 1, 80)
PREDICTED = LABELS + RANDOM.normal(0, 0.5, 80)


def test_the_figures_are_those_of_scipy() -> None:
    """SRCC, KRCC and RMSE by their definitions, on raw and on mapped predictions."""
    mapped = PREDICTED**3
    found = dict(zip(FIGURES, figures(LABELS, PREDICTED, mapped), strict=True))
    assert found == pytest.approx(
        {
            "srcc": spearmanr(LABELS, PREDICTED).statistic,
            "krcc": kendalltau(LABELS, PREDICTED).statistic,
            "plcc": pearsonr(LABELS, PREDICTED).statistic,
            "rmse": np.sqrt(((LABELS - PREDICTED) ** 2).mean()),
            "plcc_mapped": pearsonr(LABELS, mapped).statistic,
            "rmse_mapped": np.sqrt(((LABELS - mapped) ** 2).mean()),
        }
    )


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=30, unique=True))
def test_order_is_all_that_ranks_see(values: list[int]) -> None:
    """A rising change of the predictions leaves SRCC and KRCC as they are."""
    raw = np.array(values, dtype=np.float64)
    labels = np.sin(raw)
    before, after = figures(labels, raw, raw), figures(labels, np.exp(raw / 10), raw)
    assert after[:2] == pytest.approx(before[:2])


def test_a_constant_prediction_has_no_correlation() -> None:
    """It is not defined, and no warning comes of it; the error is."""
    found = figures(LABELS, np.full(80, 3.0), np.full(80, 3.0))
    assert np.isnan(found).tolist() == [True, True, True, False, True, False]


@pytest.mark.parametrize("slope", [1.7, -1.7], ids=["rising", "falling"])
def test_the_curve_of_the_labels_is_found(slope: float) -> None:
    """Labels that lie on a logistic curve are given back by the curve that is fitted, between the points too."""
    x = np.linspace(-30, 50, 60)
    along = np.linspace(-25, 45, 33)

    def truth(values: np.ndarray) -> np.ndarray:
        return np.asarray(1 + 4 / (1 + np.exp(-slope * (values - 12) / 10)))

    fitted = fitted_logistic(x, truth(x))
    assert fitted is not None
    assert fitted(along) == pytest.approx(truth(along), abs=1e-6)


def test_the_curve_lowers_the_error_of_what_it_was_fitted_to() -> None:
    """Predictions on another scale come onto that of the labels, in their order."""
    scores = np.tanh(PREDICTED - 3) / 100
    fitted = fitted_logistic(scores, LABELS)
    assert fitted is not None
    assert np.std(fitted(scores) - LABELS) < 0.6 * np.std(LABELS)
    assert (np.diff(fitted(np.sort(scores))) >= 0).all()


def test_a_line_is_mapped_to_a_line() -> None:
    """No logistic fits a line best, and one that fits it well is found nevertheless; of very many points too."""
    x = np.linspace(0, 1, 50_000)
    fitted = fitted_logistic(x, 3 - 2 * x)
    assert fitted is not None
    assert fitted(x) == pytest.approx(3 - 2 * x, abs=0.01)


@pytest.mark.parametrize(
    ("predictions", "labels"),
    [
        (np.ones(20), np.arange(20.0)),
        (np.arange(20.0), np.ones(20)),
        (np.arange(4.0), np.arange(4.0)),
        (np.linspace(-1e300, 1e300, 20), np.arange(20.0)),
        (np.arange(20.0), np.linspace(-1e300, 1e300, 20)),
    ],
    ids=["constant predictions", "constant labels", "too few", "huge predictions", "huge labels"],
)
def test_where_no_curve_can_be_fitted_there_is_none(predictions: np.ndarray, labels: np.ndarray) -> None:
    """The caller learns it, without a warning."""
    assert fitted_logistic(predictions, labels) is None
