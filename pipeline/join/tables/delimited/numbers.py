"""Text cells that are plain numbers, read at once; a plain number is what `census` takes for one.

A column that a program wrote mostly is all numbers, and blanks or words for none. Such cells are known by the beginning of
each and by what pyarrow's cast refuses, in a fifth of the time of the pattern of `census`, which is asked for the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....storage.dialect import WORDS_FOR_NONE
from ..spans import MINUS, POINT, ZERO, Flags, Spans, are_digits, are_e

LARGE = 1e15
"""The least number of 16 digits: above 2^53 a float no longer holds every integer."""

_CELLS_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class Numbers:
    """Cells of which each is a plain number below `LARGE`, empty, or a word for none.

    Attributes:
        values: int64 if no number has a fraction or an exponent, else float64; null where a cell is no number.
        words: whether a word for none may be among the cells, beside empty ones.
    """

    values: pa.Array
    words: bool

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Their size in memory."""
        return int(self.values.nbytes)

    @property
    def found(self) -> int:
        """How many cells are numbers."""
        return len(self.values) - int(self.values.null_count)

    @property
    def are_integers(self) -> bool:
        """Whether all numbers are integers."""
        return bool(pa.types.is_integer(self.values.type))

    def parts(self, count: int) -> list[Numbers]:
        """The numbers in so many parts of as many cells each; `words` is that of the whole."""
        size = len(self.values) // count
        return [Numbers(self.values.slice(start * size, size), self.words) for start in range(count)]

    def texts(self) -> pa.Array | None:
        """The cells (string); None: the values do not tell them."""
        if self.words or not self.are_integers:
            return None
        return pc.fill_null(self.values.cast(pa.string()), "")


@functools.cache
def words_for_none() -> pa.Array:
    """The words for none. No array is made on import: pyarrow imports pandas for its first one."""
    return pa.array(WORDS_FOR_NONE, pa.string())


def numbers_among(columns: Sequence[pa.Array], decimal: str) -> list[pa.Array | Numbers]:
    """The cells of columns (string, no nulls) as the numbers that they are; other columns stay as they are.

    Of few rows many columns are read at once, as each call takes as long as a thousand cells.
    """
    found: list[pa.Array | Numbers] = [*columns]
    for positions in _together(columns, decimal):
        read = _read_together([columns[position] for position in positions], decimal)
        for position, numbers in zip(positions, read, strict=True):
            if numbers is not None:
                found[position] = numbers
    return found


def _together(columns: Sequence[pa.Array], decimal: str) -> Iterator[Sequence[int]]:
    """The positions of columns in groups: integers by their first cells, fractions by them, and each other by itself."""
    integers, fractions = [], []
    for position, cells in enumerate(columns):
        first = cells[0].as_py() if len(cells) else ""
        if first.isdecimal():
            integers.append(position)
        elif decimal in first:
            fractions.append(position)
        else:
            yield [position]
    size = max(1, _CELLS_AT_ONCE // (len(columns[0]) or 1)) if columns else 1
    for alike in (integers, fractions):
        yield from (alike[start : start + size] for start in range(0, len(alike), size))


def _read_together(columns: list[pa.Array], decimal: str) -> Iterable[Numbers | None]:
    if len(columns) > 1:
        whole = plain_numbers(pa.concat_arrays(columns), decimal)
        if whole is not None and whole.are_integers == columns[0][0].as_py().isdecimal():
            return whole.parts(len(columns))
    return [plain_numbers(cells, decimal) for cells in columns]


def plain_numbers(cells: pa.Array, decimal: str) -> Numbers | None:
    """The cells (string, no nulls) as numbers; None: one may be neither a number below `LARGE` nor a word for none."""
    if decimal != ".":
        if pc.any(pc.match_substring(cells, ".")).as_py():
            return None
        cells = pc.replace_substring(cells, decimal, ".")
    spans = Spans.of(cells)
    is_number = _begin_as_numbers(spans)
    words = False
    if not is_number.all():
        none = _none_among(cells, is_number)
        if none is None:
            return None
        words = none.true_count > pc.equal(cells, "").true_count
        cells = pc.if_else(none, pa.scalar(None, pa.string()), cells)
        spans = Spans.of(cells.drop_null())
    values = _values(cells, spans)
    return None if values is None else Numbers(values, words)


def _none_among(cells: pa.Array, is_number: Flags) -> pa.Array | None:
    """Which cells are empty or words for none (bool); None: others are no numbers either."""
    others = np.flatnonzero(~is_number)
    if cells[int(others[0])].as_py() not in WORDS_FOR_NONE:  # as in most columns of text
        return None
    none = pc.is_in(cells, words_for_none())
    if none.true_count != len(others) or not none.to_numpy(zero_copy_only=False)[others].all():
        return None
    return none


def _values(cells: pa.Array, spans: Spans) -> pa.Array | None:
    """The values of cells (string), null where they are; None: some are not plain numbers, or large.

    :param spans: of the cells that are not null, which begin as numbers.
    """
    text = spans.characters.tobytes()
    has_exponents = b"e" in text or b"E" in text
    are_integers = not has_exponents and b"." not in text
    if not _are_plain(spans, are_integers) or (has_exponents and not _have_signed_exponents(spans)):
        return None
    try:
        values = cells.cast(pa.int64() if are_integers else pa.float64())
    except pa.ArrowInvalid:
        return None
    ends = [end.as_py() for end in pc.min_max(values).values() if end.is_valid]
    return values if all(-LARGE < end < LARGE for end in ends) else None


def _begin_as_numbers(spans: Spans) -> Flags:
    """Which cells begin with a digit, or with a minus or a point that may precede one."""
    first = spans.characters[spans.starts]
    begins = are_digits(first)
    if not begins.all():
        begins |= (first == MINUS) | (first == POINT)
    return begins & (spans.starts < spans.ends)


def _are_plain(spans: Spans, are_integers: bool) -> bool:
    """Whether numbers begin as plain ones: a digit, no zero before one, and of integers no zero with a sign.

    pyarrow's cast refuses blanks, two points, an exponent without digits.
    """
    starts, first = spans.starts, spans.characters[spans.starts]
    is_negative = first == MINUS
    if is_negative.any():
        starts = starts + is_negative
        first = spans.characters[starts]
    is_zero = first == ZERO
    if are_integers and (is_negative & is_zero).any():
        return False
    second = spans.characters[starts + 1]
    begins = are_digits(first) | ((first == POINT) & are_digits(second))
    zeros = is_zero & (second != POINT) & (spans.ends - starts > 1)
    return bool((begins & (starts < spans.ends)).all() and are_e(second[zeros]).all())


def _have_signed_exponents(spans: Spans) -> bool:
    """Whether a sign is behind every `e` and `E`."""
    signs = spans.characters[np.flatnonzero(are_e(spans.characters)) + 1]
    return bool(((signs == MINUS) | (signs == ord("+"))).all())
