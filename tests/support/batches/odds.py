"""Chances, and choices with odds."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def once_in(draw: st.DrawFn, times: int) -> bool:
    """True once in so many times; shrinks to False."""
    return draw(_chance(times))


def one_of(draw: st.DrawFn, *values: T) -> T:
    """One of the values; shrinks to the first."""
    return values[draw(_index((1,) * len(values)))]


def weighted(draw: st.DrawFn, odds: Mapping[T, int]) -> T:
    """One of the values, each as often as its weight says."""
    return list(odds)[draw(_index(tuple(odds.values())))]


def some_of(draw: st.DrawFn, values: Sequence[T]) -> list[T]:
    """Most of the values, at least one, in any order."""
    chosen = draw(st.permutations(values))
    left_out = weighted(draw, {0: 5, 1: 2, 2: 1})
    return list(chosen[: max(1, len(chosen) - left_out)])


# A strategy that is made again for each draw takes most of a batch's time.
@functools.cache
def _chance(times: int) -> st.SearchStrategy[bool]:
    return st.sampled_from([False] * (times - 1) + [True])


@functools.cache
def _index(weights: tuple[int, ...]) -> st.SearchStrategy[int]:
    return st.sampled_from([index for index, weight in enumerate(weights) for _ in range(weight)])
