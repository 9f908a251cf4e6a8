"""Work that is spread over threads."""

from __future__ import annotations

import pytest

from pipeline.evidence.statistics.threads import in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_their_items(workers: int) -> None:
    """As many threads as one likes give what a loop would give."""
    assert [*in_order(lambda item: item**2, range(50), workers)] == [item**2 for item in range(50)]


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_is_raised_where_its_result_would_be(workers: int) -> None:
    """What was computed before it is given first."""
    found = in_order(lambda item: 6 // item, [1, 2, 0, 3], workers)
    assert [next(found), next(found)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(found)
