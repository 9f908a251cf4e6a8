"""Rows of JSON that are spelled alike: the same names in the same order with the same spaces, none of them nested.

Most scorers write such rows. Without backslashes a row has as many quotation marks as the first one, and what is between
its values, a gap, is known by where they are::

    {"path": "a.mp4", "score": 0.5}
    {"path": "                          a gap before a text
             a.mp4                      a value
                  ", "score":           a gap
                              0.5       a value

All gaps must be equal in all rows, and every number must be one to JSON. So there is no second reading of JSON: what
is not known to be alike is left to the JSON reader, and so are lines that end in a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..spans import MINUS, POINT, ZERO, Spans, are_digits, are_e

MIN_LINES = 64
"""Fewer lines are left, since a column takes as long as 60 of its values read one by one."""

_OPENING = re.compile(rb"\{ *")
_FIELD = re.compile(
    rb'"(?P<name>[^"]*)"(?P<before> *: *)(?:"(?P<text>[^"]*)"|-?[0-9][0-9.eE+-]*|null)(?P<after> *, *| *\} *)'
)
_QUOTE = b'"'
_FIRST_PRINTABLE = ord(" ")
# Integers that floats may not hold: their 0 has no sign, and 2^53 has 16 digits.
_UNLIKE_FLOAT = r"\A(?:-0|-?[0-9]{16,})\z"


@dataclass(frozen=True)
class Alike:
    """Rows that are spelled alike.

    Attributes:
        rows: the rows; of each field the numbers are int64 if none has a fraction or an exponent, else float64.
        has_both: whether integers are among the floats of a field.
    """

    rows: pa.RecordBatch
    has_both: bool


class _NotAlike(Exception):
    """The rows are not spelled alike, or not known to be."""


def read_alike(content: bytes, lines: int) -> Alike | None:
    """The rows, exactly as they are spelled; None: they are few, or not known to be spelled alike.

    :param content: so many lines, each of which should be a row.
    """
    if lines < MIN_LINES:
        return None
    try:
        if not content.isascii():
            content.decode("utf-8")
        return _read(content, lines)
    except (_NotAlike, UnicodeDecodeError, pa.ArrowException):
        return None


def _read(content: bytes, lines: int) -> Alike:
    characters = np.frombuffer(content, np.uint8)
    line_feeds = lines - (not content.endswith(b"\n"))
    if b"\\" in content or np.count_nonzero(characters < _FIRST_PRINTABLE) != line_feeds:
        raise _NotAlike  # escapes, or control characters, which JSON forbids in texts
    spelling = _Spelling.of(content)
    segments = _Segments.of(content, characters, lines, spelling)
    segments.check_gaps()
    columns = {at: segments.values([at]) for at, is_text in enumerate(spelling.is_text) if is_text}
    has_both = False
    if others := [at for at, is_text in enumerate(spelling.is_text) if not is_text]:
        numbers, has_both = _numbers(segments.values(others), len(others))
        columns |= zip(others, numbers, strict=True)
    arrays = [columns[at] for at in range(len(columns))]
    return Alike(
        pa.RecordBatch.from_arrays(arrays, names=[name.decode() for name in spelling.names]), has_both
    )


@dataclass(frozen=True)
class _Spelling:
    """How a row is spelled.

    Attributes:
        names: the names of its fields, in order.
        is_text: whether the value of each is a text.
        gaps: what is before each value.
        end: what is behind the last one.
    """

    names: Sequence[bytes]
    is_text: Sequence[bool]
    gaps: Sequence[bytes]
    end: bytes

    @property
    def between(self) -> bytes:
        """What is between the last value of a row and the first one of the next."""
        return self.end + b"\n" + self.gaps[0]

    def end_of(self, content: bytes) -> bytes:
        """What is behind the last value of all rows."""
        return self.end + b"\n" * content.endswith(b"\n")

    @classmethod
    def of(cls, content: bytes) -> _Spelling:
        """The spelling of the first line."""
        line_end = content.find(b"\n")
        first = content if line_end < 0 else content[:line_end]
        opened = _OPENING.match(first)
        if opened is None:
            raise _NotAlike
        names, is_text, gaps, gap, at = [], [], [], opened[0], opened.end()
        while at < len(first):
            found = _FIELD.match(first, at)
            if found is None or (b"}" in found["after"]) != (found.end() == len(first)):
                raise _NotAlike
            quote = b"" if found["text"] is None else _QUOTE
            names.append(found["name"])
            is_text.append(bool(quote))
            gaps.append(gap + _QUOTE + found["name"] + _QUOTE + found["before"] + quote)
            gap, at = quote + found["after"], found.end()
        if not names or len(set(names)) < len(names) or b"" in names:
            raise _NotAlike
        return cls(names, is_text, gaps, gap)


@dataclass(frozen=True)
class _Segments:
    """The gaps and values of all rows.

    Attributes:
        content: what they are parts of.
        lines: the number of rows.
        spelling: that of the rows.
        bounds: where they begin: a gap, a value, a gap and so on, and where the last gap ends.
    """

    content: bytes
    lines: int
    spelling: _Spelling
    bounds: NDArray[np.int32]

    @classmethod
    def of(cls, content: bytes, characters: NDArray[np.uint8], lines: int, spelling: _Spelling) -> _Segments:
        """The segments of so many lines, if their quotation marks are those of the first."""
        in_gaps = np.cumsum([gap.count(_QUOTE) for gap in spelling.gaps])
        in_row = int(in_gaps[-1]) + spelling.end.count(_QUOTE)
        quotes = np.flatnonzero(characters == ord(_QUOTE))
        if len(quotes) != lines * in_row:
            raise _NotAlike
        in_rows = quotes.reshape(lines, in_row)
        begins = np.empty((lines + 1, len(spelling.gaps)), np.int32)
        for at, gap in enumerate(spelling.gaps):
            begins[:-1, at] = in_rows[:, in_gaps[at] - 1] + (len(gap) - gap.rindex(_QUOTE))
        # As if another row followed: a value ends where the gap before the next one begins.
        begins[-1, 0] = len(content) - len(spelling.end_of(content)) + len(spelling.between)
        behind = [*map(len, spelling.gaps[1:]), len(spelling.between)]
        values = lines * len(behind)
        bounds = np.empty(2 * values + 2, np.int32)
        bounds[0], bounds[-1] = 0, len(content)
        bounds[1:-1:2] = begins.ravel()[:values]
        bounds[2::2] = begins.ravel()[1 : values + 1] - np.tile(np.array(behind, np.int32), lines)
        if (bounds[1:] < bounds[:-1]).any():
            raise _NotAlike
        return cls(content, lines, spelling, bounds)

    def check_gaps(self) -> None:
        """Refuse rows whose gaps are not those of the first row."""
        gaps = self._all.take(pa.array(np.arange(0, len(self.bounds), 2, dtype=np.int32)))
        first, *others = self.spelling.gaps
        inner = b"".join(others)
        expected = b"".join(
            [
                first,
                (inner + self.spelling.between) * (self.lines - 1),
                inner,
                self.spelling.end_of(self.content),
            ]
        )
        if not gaps.buffers()[2][: len(expected)].equals(pa.py_buffer(expected)):
            raise _NotAlike

    def values(self, fields: Sequence[int]) -> pa.Array:
        """The values (string) of fields by their positions, of one field after the other."""
        rows = np.arange(1, len(self.bounds) - 1, 2 * len(self.spelling.gaps), dtype=np.int32)
        return self._all.take(pa.array(np.concatenate([rows + 2 * at for at in fields]))).view(pa.string())

    @property
    def _all(self) -> pa.Array:
        buffers = [None, pa.py_buffer(self.bounds), pa.py_buffer(self.content)]
        return pa.Array.from_buffers(pa.binary(), len(self.bounds) - 1, buffers)


def _numbers(texts: pa.Array, fields: int) -> tuple[list[pa.Array], bool]:
    """The numbers of so many fields, null where `null` is, and whether integers are among the floats of one.

    :param texts: the values (string) of one field after the other.
    """
    is_null = pc.equal(texts, "null")
    if pc.any(is_null).as_py():
        texts = pc.if_else(is_null, pa.scalar(None, pa.string()), texts)
    if _points_of_json(texts.drop_null() if texts.null_count else texts) == len(texts):
        return _split(_floats(texts), fields), False  # one in each, as the cast refuses a text with two
    typed = [_typed(some) for some in _split(texts, fields)]
    return [values for values, _ in typed], any(both for _, both in typed)


def _split(values: pa.Array, parts: int) -> list[pa.Array]:
    rows = len(values) // parts
    return [values.slice(rows * part, rows) for part in range(parts)]


def _typed(texts: pa.Array) -> tuple[pa.Array, bool]:
    """The numbers of one field, and whether integers are among floats."""
    present = len(texts) - texts.null_count
    floats = pc.match_substring_regex(texts, "[.eE]").true_count
    if not present:
        return pa.nulls(len(texts)), False
    if not floats:
        return texts.cast(pa.int64()), False
    if floats < present and pc.any(pc.match_substring_regex(texts, _UNLIKE_FLOAT)).as_py():
        raise _NotAlike
    return _floats(texts), floats < present


def _floats(texts: pa.Array) -> pa.Array:
    floats = texts.cast(pa.float64())
    if not pc.all(pc.is_finite(floats)).as_py():
        raise _NotAlike
    return floats


def _points_of_json(numbers: pa.Array) -> int:
    """How many points there are in numbers (string, no nulls).

    What Arrow takes for a number and JSON does not is refused: `.5`, `5.`, `05`, `0x5`, `+5`, `inf`, and no digit at all.
    The cast refuses the rest: spaces, two points, an exponent without digits.
    """
    spans = Spans.of(numbers)
    characters = spans.characters
    starts = spans.starts + (characters[spans.starts] == MINUS)
    first, second = characters[starts], characters[starts + 1]
    zeros = (first == ZERO) & (second != POINT) & (spans.ends - starts > 1)
    points = np.flatnonzero(characters == POINT)
    if not (
        (are_digits(first) & are_digits(characters[spans.ends - 1]) & (starts < spans.ends)).all()
        and are_e(second[zeros]).all()
        and (are_digits(characters[points - 1]) & are_digits(characters[points + 1])).all()
    ):
        raise _NotAlike
    return len(points)
