"""Pairs that people tell apart, and whether a prediction does so too."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.statistics.ratings import discrimination as module
from pipeline.evidence.statistics.ratings.discrimination import MEASURES, RatedPairs, gains
from pipeline.evidence.table import Floats


def pairs_of(labels: list[float], half: float = 0.5) -> RatedPairs:
    """Pairs of labels, two of which differ if they are more than `half * 1.96 * sqrt(2)` apart."""
    size = len(labels)
    return RatedPairs.of(
        np.array(labels, float), np.full(size, 3 * half), np.full(size, 9.0), np.arange(size)
    )


def measures(pairs: RatedPairs, predictions: list[float]) -> dict[str, float]:
    """The measures of a prediction by name."""
    values = pairs.discrimination(np.array(predictions, float)).values
    return dict(zip(MEASURES, values.tolist(), strict=True))


def test_pairs_by_hand() -> None:
    """Labels 1, 1.5, 4, 4.5: two pairs are similar, four differ; the prediction errs in one of the four."""
    pairs = pairs_of([1, 1.5, 4, 4.5])
    assert (pairs.different.size, int(pairs.different.sum())) == (6, 4)
    found = measures(pairs, [0, 3, 2, 4])
    assert found["c0"] == 0.75
    # sizes of different pairs 2, 4, 1, 1; of similar pairs 3, 2: above in 2 of 8, equal in 1
    assert found["auc_different"] == pytest.approx(2.5 / 8)
    # signed 2, 4, -1, 1 against -2, -4, 1, -1: above in 13 of 16, equal in 2
    assert found["auc_better"] == pytest.approx((13 + 1) / 16)


def test_the_labels_themselves_are_perfect() -> None:
    """They differ most in the pairs that differ, and always in the right direction; turned round, never."""
    labels = [1.0, 1.2, 2.9, 3.0, 4.8, 5.0]
    assert measures(pairs_of(labels), labels) == {"auc_different": 1, "auc_better": 1, "c0": 1}
    turned = measures(pairs_of(labels), [-each for each in labels])
    assert turned == {"auc_different": 1, "auc_better": 0, "c0": 0}


def test_a_constant_is_chance() -> None:
    """Every pair is a tie."""
    assert measures(pairs_of([1, 2, 3, 4, 5]), [7] * 5) == {
        "auc_different": 0.5,
        "auc_better": 0.5,
        "c0": 0.5,
    }


def test_without_both_kinds_of_pairs_nothing_is_defined() -> None:
    """Labels that all agree have no different pair: no figure, no interval."""
    found = pairs_of([3, 3.1, 3.2]).discrimination(np.array([1.0, 2, 3]))
    assert np.isnan(found.values).all()
    assert found.intervals() == [[None, None]] * 3


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-3, 3)), min_size=2, max_size=8))
def test_it_counts_like_a_loop(rows: list[tuple[int, int]]) -> None:
    """Each AUC is the share of comparisons in which the right one is larger, ties as halves."""
    labels, predictions = ([float(each) for each in column] for column in zip(*rows, strict=True))
    different, similar, signed = [], [], []
    for a, b in itertools.combinations(range(len(rows)), 2):
        size = predictions[a] - predictions[b]
        if abs(labels[a] - labels[b]) > 0.5 * 1.959964 * 2**0.5:
            different.append(abs(size))
            signed.append(size if labels[a] > labels[b] else -size)
        else:
            similar.append(abs(size))
    found = measures(pairs_of(labels), predictions)
    assert found["auc_different"] == pytest.approx(share_above(different, similar), nan_ok=True)
    assert found["auc_better"] == pytest.approx(share_above(signed, [-each for each in signed]), nan_ok=True)
    assert found["c0"] == pytest.approx(share_above(signed, [0.0]), nan_ok=True)


def share_above(above: list[float], below: list[float]) -> float:
    """The share of pairs in which the first is larger; a tie counts half."""
    found = [(a > b) + (a == b) / 2 for a in above for b in below]
    return float(np.mean(found)) if found else float("nan")


def rated(contents: int, each: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Labels, a prediction that is close to them, and one that is not so close; clips of a content are alike."""
    chance = np.random.default_rng(seed)
    labels = np.repeat(chance.normal(3, 1, contents), each) + chance.normal(0, 0.3, contents * each)
    errors = np.repeat(chance.normal(0, 0.4, contents), each)
    return labels, labels + errors, labels + 2 * errors + chance.normal(0, 0.3, labels.size)


def test_the_deviation_is_that_of_the_bootstrap_over_contents() -> None:
    """Intervals, and those of differences, are as wide as drawing contents with all their clips makes them."""
    labels, close, far = rated(80, 2, 0)
    size, codes = labels.size, np.arange(labels.size) // 2
    pairs = RatedPairs.of(labels, np.full(size, 1.0), np.full(size, 20.0), codes)
    first, second = pairs.discrimination(far), pairs.discrimination(close)
    chance = np.random.default_rng(1)
    drawn = []
    for _ in range(200):
        rows = (2 * chance.integers(0, 80, 80)[:, None] + np.arange(2)).ravel()
        # copies of a row are new clips here; pairs of a row with its copy are few
        again = RatedPairs.of(labels[rows], np.full(size, 1.0), np.full(size, 20.0), codes)
        drawn.append(again.discrimination(close[rows]).values - again.discrimination(far[rows]).values)
    deviation = np.std(drawn, axis=0)
    for at, (name, gain) in enumerate(gains(first, second).items()):
        low, high = gain.interval
        assert name == MEASURES[at]
        assert low is not None
        assert high is not None
        assert (high - low) / 2 / 1.96 == pytest.approx(deviation[at], rel=0.25)
        assert gain.difference == pytest.approx(second.values[at] - first.values[at])


def test_a_better_prediction_is_found_and_an_equal_one_is_not() -> None:
    """The closer prediction gains with a small p; the same prediction gains nothing, and nothing is to be tested."""
    labels, close, far = rated(100, 2, 3)
    pairs = RatedPairs.of(labels, np.full(200, 1.0), np.full(200, 20.0), np.arange(200) // 2)
    better = gains(pairs.discrimination(far), pairs.discrimination(close))
    assert all(
        each.p < 0.01 and each.interval[0] is not None and each.interval[0] > 0 for each in better.values()
    )
    same = gains(pairs.discrimination(close), pairs.discrimination(close))
    assert [each.difference for each in same.values()] == [0, 0, 0]
    assert all(np.isnan(each.p) for each in same.values())


def test_many_rows_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows than the limit, so many are compared, the same in every run."""
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    first, second = (pairs_of([float(each) for each in range(50)]) for _ in range(2))
    assert first.rows.size == 10
    assert first.rows.tolist() == second.rows.tolist()
    assert first.different.size == 45
