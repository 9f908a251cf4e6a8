"""The first reading of a delimited table: which columns hold numbers, and its rows, as long as they are few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from ..base import MAX_HELD_BYTES, MAX_HELD_ROWS_BYTES
from .census import Cells, ColumnCensus, TableCensus
from .numbers import numbers_among

Piece: TypeAlias = list[Cells]
"""The cells of some rows, by column."""


@dataclass(frozen=True)
class FirstReading:
    """What the first reading of a table found.

    Attributes:
        census: the types of its columns.
        rows: number of rows.
        keys: the texts of the columns of the key, some rows at a time; None: they are too large to be held.
        held: the typed rows; None: they are too large, or the text of a column is not held.
    """

    census: TableCensus
    rows: int
    keys: list[list[pa.Array]] | None
    held: list[pa.RecordBatch] | None


@dataclass(frozen=True)
class Reader:
    """Reads the cells of a table as numbers where they are.

    Attributes:
        columns: the names of the columns.
        keys: those of the key, which stay text.
        decimal: the decimal mark.
    """

    columns: Sequence[str]
    keys: Sequence[str]
    decimal: str

    def piece(self, batch: pa.RecordBatch) -> Piece:
        """Text cells, as the numbers that they are."""
        cells: Piece = batch.columns
        others = [position for position, name in enumerate(self.columns) if name not in self.keys]
        read = numbers_among([cells[position] for position in others], self.decimal)
        for position, found in zip(others, read, strict=True):
            cells[position] = found
        return cells

    def read(self, pieces: Iterator[Piece]) -> FirstReading:
        """Read all rows."""
        found = {name: None if name in self.keys else ColumnCensus(self.decimal) for name in self.columns}
        keys, held, rows = _Holding(MAX_HELD_BYTES), _Holding(MAX_HELD_ROWS_BYTES), 0
        positions = [self.columns.index(name) for name in self.keys]
        for piece in pieces:
            for census, cells in zip(found.values(), piece, strict=True):
                if census is not None:
                    census.look_at(cells)
            keys.add([piece[position] for position in positions])
            held.add(piece)
            rows += len(piece[0])
        types = TableCensus.of(found, self.decimal)
        return FirstReading(types, rows, keys.pieces, _typed(types, held.pieces))


class _Holding:
    """Pieces, as long as they are small.

    Attributes:
        pieces: the pieces; None: they are too large.
    """

    def __init__(self, limit: int) -> None:
        self.pieces: list[Piece] | None = []
        self._left = limit

    def add(self, piece: Piece) -> None:
        """Hold the next piece too."""
        self._left -= sum(cells.nbytes for cells in piece)
        if self._left < 0:
            self.pieces = None
        if self.pieces is not None:
            self.pieces.append(piece)


def _typed(census: TableCensus, pieces: list[Piece] | None) -> list[pa.RecordBatch] | None:
    typed = []
    for piece in pieces or []:
        batch = census.typed_cells(piece)
        if batch is None:
            return None
        typed.append(batch)
    return None if pieces is None else typed
