"""The two models: what they learn, from which rows, and what they bear."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pipeline.evidence.statistics.models import BoostedTrees, Model, SupportVectors

MODELS: list[Model] = [SupportVectors(), BoostedTrees()]
RANDOM = np.random.default_rng(5)
FEATURES = RANDOM.normal(size=(200, 3)) * [1, 100, 0.01]
LABELS = 50 + 20 * np.sin(2 * FEATURES[:, 0]) + FEATURES[:, 1] / 10
GROUPS = np.repeat(np.arange(100), 2)
TRAIN, TEST = np.arange(150), np.arange(150, 200)

each_model = pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As whoever trains models has it: with more threads sums differ in the last bits."""
    with threadpool_limits(1):
        yield


def predicted(model: Model, features: np.ndarray = FEATURES, labels: np.ndarray = LABELS) -> np.ndarray:
    """What a model that learned from the first rows says of the others."""
    fit = model.fit(features[TRAIN], labels[TRAIN], GROUPS[TRAIN])
    return fit(features[TEST])


@each_model
def test_a_curved_relation_is_learned(model: Model) -> None:
    """Features on very different scales, and labels far from 0, are no hindrance."""
    found = predicted(model)
    assert np.corrcoef(found, LABELS[TEST])[0, 1] > 0.8
    assert np.abs(found - LABELS[TEST]).mean() < 8


@each_model
def test_other_rows_of_the_test_do_not_count(model: Model) -> None:
    """A row is predicted as if it were alone: scales and medians are those of the training rows."""
    fit = model.fit(FEATURES[TRAIN], LABELS[TRAIN], GROUPS[TRAIN])
    among_giants = FEATURES[TEST].copy()
    among_giants[1:] *= 1e6
    among_giants[-1] = np.nan
    alone = fit(FEATURES[TEST][:1])
    assert fit(among_giants)[:1] == pytest.approx(alone, rel=1e-12)


@each_model
def test_the_unit_of_labels_does_not_matter(model: Model) -> None:
    """Labels from 0 to 100 are learned as well as the same labels from 0 to 1 or so."""
    assert predicted(model, labels=LABELS / 64) == pytest.approx(predicted(model) / 64, rel=1e-6)


@each_model
def test_awkward_columns_are_borne(model: Model) -> None:
    """Gaps, a column without any value, a constant one and huge values: each is predicted, without a warning."""
    features = np.column_stack([FEATURES, np.full(200, np.nan), np.full(200, 7.0), FEATURES[:, 0] * 1e99])
    features[::7, 0] = np.nan
    found = predicted(model, features)
    assert np.isfinite(found).all()
    assert np.corrcoef(found, LABELS[TEST])[0, 1] > 0.6


@each_model
def test_constant_labels_are_given_back(model: Model) -> None:
    """Where there is nothing to learn, the label is predicted."""
    assert predicted(model, labels=np.full(200, 3.0)) == pytest.approx(np.full(50, 3.0))


def test_support_vectors_are_tuned_on_contents_that_they_have_not_seen() -> None:
    """Rows of one content that stand in both parts of the inner split would have the narrowest kernel win."""
    random = np.random.default_rng(0)
    features = np.repeat(random.uniform(size=(60, 2)), 5, axis=0)
    labels = np.repeat(random.normal(size=60), 5)
    train, test = np.arange(150), np.arange(150, 300)

    def error(groups: np.ndarray) -> float:
        fit = SupportVectors().fit(features[train], labels[train], groups[train])
        return float(np.mean((fit(features[test]) - labels[test]) ** 2))

    assert error(np.repeat(np.arange(60), 5)) < 0.6 * error(np.arange(300))
