"""An index of keys: their hashes in order, and the row of each. It takes 12 bytes per key, and no copy of the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..keys.hashes import Hashes, hashes

Rows: TypeAlias = NDArray[np.int32]

_PIECE_ROWS = 1 << 18
_PARTS, _PART_SHIFT = 16, np.uint64(60)


def _as_they_are(keys: pa.Array) -> pa.Array:
    return keys


@dataclass(frozen=True)
class KeyIndex:
    """An index of distinct keys.

    Attributes:
        keys: the keys (string), perhaps mapped from a file.
        hashes: the hashes of the indexed keys, sorted.
        rows: the row of each hash in `keys`.
        spelled: what is done with keys before they are hashed and compared.
    """

    keys: pa.Array
    hashes: Hashes
    rows: Rows
    spelled: Callable[[pa.Array], pa.Array] = _as_they_are

    @classmethod
    def of(
        cls,
        keys: pa.Array,
        only: NDArray[np.bool_] | None = None,
        spelled: Callable[[pa.Array], pa.Array] = _as_they_are,
    ) -> KeyIndex:
        """The index of keys that are not null.

        :param only: which of them; None: all.
        """
        rows = np.arange(len(keys), dtype=np.int32) if only is None else np.flatnonzero(only).astype(np.int32)
        found = np.empty(len(rows), np.uint64)
        for start in range(0, len(rows), _PIECE_ROWS):
            of = rows[start : start + _PIECE_ROWS]
            piece = keys.slice(start, len(of)) if only is None else keys.take(pa.array(of))
            found[start : start + len(of)] = hashes(spelled(piece))
        return cls(keys, *_sorted(found, rows), spelled)

    def find(self, wanted: pa.Array) -> Rows:
        """The row of each wanted key; -1: it is null, or not among the keys.

        Of keys that are there twice either row is found.
        """
        rows = np.full(len(wanted), -1, np.int32)
        present = np.flatnonzero(wanted.is_valid().to_numpy(zero_copy_only=False))
        wanted = self.spelled(wanted.drop_null())
        looked = hashes(wanted)
        turn = np.argsort(looked)  # hashes in order are found many times faster
        at = np.searchsorted(self.hashes, looked[turn])
        while len(turn):
            near = self._with_hash(at, looked[turn])
            turn, at = turn[near], at[near]
            as_stored = np.argsort(self.rows[at])  # a mapped file is read from its beginning to its end
            turn, at = turn[as_stored], at[as_stored]
            same = pc.equal(
                self.spelled(self.keys.take(pa.array(self.rows[at]))), wanted.take(pa.array(turn))
            )
            equal = same.to_numpy(zero_copy_only=False)
            rows[present[turn[equal]]] = self.rows[at[equal]]
            turn, at = turn[~equal], at[~equal] + 1  # another key with that hash
        return rows

    def _with_hash(self, at: NDArray[np.intp], looked: Hashes) -> NDArray[np.bool_]:
        inside = at < len(self.hashes)
        inside[inside] = self.hashes[at[inside]] == looked[inside]
        return inside

    def repeated(self) -> pa.Array:
        """The keys that are there more than once (string)."""
        alike = np.flatnonzero(self.hashes[1:] == self.hashes[:-1])
        rows = np.unique(np.concatenate([self.rows[alike], self.rows[alike + 1]]))
        counted = self.spelled(self.keys.take(pa.array(rows))).value_counts()
        return counted.field("values").filter(pc.greater(counted.field("counts"), 1))


def _sorted(found: Hashes, rows: Rows) -> tuple[Hashes, Rows]:
    """Hashes in order, and the row of each. They are sorted in parts, since the order of all takes as much as they do."""
    part = (found >> _PART_SHIFT).astype(np.uint8)
    hashes, of = np.empty_like(found), np.empty_like(rows)
    end = 0
    for each in range(_PARTS):
        held = np.flatnonzero(part == each)
        held = held[np.argsort(found[held])]
        start, end = end, end + len(held)
        hashes[start:end], of[start:end] = found[held], rows[held]
    return hashes, of
