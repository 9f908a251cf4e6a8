"""The bootstrap over groups: what it draws, what it computes of a draw, and how often its intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, rankdata
from scipy.stats import t as student_t

from pipeline.evidence.statistics.resampling import (
    MAX_BUNDLES,
    MAX_PAIRED_ROWS,
    Draws,
    corrected_t,
    interval,
    jackknife,
    widened,
)

GROUPS = np.repeat(np.arange(12), 3)
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=36).round(1)
Y = (X + RANDOM.normal(size=36)).round(1)
DRAWS = Draws.of_groups(GROUPS, 40)


def repeated(draw: int, values: np.ndarray) -> np.ndarray:
    """The rows of a draw, written out."""
    return np.repeat(values, DRAWS.weights[draw, DRAWS.bundles].astype(int))


def test_a_draw_takes_whole_groups_as_many_as_there_are() -> None:
    """Rows of a group are drawn together; with replacement, so a draw repeats some and leaves others out."""
    assert len({(group, bundle) for group, bundle in zip(GROUPS, DRAWS.bundles, strict=True)}) == 12
    assert DRAWS.weights.shape == (40, 12)
    assert set(DRAWS.weights.sum(axis=1)) == {12}
    assert DRAWS.weights.min() == 0
    assert DRAWS.weights.max() > 1


def test_many_groups_are_drawn_in_bundles_of_equal_size() -> None:
    """A million groups take no more memory than a thousand; no bundle holds more groups than another, but for one."""
    groups = np.arange(2500)
    draws = Draws.of_groups(groups, 10)
    assert draws.weights.shape == (10, MAX_BUNDLES)
    assert set(np.bincount(draws.bundles)) == {2, 3}


@pytest.mark.parametrize("draw", range(5))
def test_a_figure_of_a_draw_is_that_of_its_rows_written_out(draw: int) -> None:
    """Weighted sums give what the rows give when each stands as often as it was drawn; ties included."""
    x, y = repeated(draw, X), repeated(draw, Y)
    assert DRAWS.pearson(X, Y)[draw] == pytest.approx(pearsonr(x, y).statistic)
    assert DRAWS.rmse(X, Y)[draw] == pytest.approx(np.sqrt(((x - y) ** 2).mean()))


@pytest.mark.parametrize("draw", range(5))
def test_kendall_counts_no_pairs_across_copies_of_a_content(draw: int) -> None:
    """A pair is of two contents, or of one copy of a content; rows of two copies would be alike as no contents are."""
    drawn = np.repeat(np.arange(12), DRAWS.weights[draw].astype(int))
    content = dict(zip(DRAWS.bundles, GROUPS, strict=True))
    rows = np.concatenate([np.flatnonzero(content[each] == GROUPS) for each in drawn])
    copy, of_content = np.repeat(np.arange(drawn.size), 3), GROUPS[rows]
    pairs = (copy[:, None] == copy) | (of_content[:, None] != of_content)
    signs = [np.sign(np.subtract.outer(values[rows], values[rows])) * pairs for values in (X, Y)]
    expected = (signs[0] * signs[1]).sum() / np.sqrt((signs[0] ** 2).sum() * (signs[1] ** 2).sum())
    assert DRAWS.kendall(X, Y)[draw] == pytest.approx(expected)


def test_kendall_of_rows_that_are_contents_is_that_of_its_rows_written_out() -> None:
    """Copies of one row are no pair, as they are ties to SciPy."""
    draws = Draws.of_groups(np.arange(36), 5)
    for draw in range(5):
        rows = np.repeat(np.arange(36), draws.weights[draw, draws.bundles].astype(int))
        assert draws.kendall(X, Y)[draw] == pytest.approx(kendalltau(X[rows], Y[rows]).statistic)


def test_draws_of_spearman_vary_as_if_each_were_ranked_again() -> None:
    """Ranks that stay those of the table would vary less: their intervals would be too narrow."""
    random = np.random.default_rng(4)
    x = random.normal(size=400)
    y = (x + 0.5 * random.normal(size=400)).round(1)
    draws = Draws.of_groups(np.arange(400), 1000)
    rows = [np.repeat(np.arange(400), each[draws.bundles].astype(int)) for each in draws.weights]
    again = np.array([pearsonr(rankdata(x[each]), rankdata(y[each])).statistic for each in rows])
    fixed = draws.pearson(rankdata(x), rankdata(y))
    drawn = draws.spearman(x, y)
    assert drawn.std() == pytest.approx(again.std(), rel=0.04)
    assert drawn.mean() == pytest.approx(again.mean(), abs=0.005)
    assert fixed.std() < 0.97 * drawn.std()


def test_some_rows_have_the_draws_of_their_groups() -> None:
    """Figures of different rows are from the same draws, so that they can be compared draw by draw."""
    rows = np.arange(36) % 2 == 0
    kept = [np.repeat(rows, DRAWS.weights[draw, DRAWS.bundles].astype(int)) for draw in range(40)]
    expected = [
        pearsonr(repeated(draw, X)[kept[draw]], repeated(draw, Y)[kept[draw]]).statistic for draw in (0, 39)
    ]
    assert DRAWS.of_rows(rows).pearson(X[rows], Y[rows])[[0, 39]] == pytest.approx(expected)
    assert DRAWS.of_rows(np.flatnonzero(rows)).bundles.tolist() == DRAWS.of_rows(rows).bundles.tolist()


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows that are shuffled with their groups give the figures that they gave before."""
    order = np.random.default_rng(0).permutation(36)
    shuffled = DRAWS.of_rows(order)
    for name in ("pearson", "spearman", "kendall", "rmse"):
        before, after = getattr(DRAWS, name)(X, Y), getattr(shuffled, name)(X[order], Y[order])
        assert after == pytest.approx(before)


