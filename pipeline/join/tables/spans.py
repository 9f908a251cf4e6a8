"""Where texts of a column begin and end among its characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Characters: TypeAlias = NDArray[np.uint8]
Positions: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MINUS, POINT, ZERO = (np.uint8(each) for each in b"-.0")
_DIGITS = np.uint8(10)
_LOWER_CASE = np.uint8(0x20)
_E = np.uint8(ord("e"))


@dataclass(frozen=True)
class Spans:
    """Where texts are.

    Attributes:
        characters: the characters of all texts, and two more behind them.
        starts: where each text starts among them.
        ends: where it ends.
    """

    characters: Characters
    starts: Positions
    ends: Positions

    @classmethod
    def of(cls, texts: pa.Array) -> Spans:
        """The spans of texts (string, no nulls)."""
        _, offsets, data = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        begin, size = int(bounds[0]), int(bounds[-1] - bounds[0])
        characters = np.zeros(size + 2, np.uint8)
        if size:
            characters[:size] = np.frombuffer(data, np.uint8)[begin : begin + size]
        positions = bounds.astype(np.int64) - begin
        return cls(characters, positions[:-1], positions[1:])


def are_digits(characters: Characters) -> Flags:
    """Which of them are `0` to `9`."""
    return (characters - ZERO) < _DIGITS  # of eight bits, where a difference below 0 is large


def are_e(characters: Characters) -> Flags:
    """Which of them begin an exponent."""
    begin: Flags = (characters | _LOWER_CASE) == _E
    return begin
