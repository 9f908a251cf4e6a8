"""Rows of JSON that are spelled alike: the same names in the same order with the same spaces, none of them nested.

Most scorers write such rows. Without backslashes they are a table whose separator is the quotation mark, which
pyarrow's CSV reader takes apart in a third of the time of its JSON reader::

    {"path": "a.mp4", "score": 0.5}
    {|path|: |a.mp4|, |score|: 0.5}

All that is not a value must be equal in all rows, and every number must be one to JSON. So there is no second reading
of JSON: what is not known to be alike is left to the JSON reader, and so are lines that end in a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

MIN_LINES = 64
"""Fewer lines are left, since a column takes as long as 60 of its values read one by one."""

_OPENING = re.compile(rb"\{ *")
_FIELD = re.compile(
    rb'"(?P<name>[^"]*)"(?P<before> *: *)(?:"(?P<text>[^"]*)"|-?[0-9][0-9.eE+-]*|null)(?P<after> *, *| *\} *)'
)
_FIRST_PRINTABLE = ord(" ")
_DIGIT = np.isin(np.arange(256), [*b"0123456789"])
_AFTER_ZERO = np.isin(np.arange(256), [*b".eE ,}"])
# Integers that floats may not hold: their 0 has no sign, and 2^53 has 16 digits.
_UNLIKE_FLOAT = r"\A(?:-0|-?[0-9]{16,})\z"
_PARSING = pacsv.ParseOptions(delimiter='"', quote_char=False, double_quote=False, escape_char=False)


@dataclass(frozen=True)
class _Field:
    """A field of all rows: its name, whether its values are texts, and what is before and after each value."""

    name: bytes
    is_text: bool
    before: bytes
    after: bytes


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
    opening, fields = _spelling(content)
    characters = np.frombuffer(content, np.uint8)
    line_feeds = lines - (not content.endswith(b"\n"))
    if b"\\" in content or np.count_nonzero(characters < _FIRST_PRINTABLE) != line_feeds:
        raise _NotAlike  # escapes, or control characters, which JSON forbids in texts
    fixed: list[bytes | None] = [opening]
    for field in fields:
        fixed += [field.name, field.before, None, field.after] if field.is_text else [field.name, None]
    pieces = _values(content, fixed)
    if len(pieces[0]) != lines:
        raise _NotAlike
    columns = dict(zip(fields, pieces, strict=True))
    has_both = False
    for spelled, of_numbers in _by_spelling(fields).items():
        numbers, both = _numbers([columns[field] for field in of_numbers], *spelled)
        columns |= zip(of_numbers, numbers, strict=True)
        has_both = has_both or both
    names = [field.name.decode() for field in columns]
    return Alike(pa.RecordBatch.from_arrays([*columns.values()], names=names), has_both)


def _by_spelling(fields: Iterable[_Field]) -> dict[tuple[str, str], list[_Field]]:
    """The fields of numbers, by what is before and after their values: the numbers of many are read at once."""
    found: dict[tuple[str, str], list[_Field]] = {}
    for field in fields:
        if not field.is_text:
            found.setdefault((field.before.decode(), field.after.decode()), []).append(field)
    return found


def _spelling(content: bytes) -> tuple[bytes, list[_Field]]:
    """How the first line is spelled: what comes before its fields, and its fields."""
    end = content.find(b"\n")
    first = content if end < 0 else content[:end]
    opened = _OPENING.match(first)
    if opened is None:
        raise _NotAlike
    fields, at = [], opened.end()
    while at < len(first):
        found = _FIELD.match(first, at)
        if found is None or (b"}" in found["after"]) != (found.end() == len(first)):
            raise _NotAlike
        fields.append(_Field(found["name"], found["text"] is not None, found["before"], found["after"]))
        at = found.end()
    names = {field.name for field in fields}
    if not fields or len(names) < len(fields) or b"" in names:
        raise _NotAlike
    return opened[0], fields


def _values(content: bytes, pieces: list[bytes | None]) -> list[pa.Array]:
    """The values of each row (string), as they are between its quotation marks.

    :param pieces: what else is between them, and is the same in all rows; None in place of each value.
    """
    kinds = {
        str(at): pa.string() if piece is None else pa.binary(len(piece)) for at, piece in enumerate(pieces)
    }
    table = pacsv.read_csv(
        pa.py_buffer(content),
        pacsv.ReadOptions(use_threads=False, block_size=len(content), column_names=[*kinds]),
        _PARSING,
        pacsv.ConvertOptions(check_utf8=False, column_types=kinds, null_values=[]),
    )
    columns = [column.combine_chunks() for column in table.columns]
    found = []
    for column, piece in zip(columns, pieces, strict=True):
        if piece is None:
            found.append(column)
            continue
        expected = piece * len(column)
        if not column.buffers()[1][: len(expected)].equals(pa.py_buffer(expected)):
            raise _NotAlike
    return found


def _numbers(fields: list[pa.Array], before: str, after: str) -> tuple[list[pa.Array], bool]:
    """The numbers of fields, null where `null` is, and whether integers are among the floats of one.

    :param fields: the pieces of each (string), as many for all: a number between `before` and `after`.
    """
    pieces = pa.concat_arrays(fields)
    if not pc.all(pc.and_(pc.starts_with(pieces, before), pc.ends_with(pieces, after))).as_py():
        raise _NotAlike
    texts = pc.binary_slice(pieces.view(pa.binary()), len(before), -len(after)).view(pa.string())
    characters, starts = _characters(pieces)
    starts = starts + len(before)
    is_null = pc.equal(texts, "null")
    if pc.any(is_null).as_py():
        texts = pc.if_else(is_null, pa.scalar(None, pa.string()), texts)
        starts = starts[~is_null.to_numpy(zero_copy_only=False)]
    dots = np.flatnonzero(characters == ord("."))
    _check_are_json(characters, starts, dots)
    if len(dots) == len(texts):  # one in each, as the cast refuses a text with two
        return _split(_floats(texts), len(fields)), False
    typed = [_typed(some) for some in _split(texts, len(fields))]
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


def _check_are_json(
    characters: NDArray[np.uint8], starts: NDArray[np.int64], dots: NDArray[np.int64]
) -> None:
    """Refuse what Arrow takes for a number and JSON does not: `.5`, `5.`, `05`, `0x5`, `+5`, `inf`, and no digit at all.

    The cast refuses the rest: spaces, two dots, an exponent without digits. Each number has a character before it and one
    behind it, so that the neighbours of its characters are characters too.
    """
    digits = starts + (characters[starts] == ord("-"))
    zeros = digits[characters[digits] == ord("0")]
    if not (
        _DIGIT[characters[digits]].all()
        and _AFTER_ZERO[characters[zeros + 1]].all()
        and (_DIGIT[characters[dots - 1]] & _DIGIT[characters[dots + 1]]).all()
    ):
        raise _NotAlike


def _characters(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The characters of all texts, and where each text begins among them."""
    _, offsets, characters = texts.buffers()
    begins = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    return np.frombuffer(characters, np.uint8)[: begins[-1]], begins[:-1]
