"""Score records in files: columns that grow, and are mapped when they are complete."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...storage.writing import Spill

_MAX_TEXT = (1 << 31) - 1  # bytes of a column of type string
_PIECE_ROWS = 1 << 20


class SpooledTable:
    """A table that grows at its end, in files of a folder: one file per buffer of each column.

    Its types are those that score records have: texts without nulls, numbers and booleans.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._columns = [(field, _column(folder, field.type)) for field in schema]

    def add(self, columns: Iterable[pa.Array]) -> None:
        """Add rows: one array per column.

        :raises OutputError: the disk is full.
        """
        for (_, column), array in zip(self._columns, columns, strict=True):
            column.add(array)
            rows = len(array)
        self.rows += rows

    def table(self) -> pa.Table:
        """All rows, each column in one chunk; a text column of more than 2 GB is a large_string. Nothing may be added later."""
        arrays = {field.name: column.array(self.rows) for field, column in self._columns}
        return pa.table(arrays)


class Numbers:
    """A column of numbers of one type in a file, or of booleans."""

    def __init__(self, folder: Path, kind: pa.DataType) -> None:
        self._kind = kind
        self._values = Spill(folder)
        self._valid = _Bits(folder)

    def add(self, array: pa.Array) -> None:
        """Add values, nulls too."""
        self._valid.add(array.is_valid())
        filled = array.fill_null(False) if pa.types.is_boolean(self._kind) else array.fill_null(0)
        self._values.append(filled.to_numpy(zero_copy_only=False))

    def array(self, rows: int) -> pa.Array:
        """All values."""
        values, valid = pa.py_buffer(self._values.mapped()), self._valid.buffer()
        if pa.types.is_boolean(self._kind):
            values = _packed(np.frombuffer(values, np.uint8))
        nulls = -1 if valid is not None else 0
        return pa.Array.from_buffers(self._kind, rows, [valid, values], nulls)


class _Texts:
    """A column of texts without nulls in files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets, self._text = Spill(folder), Spill(folder)
        self._size = 0
        self._offsets.append(np.zeros(1, np.int64))

    def add(self, array: pa.Array) -> None:
        array = array.fill_null("")  # a fault, which is counted already
        ends = np.cumsum(pc.binary_length(array).to_numpy(), dtype=np.int64)
        if len(ends):
            self._offsets.append(ends + self._size)
            self._size += int(ends[-1])
            _, offsets, data = array.buffers()
            first = np.frombuffer(offsets, np.int32, 1, array.offset * 4)[0]
            if data is not None:
                self._text.append(data.slice(int(first), int(ends[-1])))

    def array(self, rows: int) -> pa.Array:
        offsets, text = pa.py_buffer(self._offsets.mapped()), pa.py_buffer(self._text.mapped())
        if self._size > _MAX_TEXT:
            return pa.Array.from_buffers(pa.large_string(), rows, [None, offsets, text], 0)
        wide, short = np.frombuffer(offsets, np.int64), Spill(self._folder)
        for start in range(0, len(wide), _PIECE_ROWS):
            short.append(wide[start : start + _PIECE_ROWS].astype(np.int32))
        return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(short.mapped()), text], 0)


class _Bits:
    """Booleans in a file, a byte each until they are packed."""

    def __init__(self, folder: Path) -> None:
        self._bytes = Spill(folder)
        self._all = True

    def add(self, values: pa.Array) -> None:
        self._all = self._all and values.false_count == 0
        self._bytes.append(values.to_numpy(zero_copy_only=False).view(np.uint8))

    def buffer(self) -> pa.Buffer | None:
        """Them as a bitmap; None: all are true."""
        return None if self._all else _packed(np.frombuffer(self._bytes.mapped(), np.uint8))


def _packed(values: NDArray[np.uint8]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def _column(folder: Path, kind: pa.DataType) -> Numbers | _Texts:
    return _Texts(folder) if pa.types.is_string(kind) else Numbers(folder, kind)