def test_what_a_draw_does_not_define_is_not_a_number() -> None:
    """Draws whose values are all equal have no correlation, however sums are rounded; no warning comes of it."""
    x = np.zeros(36)
    x[:3] = 0.1  # varies in draws that hold the first group
    found = DRAWS.weights[:, DRAWS.bundles[0]] > 0
    assert 0 < found.sum() < 40
    for values in (DRAWS.pearson(x, Y), DRAWS.kendall(x, Y)):
        assert (~np.isnan(values)).tolist() == found.tolist()
    for name in ("pearson", "spearman", "kendall"):
        assert np.isnan(getattr(DRAWS, name)(np.ones(36), Y)).all()


def test_an_interval_is_of_the_draws_that_define_the_figure() -> None:
    """Its ends are percentiles; null, where no draw defines it."""
    values = np.append(np.arange(101.0), [np.nan] * 9)
    assert interval(values, 0.9) == pytest.approx([5, 95])
    assert interval(np.full(5, np.nan)) == [None, None]


def test_the_jackknife_is_of_one_group_left_out() -> None:
    """Each draw lacks one group; of a mean, the interval is Student's of the group means."""
    left_out = Draws.leaving_out(GROUPS)
    assert left_out.weights.sum(axis=1).tolist() == [11] * 12
    means = Y.reshape(12, 3).mean(axis=1)
    values = left_out.sums(Y) / left_out.sums(np.ones(36))
    expected = student_t.interval(0.9, 11, means.mean(), means.std(ddof=1) / np.sqrt(12))
    assert jackknife(values, float(Y.mean()), 0.9) == pytest.approx(list(expected))
    assert jackknife(np.array([0.5]), 0.5) == jackknife(values, np.nan) == [None, None]


def test_kendall_of_many_rows_is_taken_from_some_of_them() -> None:
    """Above the limit the pairs of a random part stand for all, whose number grows with the square of rows."""
    rows = 3 * MAX_PAIRED_ROWS
    x = np.random.default_rng(1).normal(size=rows)
    y = x + np.random.default_rng(2).normal(size=rows)
    draws = Draws.of_groups(np.arange(rows), 20)
    truth = kendalltau(x, y).statistic
    assert draws.kendall(x, y) == pytest.approx(np.full(20, truth), abs=0.06)
    assert draws.kendall(x, y).mean() == pytest.approx(truth, abs=0.02)


def coverage(by_rows: bool) -> float:
    """How often 95 % intervals hold the correlation of a population, of 200 samples with 40 groups of 5 rows."""
    truth, held = 0.5, 0
    groups = np.repeat(np.arange(40), 5)
    for seed in range(200):
        random = np.random.default_rng([11, seed])
        # Rows of a group share nearly all that they are.
        pairs = random.multivariate_normal([0, 0], [[1, truth], [truth, 1]], size=40)[groups]
        x, y = (pairs + 0.1 * random.normal(size=(200, 2))).T
        drawn = Draws.of_groups(np.arange(200) if by_rows else groups, 300, seed).pearson(x, y)
        low, high = interval(drawn)
        assert low is not None
        assert high is not None
        held += low <= truth / 1.01 <= high
    return held / 200


def test_intervals_over_groups_hold_the_truth_as_often_as_they_say() -> None:
    """Of 95 % intervals about 95 in 100 hold it; drawn row by row, far fewer do, which is why groups are drawn."""
    assert 0.90 <= coverage(by_rows=False) <= 0.98
    assert coverage(by_rows=True) < 0.75


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
