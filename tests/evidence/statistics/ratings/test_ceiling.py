"""The ceiling of labels: what is lost to the noise of ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from pipeline.evidence.statistics.ratings.ceiling import LabelCeiling


def test_a_ceiling_by_hand() -> None:
    """Labels 1 to 5 have variance 2.5; deviation 1 of four ratings is a noise of 0.25, a tenth of it."""
    found = LabelCeiling.of(np.arange(1.0, 6), np.ones(5), np.full(5, 4.0))
    assert found is not None
    assert found.rows == 5
    assert found.reliability == pytest.approx(0.9)
    assert found.correlation == pytest.approx(0.9**0.5)
    assert found.rmse == pytest.approx(0.5)
    assert found.share(0.9**0.5 / 2) == pytest.approx(0.5)


def test_a_perfect_predictor_reaches_it_and_no_more() -> None:
    """Twenty viewers rate 5,000 clips: the true quality correlates with the mean ratings as the ceiling says."""
    chance = np.random.default_rng(0)
    quality = chance.normal(3, 0.5, 5000)
    ratings = quality[:, None] + chance.normal(0, 1, (5000, 20))
    labels, sd = ratings.mean(axis=1), ratings.std(axis=1, ddof=1)
    found = LabelCeiling.of(labels, sd, np.full(5000, 20.0))
    assert found is not None
    assert found.correlation == pytest.approx(pearsonr(quality, labels).statistic, abs=0.005)
    assert found.rmse == pytest.approx(np.sqrt(np.mean((quality - labels) ** 2)), abs=0.005)


def test_labels_of_noise_alone_have_a_ceiling_of_zero() -> None:
    """Where ratings vary more than labels, nothing can be predicted, and there is no way to go."""
    found = LabelCeiling.of(np.array([1.0, 1.1, 1.2]), np.full(3, 9.0), np.full(3, 2.0))
    assert found is not None
    assert (found.reliability, found.correlation) == (0, 0)
    assert found.share(0.5) is None


@pytest.mark.parametrize(
    ("labels", "sd", "n"),
    [
        ([1, 2, np.nan], [1, 1, 1], [9, 9, 9]),
        ([1, 2, 3], [1, -1, 1], [9, 9, 9]),
        ([1, 2, 3], [1, 1, 1], [9, 1, 9]),
        ([1, 2, 3], [1, np.inf, 1], [9, 9, 9]),
        ([2, 2, 2], [1, 1, 1], [9, 9, 9]),
        ([1e300, 2, 3], [1, 1, 1], [9, 9, 9]),
        ([0, 1e-200, 2e-200], [0, 0, 0], [9, 9, 9]),
    ],
)
def test_without_three_rated_rows_there_is_none(labels: list[float], sd: list[float], n: list[float]) -> None:
    """A row lacks its label, a deviation of at least 0, or two ratings; or all labels are equal."""
    assert LabelCeiling.of(*(np.array(each, float) for each in (labels, sd, n))) is None
