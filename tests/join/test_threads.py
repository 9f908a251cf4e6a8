"""Threads that work ahead change neither results nor their order."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import CancelledError, Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.join.threads import MAX_THREADS, ReadAhead


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(), max_size=40))
def test_results_come_in_order(items: list[int]) -> None:
    """Whichever thread is done first, results come in the order of the items."""
    with ReadAhead() as ahead:
        assert list(ahead.each(lambda item: item * 2, items)) == [item * 2 for item in items]


def test_only_a_few_items_are_held() -> None:
    """Of a long row of items only a few are taken before their results are asked for."""
    items = itertools.count(1)
    with ReadAhead() as ahead:
        results = ahead.each(lambda item: item, items)
        assert next(results) == 1
        assert next(items) < 10


def test_a_single_item_needs_no_thread() -> None:
    """A file of one block is read where it is asked for."""
    with ReadAhead() as ahead:
        assert list(ahead.each(lambda _item: threading.current_thread(), [1])) == [threading.current_thread()]


def test_error_of_an_item_is_that_of_the_result() -> None:
    """What goes wrong in a thread is told where its result is taken, after the results before it."""

    def halve(item: int) -> int:
        if item % 2:
            raise ValueError(f"{item} is odd")
        return item // 2

    with ReadAhead() as ahead:
        results = ahead.each(halve, [2, 4, 5, 6])
        assert [next(results), next(results)] == [1, 2]
        with pytest.raises(ValueError, match="5 is odd"):
            next(results)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nobody_waits_for_what_will_not_come(error: type[BaseException]) -> None:
    """A call that has not begun when its block ends is cancelled, and whoever waits for its result goes on."""
    begun: list[Future[int]] = []
    known = threading.Event()

    def wait_for_the_last() -> int:
        known.wait()
        return begun[-1].result()

    def leave() -> None:
        with ReadAhead() as ahead:
            begun.extend([ahead.begin(wait_for_the_last) for _ in range(MAX_THREADS)])
            begun.append(ahead.begin(int))
            known.set()
            raise error

    with pytest.raises(error):
        leave()
    with pytest.raises(CancelledError):
        begun[0].result(timeout=0)
