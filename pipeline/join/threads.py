"""Threads that read ahead: pyarrow and hashlib release the interpreter lock, so threads run in parallel."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Protocol, Self, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
MAX_THREADS = 4


class Each(Protocol):
    """Calls a function for every item and gives the results in order, as `map` does."""

    def __call__(self, function: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterator[_Result]:
        """The results."""


class ReadAhead:
    """A few threads, for the length of a `with` block.

    Attributes:
        size: how many.
    """

    def __init__(self) -> None:
        self.size = min(MAX_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> Future[_Result]:
        """Submit a call of the function."""
        return self._pool.submit(function, *args, **kwargs)

    def shares(self, items: Sequence[_Item]) -> list[Sequence[_Item]]:
        """The items in order, in a part per thread."""
        size = -(-len(items) // self.size) or 1
        return [items[start : start + size] for start in range(0, len(items), size)]

    def each(self, function: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterator[_Result]:
        """Like `map`, but submits a few items ahead, so that only those are held in memory."""
        remaining = iter(items)
        first = [*itertools.islice(remaining, 2)]
        if len(first) == 1:  # nothing to be ahead of
            yield function(first[0])
            return
        begun: deque[Future[_Result]] = deque()
        for item in itertools.chain(first, remaining):
            begun.append(self.begin(function, item))
            if len(begun) > self.size:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
