"""Work that is spread over threads, with results that do not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

MIN_THREADED_ROWS = 500
"""Tables of fewer rows are worked on in one thread: two would wait for each other more than they save."""

_Item = TypeVar("_Item")
_First = TypeVar("_First")
_Second = TypeVar("_Second")
_Found = TypeVar("_Found")


def in_order(function: Callable[[_Item], _Found], items: Sequence[_Item], workers: int) -> Iterator[_Found]:
    """The function's result for each item, in order, computed by `workers` threads.

    Libraries use one thread each: with more, sums differ in the last bits, and a busy machine takes minutes.
    """
    with threadpool_limits(1):
        if workers == 1:
            yield from map(function, items)
            return
        pool = ThreadPoolExecutor(workers, initializer=lambda: threadpool_limits(1))
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(cancel_futures=True)


def beside(
    first: Callable[[], _First], second: Callable[[], _Second], workers: int
) -> tuple[_First, _Second]:
    """The results of two calls, which are made beside each other if there is more than one worker."""
    with threadpool_limits(1):
        if workers == 1:
            return first(), second()
        with ThreadPoolExecutor(1, initializer=lambda: threadpool_limits(1)) as pool:
            begun = pool.submit(first)
            found = second()
            return begun.result(), found
