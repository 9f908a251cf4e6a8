"""The rows on which two columns differ most."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.statistics.disagreement import extremes, rank_shares


def test_ranks_are_places_between_0_and_1() -> None:
    """The places of n values are the middles of n equal steps; equal values share theirs; nothing has none."""
    assert rank_shares(np.array([30.0, 10.0, 20.0, 20.0])).tolist() == [0.875, 0.125, 0.5, 0.5]
    assert rank_shares(np.array([])).size == 0


@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(1, 12))
def test_all_that_may_be_among_the_largest_are_given(differences: list[int], most: int) -> None:
    """Every row at least as large as the last that fits is given, so ties can be ordered later; a zero never is."""
    found = extremes(np.array(differences, float), most)
    ordered = sorted((abs(each) for each in differences), reverse=True)
    least = ordered[most - 1] if len(ordered) >= most else 0
    assert found.tolist() == [at for at, each in enumerate(differences) if each and abs(each) >= least]
