"""Chances, and choices with odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def once_in(draw: st.DrawFn, times: int) -> bool:
    """True once in so many times; shrinks to False."""
    return draw(st.sampled_from([False] * (times - 1) + [True]))


def one_of(draw: st.DrawFn, *values: T) -> T:
    """One of the values; shrinks to the first."""
    return draw(st.sampled_from(values))


def weighted(draw: st.DrawFn, odds: Mapping[T, int]) -> T:
    """One of the values, each as often as its weight says."""
    return draw(st.sampled_from([value for value, weight in odds.items() for _ in range(weight)]))


def some_of(draw: st.DrawFn, values: Sequence[T]) -> list[T]:
    """Most of the values, at least one, in any order."""
    chosen = draw(st.permutations(values))
    left_out = weighted(draw, {0: 5, 1: 2, 2: 1})
    return list(chosen[: max(1, len(chosen) - left_out)])
