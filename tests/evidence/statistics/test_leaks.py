"""Columns that are the label are found, in all rows or in some, through any curve; honest ones are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.evidence.statistics.leaks import leak_reason
from pipeline.evidence.table import Floats

RANDOM = np.random.default_rng(5)
LABEL = RANDOM.normal(3, 0.6, 1000).clip(1, 5).round(2)
EACH = np.arange(1000)
CURVES: dict[str, Callable[[Floats], Any]] = {
    "the label": lambda label: label,
    "negated": lambda label: -label,
    "rounded": lambda label: np.round(label, 1),
    "another unit": lambda label: 25 * (label - 1),
    "a curve": lambda label: label * label * label,
}


def scorer(agreement: float, seed: int = 0, label: Floats = LABEL) -> Floats:
    """Scores with this correlation with the label, on its scale."""
    noise = np.random.default_rng([6, seed]).normal(size=label.size)
    scores: Floats = 3 + 0.6 * (agreement * (label - 3) / 0.6 + np.sqrt(1 - agreement**2) * noise)
    return scores


@pytest.mark.parametrize("curve", CURVES)
def test_the_label_is_found_through_any_curve(curve: str) -> None:
    """In all rows, in 95 %, and in 60 %; the others hold an honest score."""
    leaked = CURVES[curve](LABEL)
    for share in (1.0, 0.95, 0.6):
        if curve == "rounded" and share < 0.95:
            continue  # ties hide which rows are neighbours
        others = np.random.default_rng(7).random(LABEL.size) >= share
        values = np.where(others, CURVES[curve](scorer(0.7)), leaked)
        assert leak_reason(values, LABEL, EACH) is not None, share


@pytest.mark.parametrize("share", [0.95, 0.8, 0.6, 0.4])
def test_a_leak_in_a_part_of_the_rows_is_found(share: float) -> None:
    """Where the other rows hold scores of another scale, or noise."""
    leaked = np.random.default_rng(8).random(LABEL.size) < share
    for others in (scorer(0.7), RANDOM.normal(size=LABEL.size), 50 * RANDOM.random(LABEL.size)):
        assert leak_reason(np.where(leaked, LABEL, others), LABEL, EACH) is not None


def test_a_leak_in_one_corpus_of_two_is_found() -> None:
    """Half of the rows hold the label, in their own order."""
    values = np.where(np.arange(LABEL.size) < 500, LABEL, scorer(0.6))
    assert leak_reason(values, LABEL, EACH) is not None


@pytest.mark.parametrize("agreement", [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98])
@pytest.mark.parametrize("rows", [100, 200, 1000])
def test_honest_scores_are_none(rows: int, agreement: float) -> None:
    """However well a scorer predicts labels: its errors are spread smoothly."""
    for seed in range(3):
        assert leak_reason(scorer(agreement, seed, LABEL[:rows]), LABEL[:rows], EACH[:rows]) is None


def test_coarse_columns_and_labels_are_none() -> None:
    """A height with four values, labels of five grades, rows in the order of their labels: equal values say nothing."""
    label = np.sort(LABEL)
    height = np.searchsorted([2.6, 3.0, 3.4], label + RANDOM.normal(0, 0.5, label.size)).astype(float)
    assert leak_reason(height, label, EACH) is None
    assert leak_reason(scorer(0.8), LABEL.round(), EACH) is None


def test_rows_of_one_content_are_no_evidence_of_a_leak() -> None:
    """Frames of a clip share its label and nearly its score; only rows of other contents count."""
    content = np.repeat(np.arange(200), 10)
    label = np.repeat(RANDOM.normal(3, 0.6, 200), 10)
    values = np.repeat(scorer(0.7, 0, label[::10]), 10) + 0.001 * RANDOM.normal(size=2000)
    assert leak_reason(values, label, content) is None
    assert leak_reason(values, label) is None  # nothing is known of contents


def test_few_rows_and_constants_are_none() -> None:
    """Few rows agree by chance; a constant says nothing; gaps are left out."""
    assert leak_reason(LABEL[:7], LABEL[:7]) is None
    assert leak_reason(np.ones(1000), LABEL) is None
    assert leak_reason(LABEL, np.ones(1000)) is None
    gaps = np.where(np.arange(1000) < 990, np.nan, LABEL)
    assert leak_reason(gaps, LABEL) is not None
