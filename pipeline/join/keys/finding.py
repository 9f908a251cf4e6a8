"""Where keys are among others: as pyarrow's `index_in` says, in a third of its time where there are many.

Hashes of 64 bits are looked up in tables of positions, and what is found is compared by its text. `index_in` decides
where that cannot: two keys have one hash, as they are the same or by coincidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .hashes import MULTIPLIER, Hashes, hashes

MIN_HASHED = 1 << 15
"""Fewer keys are found by `index_in` alone, which is as fast."""

_MAX_MEAN_BYTES, _MAX_BYTES = 64, 1024  # longer keys take as long to hash as `index_in` takes
_MAX_TABLES = 32
_MULTIPLIERS = np.arange(1, 2 * _MAX_TABLES, 2, dtype=np.uint64) * MULTIPLIER  # odd


@dataclass(frozen=True)
class Wanted:
    """Keys that are to be found among others, perhaps among those of several scorers.

    Attributes:
        keys: the comparable keys (string), null for what can match nothing.
        hashes: the hash of each, 0 for null; None: they are found by `index_in`.
    """

    keys: pa.Array
    hashes: Hashes | None

    @classmethod
    def of(cls, keys: pa.Array) -> Wanted:
        """The keys with their hashes, if that is faster."""
        if not _pays_to_hash(keys):
            return cls(keys, None)
        if not keys.null_count:
            return cls(keys, hashes(keys))
        found = np.zeros(len(keys), np.uint64)
        found[keys.is_valid().to_numpy(zero_copy_only=False)] = hashes(keys.drop_null())
        return cls(keys, found)


def find(wanted: Wanted, keys: pa.Array) -> pa.Array:
    """The position of each wanted key among `keys` (int32), null if it is null or not among them.

    :param keys: comparable keys (string), none null. Of a key that is there twice the first is found.
    """
    found = None
    if wanted.hashes is not None and _pays_to_hash(keys):
        found = _by_hash(wanted.keys, wanted.hashes, keys)
    return pc.index_in(wanted.keys, keys, skip_nulls=True) if found is None else found


def _pays_to_hash(keys: pa.Array) -> bool:
    if len(keys) < MIN_HASHED or keys.nbytes > _MAX_MEAN_BYTES * len(keys):
        return False
    longest = pc.max(pc.binary_length(keys)).as_py() or 0
    return bool(longest <= _MAX_BYTES)


def _by_hash(wanted: pa.Array, looked: Hashes, keys: pa.Array) -> pa.Array | None:
    """As `find`; None: two keys have the same hash."""
    of_keys = hashes(keys)
    tables = _tables(of_keys)
    if tables is None:
        return None
    positions = _looked_up(looked, of_keys, tables)
    if wanted.null_count:
        positions[wanted.is_null().to_numpy(zero_copy_only=False)] = -1
    found = pa.array(positions, mask=positions < 0)
    # Lengths come first: a longer key is not copied for every row that has its hash by coincidence.
    is_same_length = pc.equal(pc.binary_length(keys).take(found), pc.binary_length(wanted))
    if not pc.all(is_same_length).as_py():
        return None
    return found if pc.all(pc.equal(keys.take(found), wanted)).as_py() else None


def _tables(of_keys: Hashes) -> list[NDArray[np.int32]] | None:
    """Tables of the positions of all keys; None: two keys have the same hash.

    Each table has two to four slots for each of its keys. Of keys that meet in a slot the last stays. The others go on to
    the next table, where they meet others.
    """
    tables: list[NDArray[np.int32]] = []
    left = np.arange(len(of_keys), dtype=np.int32)
    while len(left):
        if len(tables) == _MAX_TABLES:
            return None
        bits = (2 * len(left)).bit_length()
        slots = _slots(of_keys[left], len(tables), bits)
        table = np.full(1 << bits, -1, np.int32)
        table[slots] = left
        tables.append(table)
        stayed = table[slots]
        moved = stayed != left
        if (of_keys[stayed[moved]] == of_keys[left[moved]]).any():
            return None
        left = left[moved]
    return tables


def _looked_up(looked: Hashes, of_keys: Hashes, tables: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """The position of the key with each hash; -1: none has it."""
    positions = np.full(len(looked), -1, np.int32)
    left = np.arange(len(looked), dtype=np.int32)
    for number, table in enumerate(tables):
        at = table[_slots(looked, number, len(table).bit_length() - 1)]
        has = (of_keys[at] == looked) & (at >= 0)
        positions[left[has]] = at[has]
        # A slot that is empty has never had a key, so no later table has one either.
        goes_on = ~has & (at >= 0)
        left, looked = left[goes_on], looked[goes_on]
    return positions


def _slots(hashed: Hashes, number: int, bits: int) -> NDArray[np.int64]:
    """The slot of each hash in the table of that number, which has 2 to the power of `bits` slots."""
    slots: Hashes = (hashed * _MULTIPLIERS[number]) >> np.uint64(64 - bits)
    return slots.astype(np.int64)
