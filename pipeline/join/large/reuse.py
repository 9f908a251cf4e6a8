"""Which scores rows have, counted piece by piece: those that no row has, and those that several rows have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..columns import Scorer
from ..coverage.sharing import Sharing, sharing_of
from ..keys import KeyRule
from .index import KeyIndex, Rows

Pieces = Iterable[tuple[pa.Array, Rows]]
"""The feature keys as they came (string), some at a time, with the position of each row's score; -1: it has none."""


_SHARED = pa.schema([("at", pa.int64()), ("key", pa.string()), ("rows", pa.int64())])


@dataclass(frozen=True)
class Reuse:
    """How often the scores of a scorer are used.

    Attributes:
        used: bool per score, whether a row has it.
        several: bool per score, whether several rows have it.
    """

    used: NDArray[np.bool_]
    several: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: int, positions: Iterable[Rows]) -> Reuse:
        """Count the scores at these positions, some rows at a time."""
        used, several = np.zeros(scores, np.bool_), np.zeros(scores, np.bool_)
        for some in positions:
            found, times = np.unique(some[some >= 0], return_counts=True)
            several[found[(times > 1) | used[found]]] = True
            used[found] = True
        return cls(used, several)

    def sharing(self, rule: KeyRule, pieces: Pieces, scores: Callable[[], pa.Array]) -> Sharing:
        """How rows of different keys share scores, see `sharing.find_sharing`."""
        if rule.mode == "raw" or not self.several.any():
            return Sharing()
        distinct = pa.concat_tables([_SHARED.empty_table(), *self._shared(pieces)])
        where, rows = (distinct[name].to_numpy() for name in ("at", "rows"))
        return sharing_of(rule, where, distinct["key"].combine_chunks(), rows, scores)

    def _shared(self, pieces: Pieces) -> Iterator[pa.Table]:
        """The distinct keys of the rows that share a score, with their number of rows; a clip's frames are one."""
        for keys, at in pieces:
            rows = np.flatnonzero((at >= 0) & self.several[at])
            if len(rows):
                table = pa.table({"at": at[rows].astype(np.int64), "key": keys.take(pa.array(rows))})
                counted = table.group_by(["at", "key"], use_threads=False).aggregate([([], "count_all")])
                yield pa.table([counted["at"], counted["key"], counted["count_all"]], schema=_SHARED)

    def case_rows(self, scorer: Scorer, pieces: Iterable[tuple[pa.Array, Rows]]) -> int:
        """Rows without a score whose key differs from that of an unused score only in letter case.

        :param pieces: as `Pieces`, but with the comparable keys.
        """
        if self.used.all():
            return 0
        spare = KeyIndex.of(scorer.keys, ~self.used, pc.utf8_lower)
        return sum(int((spare.find(keys.filter(pa.array(at < 0))) >= 0).sum()) for keys, at in pieces)
