"""Hashes of keys: 64 bits each, of whole Arrow columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""An odd number whose bits are those of the golden ratio."""

_PIECE_ROWS = 1 << 16
_WORD = 8
_MAX_UINT16 = (1 << 16) - 1
_SHIFT = np.uint64(32)


def hashes(keys: pa.Array) -> Hashes:
    """A hash of 64 bits for each key; none is null.

    Keys of one length are hashed together, eight bytes at a time.
    """
    found = np.empty(len(keys), np.uint64)
    for start in range(0, len(keys), _PIECE_ROWS):
        piece = keys.slice(start, _PIECE_ROWS)
        data, starts = _bytes(piece)
        lengths = np.diff(starts)
        for rows, length in _by_length(lengths):
            found[start + rows] = _hashed(data, starts[rows], length)
    return found


def _bytes(keys: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all keys, and where each begins, with the end of the last."""
    _, offsets, data = keys.buffers()
    kind = np.int64 if pa.types.is_large_string(keys.type) else np.int32
    width = np.dtype(kind).itemsize
    starts = np.frombuffer(offsets, kind, len(keys) + 1, keys.offset * width).astype(np.int64)
    held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return held, starts


def _by_length(lengths: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], int]]:
    # Numbers of 16 bits are sorted by counting them.
    short = lengths.astype(np.uint16) if lengths.max(initial=0) <= _MAX_UINT16 else lengths
    order = np.argsort(short, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, ends):
        if len(rows):
            yield rows, int(lengths[rows[0]])


def _hashed(data: NDArray[np.uint8], starts: NDArray[np.int64], length: int) -> Hashes:
    found = np.full(len(starts), length, np.uint64)
    words = -(-length // _WORD)
    if not words:
        return found
    padded = np.zeros((len(starts), words * _WORD), np.uint8)
    padded[:, :length] = np.lib.stride_tricks.sliding_window_view(data, length)[starts]
    for word in np.ascontiguousarray(padded.view("<u8").T):
        found ^= word
        found *= MULTIPLIER
        found ^= found >> _SHIFT
    return found
