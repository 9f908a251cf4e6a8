"""Folds: no content is ever on both sides of a split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.evidence.statistics.folds import inner_split, repeated_folds

GROUPS = st.integers(5, 60).flatmap(
    lambda rows: arrays(np.int64, rows, elements=st.integers(0, 40)).filter(
        lambda codes: len(set(codes)) >= 5
    )
)


@given(GROUPS, st.integers(0, 3))
def test_groups_are_whole_and_each_row_is_tested_once_per_repeat(groups: np.ndarray, seed: int) -> None:
    """Whatever the groups are: training and test rows share none, and together are all rows."""
    folds = repeated_folds(groups, 5, 2, seed)
    assert [fold.repeat for fold in folds] == [0] * 5 + [1] * 5
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert sorted([*fold.train, *fold.test]) == [*range(groups.size)]
    for repeat in range(2):
        tested = [row for fold in folds if fold.repeat == repeat for row in fold.test]
        assert sorted(tested) == [*range(groups.size)]


@given(GROUPS)
def test_the_inner_split_keeps_groups_whole(groups: np.ndarray) -> None:
    """Settings are judged by contents that they were not tried on."""
    train, judged = inner_split(groups, 0.2, 100, 0)
    assert train.size
    assert judged.size
    assert sorted([*train, *judged]) == [*range(groups.size)]
    assert not set(groups[train]) & set(groups[judged])


def test_the_inner_split_holds_about_as_many_rows_as_may_be() -> None:
    """Of many rows whole groups are left out, and a fifth of the others judges."""
    groups = np.repeat(np.arange(1000), 10)
    train, judged = inner_split(groups, 0.2, 2000, 0)
    assert train.size == 1600
    assert judged.size == pytest.approx(400, abs=10)
    assert not set(groups[train]) & set(groups[judged])
    assert set(np.bincount(groups[[*train, *judged]])) == {0, 10}


def test_a_seed_gives_its_folds_again_and_each_repeat_others() -> None:
    """Folds can be made again from the seed; a repeat tells something new."""
    groups = np.arange(50)
    first, again, other = (repeated_folds(groups, 5, 2, seed) for seed in (0, 0, 5))
    tests = [[fold.test.tolist() for fold in folds] for folds in (first, again, other)]
    assert tests[0] == tests[1]
    assert tests[0] != tests[2]
    assert tests[0][0] != tests[0][5]
