"""Rows that stand in a table twice are found; rows that are alike by chance are not."""

from __future__ import annotations

import numpy as np

from pipeline.evidence.statistics.repeats import first_of_each, repeated_rows

RANDOM = np.random.default_rng(9)
FEATURES = RANDOM.normal(size=(100, 3))
LABEL = RANDOM.normal(3, 0.6, 100).round(2)
EACH = np.arange(200)


def test_clips_that_are_there_twice_are_found() -> None:
    """Each of both rows counts; a gap equals a gap."""
    features = np.vstack([FEATURES, FEATURES])
    features[[0, 100], 0] = np.nan
    assert repeated_rows([*features.T], np.tile(LABEL, 2), EACH) == 200
    assert repeated_rows([*FEATURES.T], LABEL, EACH[:100]) == 0


def test_copies_that_differ_in_the_last_digits_are_found() -> None:
    """Features that were computed twice are hardly ever equal to the bit."""
    again = FEATURES + 1e-6 * RANDOM.normal(size=FEATURES.shape)
    assert repeated_rows([*np.vstack([FEATURES, again]).T], np.tile(LABEL, 2), EACH) > 190


def test_some_copies_are_counted() -> None:
    """Of the others none is."""
    rows = np.concatenate([np.arange(100), np.arange(10)])
    assert repeated_rows([*FEATURES[rows].T], LABEL[rows], EACH[:110]) == 20


def test_zeros_are_equal_whatever_their_sign() -> None:
    """Files write both; each row of two that differ stays one of its own."""
    zeros = np.where(np.arange(200) < 100, 0.0, -0.0)
    assert repeated_rows([zeros, np.tile(FEATURES[:, 0], 2)], np.tile(LABEL, 2), EACH) == 200
    assert first_of_each([zeros, np.tile(FEATURES[:, 0], 2)], np.tile(LABEL, 2)).tolist() == [*range(100)]


def test_rows_of_one_content_may_repeat() -> None:
    """Folds keep them on one side."""
    assert (
        repeated_rows([*np.vstack([FEATURES, FEATURES]).T], np.tile(LABEL, 2), np.tile(np.arange(100), 2))
        == 0
    )


def test_coarse_features_repeat_by_chance() -> None:
    """A height and a label of a few grades agree in many rows that are no copies."""
    height = RANDOM.integers(0, 3, 200).astype(float)
    assert repeated_rows([height], RANDOM.integers(1, 6, 200).astype(float), EACH) == 0
