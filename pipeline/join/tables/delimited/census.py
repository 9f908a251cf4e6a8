"""Columns of text cells as typed columns: which of them hold plain numbers, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ....errors import MAX_FAULTS_SHOWN, count, show
from ....storage.dialect import has_decimal_comma
from .numbers import LARGE, Numbers, words_for_none

_INTEGER = r"\A(?:0|-?[1-9][0-9]*)\z"
_LONG = r"\A-?[0-9]{16,}"  # may be above 2^53, where a float no longer holds every integer
_COMMA_NUMBER = r"\A-?[0-9]*,[0-9]+\z"


def _number(mark: str) -> str:
    """A plain number with this decimal mark.

    An exponent only with its sign, as programs print it: `33e3` is a clip's id, not a number.
    """
    return rf"\A-?(?:(?:0|[1-9][0-9]*)(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-][0-9]+)?\z"


_NUMBER = {".": _number(r"\."), ",": _number(",")}


Cells: TypeAlias = pa.Array | Numbers
"""Cells of one column: texts (string, no nulls), or the numbers that they are."""


@dataclass(frozen=True)
class CellType:
    """How the cells of one column are typed.

    Attributes:
        type: string, or int64, uint64 or float64.
        words: whether a word for none is among the numbers, beside empty cells.
        decimal: the decimal mark of its numbers.
    """

    type: pa.DataType
    words: bool
    decimal: str

    def typed(self, cells: pa.Array) -> pa.Array:
        """Cells (string) as values of the type; a word for none is null."""
        if self.type == pa.string():
            return cells
        none = pc.is_in(cells, words_for_none()) if self.words else pc.equal(cells, "")
        numbers = self.with_point(cells)
        if none.true_count:
            numbers = pc.if_else(none, pa.scalar(None, pa.string()), numbers)
        return numbers.cast(self.type)

    def typed_cells(self, cells: Cells) -> pa.Array | None:
        """As `typed`; None: cells that were read as numbers do not tell their text."""
        if not isinstance(cells, Numbers):
            return self.typed(cells)
        if self.type == pa.string():
            return cells.texts()
        return cells.values if cells.values.type == self.type else cells.values.cast(self.type)

    def with_point(self, cells: pa.Array) -> pa.Array:
        """Cells (string) whose numbers have a decimal point."""
        comma = self.decimal == "," and self.type == pa.float64()
        return pc.replace_substring(cells, ",", ".") if comma else cells


class ColumnCensus:
    """What the cells of one column have in common, as far as they were read."""

    def __init__(self, decimal: str) -> None:
        self._decimal = decimal
        self._rows = 0
        self._numbers = 0
        self._words = False
        self._others = 0
        self._commas = 0
        self._first_other = _NOWHERE
        self._first_long = _NOWHERE
        self._kinds = [pa.int64(), pa.uint64(), pa.float64()]

    def look_at(self, cells: Cells) -> None:
        """Take the next cells of the column into account.

        If most cells of the column so far are text, further cells are skipped to save time.
        """
        if self._excess > 0:
            return
        if isinstance(cells, Numbers):
            self._look_at_numbers(cells)
        else:
            self._look_at_texts(cells)
        self._rows += len(cells)

    def _look_at_numbers(self, cells: Numbers) -> None:
        if cells.found and not self._others:
            self._kinds = [
                kind
                for kind in self._kinds
                if kind == pa.float64() or (cells.are_integers and _holds(kind, cells.values))
            ]
        self._words = self._words or cells.words
        self._numbers += cells.found

    def _look_at_texts(self, cells: pa.Array) -> None:
        empty = pc.equal(cells, "")
        numbers, integers = self._matches(cells, empty)
        found = numbers.true_count
        if found + empty.true_count < len(cells):
            self._look_at_others(cells, pc.invert(pc.or_(numbers, empty)))
        if found and not self._others:
            self._narrow(cells, numbers, integers)
        self._numbers += found

    @property
    def type(self) -> CellType:
        """The narrowest type that holds all numbers exactly; string if another cell is there, or no number."""
        numeric = self._numbers and not self._others and self._kinds
        return CellType(self._kinds[0] if numeric else pa.string(), self._words, self._decimal)

    def note(self, column: str) -> str | None:
        """Why the column is text although most of its cells are numbers; None: it is not so."""
        if self.type.type != pa.string() or self._excess >= 0:
            return None
        first, why = self._first_other, f"{count(self._numbers, 'other cell')} would be a number"
        if not self._others:
            first, why = self._first_long, "no type of number holds it exactly beside the others"
        elif self._commas > self._numbers:
            why = "set decimal to , if that is a number"
        return f"column {show(column)} stays text: row {first.row} holds {show(first.text)}; {why}"

    @property
    def _excess(self) -> int:
        """How many more cells are surely text than may be numbers."""
        return self._others - self._commas - (self._numbers + self._commas)

    def _matches(self, cells: pa.Array, empty: pa.Array) -> tuple[pa.Array, bool]:
        """Which cells are plain numbers (bool), and whether these are all integers."""
        whole = 0
        if pa.int64() in self._kinds or pa.uint64() in self._kinds:
            integers = pc.match_substring_regex(cells, _INTEGER)
            whole = integers.true_count
            if whole + empty.true_count == len(cells):
                return integers, True
        numbers = pc.match_substring_regex(cells, _NUMBER[self._decimal])
        return numbers, whole == numbers.true_count

    def _look_at_others(self, cells: pa.Array, others: pa.Array) -> None:
        """Count the cells that are neither numbers nor words for none, of which `others` (bool) are left."""
        words = pc.and_(others, pc.is_in(cells, words_for_none()))
        self._words = self._words or words.true_count > 0
        others = pc.and_not(others, words)
        if not others.true_count:
            return
        if not self._others:
            self._first_other = self._first(cells, others)
        self._others += others.true_count
        if self._decimal == "." and has_decimal_comma(self._first_other.text):
            self._commas += pc.match_substring_regex(cells, _COMMA_NUMBER).true_count

    def _narrow(self, cells: pa.Array, numbers: pa.Array, integers: bool) -> None:
        """Keep the types that hold the numbers as well."""
        values = cells if numbers.true_count == len(cells) else cells.filter(numbers)
        if pa.float64() in self._kinds and (index := self._beyond_float(values)) is not None:
            self._kinds.remove(pa.float64())
            row = pc.indices_nonzero(numbers)[index].as_py()
            self._first_long = _Cell(self._rows + row + 1, values[index].as_py())
        self._kinds = [
            kind for kind in self._kinds if kind == pa.float64() or (integers and _holds(kind, values))
        ]

    def _beyond_float(self, values: pa.Array) -> int | None:
        """Where the first number is of which a float may not hold the integer part."""
        floats = (
            CellType(pa.float64(), words=False, decimal=self._decimal).with_point(values).cast(pa.float64())
        )
        if pc.max(pc.abs(floats)).as_py() < LARGE:
            return None
        beyond = pc.or_(pc.match_substring_regex(values, _LONG), pc.is_inf(floats))
        return pc.index(beyond, True).as_py() if beyond.true_count else None

    def _first(self, cells: pa.Array, marked: pa.Array) -> _Cell:
        index = pc.index(marked, True).as_py()
        return _Cell(self._rows + index + 1, cells[index].as_py())


@dataclass(frozen=True)
class TableCensus:
    """The types of all columns of a table of text cells.

    Attributes:
        types: by name, in order.
        notes: why columns stay text although most of their cells are numbers; the first ten.
    """

    types: dict[str, CellType]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, found: Mapping[str, ColumnCensus | None], decimal: str) -> TableCensus:
        """The census of columns by name, in order; those without one are text."""
        text = CellType(pa.string(), words=False, decimal=decimal)
        types = {name: text if census is None else census.type for name, census in found.items()}
        censuses = [(name, census) for name, census in found.items() if census is not None]
        notes = [note for name, census in censuses if (note := census.note(name)) is not None]
        if len(notes) > MAX_FAULTS_SHOWN:
            notes[MAX_FAULTS_SHOWN:] = [f"{len(notes) - MAX_FAULTS_SHOWN} more columns stay text like these"]
        return cls(types, tuple(notes))

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        return pa.schema([(name, each.type) for name, each in self.types.items()])

    def typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Text cells as typed values."""
        arrays = [each.typed(cells) for each, cells in zip(self.types.values(), batch.columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def typed_cells(self, columns: Sequence[Cells]) -> pa.RecordBatch | None:
        """As `typed`, for cells some of which are numbers already; None: they do not tell the text of a column."""
        arrays = [each.typed_cells(cells) for each, cells in zip(self.types.values(), columns, strict=True)]
        if any(array is None for array in arrays):
            return None
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def with_point(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Text cells whose numbers have a decimal point."""
        arrays = [
            each.with_point(cells) for each, cells in zip(self.types.values(), batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


class _Cell(NamedTuple):
    """A cell with its row, from 1."""

    row: int
    text: str


_NOWHERE = _Cell(0, "")


def _holds(kind: pa.DataType, integers: pa.Array) -> bool:
    try:
        integers.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
