"""The dialect of a delimited text: its delimiter, its decimal mark, and whether it begins with a header.

Nothing here reads a file: the caller passes its first lines, as `sample` returns them.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import show
from pipeline.storage import textfiles

DELIMITERS = (",", ";", "\t", "|")
"""The delimiters that are recognised; any other must be set."""

DECIMALS = (".", ",")
WORDS_FOR_NONE = ("", "NaN", "nan", "NA", "N/A", "null", "None")
"""Texts that programs write for a missing number."""

MAX_SAMPLE_LINES = 200
MAX_SAMPLE_CHARACTERS = 1 << 20

_DELIMITER = re.compile(r"[\t !#-,/:-@\[-`{-~]")
_SWAPPED = str.maketrans(".,", ",.")
_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_WITHOUT_FRACTION = re.compile(r"-?[0-9]+,?")
_WITH_POINT = re.compile(rf"-?[0-9]*\.[0-9]+{_EXPONENT}")
_WITH_COMMA = re.compile(rf"-?[0-9]*,[0-9]+{_EXPONENT}")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_PAIR = re.compile(r"[1-9][0-9]{2,},[1-9][0-9]{2,}")  # a width and a height, such as 1920x1080
_NUMBER = re.compile(rf"[+-]?(?:[0-9]*[.,][0-9]+|[0-9]+[.,]?){_EXPONENT}")
_MEDIA_FILE = re.compile(
    r".*[^/\\.]\.(?:mp4|m4v|mkv|webm|avi|mov|mpe?g|wmv|flv|3gp|mxf|m2?ts|y4m|yuv|rgb|obu|ivf|hevc|h?26[456]"
    r"|png|jpe?g|bmp|tiff?|gif|webp|exr)",
    re.IGNORECASE | re.DOTALL,
)
_HASH = re.compile(
    r"(?=.*[0-9])(?=.*[a-fA-F])[0-9a-fA-F]{16,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)


@dataclass(frozen=True)
class Dialect:
    """The delimiter and the decimal mark of a delimited text.

    Attributes:
        delimiter: the character between two cells.
        decimal: the decimal mark, `.` or `,`.
    """

    delimiter: str
    decimal: str = "."

    def with_point(self, cell: str) -> str:
        """A cell with `.` as the decimal mark. A number keeps its value, and other text does not become a number."""
        return cell.translate(_SWAPPED) if self.decimal == "," else cell


def setting_faults(delimiter: str | None, columns: Sequence[str]) -> Iterator[str]:
    """Faults of an entry's text settings beyond its schema, each with its JSON path below the entry."""
    if delimiter is not None and not _DELIMITER.fullmatch(delimiter):
        yield (
            f".delimiter: found {show(delimiter)}; expected one sign, such as ; or | or a tab, which JSON spells "
            '"\\t"; no letter, digit, quote, minus or point'
        )
    if repeated := sorted(name for name, times in Counter(columns).items() if times > 1):
        yield f".columns: {show(repeated[0])} occurs twice; expected unique names"
    for name in columns:
        if name != name.encode("utf-8", "replace").decode("utf-8"):
            yield f".columns: found {show(name)}; expected Unicode text"


@dataclass(frozen=True)
class TextSettings:
    """The settings of an entry for delimited text; what is not set is recognised.

    Attributes:
        delimiter: the delimiter; None: not set.
        decimal: the decimal mark; None: not set.
        columns: the names of the columns of a file without a header; empty: the file has one.
    """

    delimiter: str | None = None
    decimal: str | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TextSettings:
        """The settings among the members of an entry that a schema has checked."""
        return cls(given.get("delimiter"), given.get("decimal"), tuple(given.get("columns") or ()))

    def as_json(self) -> dict[str, Any]:
        """The settings as the members of an entry."""
        given = {"delimiter": self.delimiter, "decimal": self.decimal, "columns": [*self.columns]}
        return {name: value for name, value in given.items() if value}

    def faults(self) -> Iterator[str]:
        """Faults beyond their schema, each with its JSON path below the entry."""
        yield from setting_faults(self.delimiter, self.columns)

    def recognised(self, lines: Sequence[str], usual: str) -> Dialect:
        """The dialect of a text that begins with `lines`."""
        return recognised(lines, usual, self.delimiter, self.decimal, header=not self.columns)

    def note(self, found: Dialect, usual: str) -> str | None:
        """A note on what was recognised and is neither usual nor set; None if there is nothing to note."""
        return note(found, usual, self.delimiter, self.decimal)


UNSET = TextSettings()
"""Settings without any value: everything is recognised."""


def sample(lines: Iterable[str]) -> list[str]:
    """The first lines of a text, as many as `recognised` uses; at least two, if the text has two."""
    taken: list[str] = []
    length = 0
    for line in itertools.islice(lines, MAX_SAMPLE_LINES):
        taken.append(line)
        length += len(line)
        if length > MAX_SAMPLE_CHARACTERS and len(taken) > 1:
            break
    return taken


def recognised(
    lines: Sequence[str],
    usual: str,
    delimiter: str | None = None,
    decimal: str | None = None,
    *,
    header: bool = True,
) -> Dialect:
    """The dialect of a text, by its first lines with their line ends; in doubt, `usual` and `.`.

    Another delimiter than the usual one is recognised if it alone gives every record as many cells as the first, two or
    more. If the comma does so too, the other one is recognised if every comma would then be a decimal mark. A decimal
    comma is recognised if it is not the delimiter, no cell has a decimal point, and some column has only numbers that
    can be read in no other way.

    :param usual: the delimiter of the file's extension.
    :param delimiter: the delimiter, if it is set; only the decimal mark is recognised then.
    :param decimal: the decimal mark, if it is set.
    :param header: True if the first record is a header.
    """
    found = delimiter or _delimiter(lines, usual, header)
    if decimal is None and found != ",":  # "1,5" may be a list if the delimiter is a comma
        decimal = _decimal(_records(lines, found)[header:], found)
    return Dialect(found, decimal or ".")


def note(found: Dialect, usual: str, delimiter: str | None = None, decimal: str | None = None) -> str | None:
    """The note for reports on what was recognised and is neither usual nor set; None if there is nothing to note."""
    parts = []
    if delimiter is None and found.delimiter != usual:
        parts.append(f"delimiter {show(found.delimiter)}")
    if decimal is None and found.decimal != ".":
        parts.append(f"decimal {show(found.decimal)}")
    return f"{' and '.join(parts)} recognised" if parts else None


def has_decimal_comma(cell: str) -> bool:
    """True if a cell may be a number with a decimal comma, such as `71,17`."""
    return _WITH_COMMA.fullmatch(cell) is not None


def delimiter_advice(header: Sequence[str], used: str) -> str:
    """Advice for a column that is not found because the delimiter may be wrong; empty if the header suggests none."""
    seeming = max(DELIMITERS, key=lambda each: sum(name.count(each) for name in header))
    if seeming == used or not any(seeming in name for name in header):
        return ""
    return f"; the header seems to have the delimiter {show(seeming)}: set delimiter if it is so"


def columns_advice(header: Sequence[str]) -> str:
    """Advice for a column that is not found because there may be no header; empty if no name is a whole number."""
    if not any(name.strip().isdecimal() for name in header):
        return ""
    return "; if the first line is data, set columns to the names of the columns"


def looks_like_data(first: Sequence[str], second: Sequence[str] | None = None) -> bool:
    """True if the cells of a first line are surely data: one is a fraction, a media file's name or a hash.

    None of these is the name of a column, while whole numbers are in many feature tables. A cell counts only if the
    cell below it in the second line is of the same kind, or if there is no second line. Fractions may name quantiles:
    use this only if the header lacks a required name.
    """
    kinds = [_kind(cell) for cell in first]
    if second is None:
        return any(kinds)
    below = [_kind(cell) or _kind_of_number(cell) for cell in second]
    return len(first) == len(second) and any(
        kind is not None and kind == other for kind, other in zip(kinds, below, strict=True)
    )


def repeats_names(first: Sequence[str], columns: Sequence[str]) -> bool:
    """True if a first line is a header after all: a cell equals the name that the entry gives its column."""
    pairs = zip(first, columns, strict=False)
    return any(cell.strip().casefold() == name.strip().casefold() for cell, name in pairs)


def no_header(path: str, first: Sequence[str], number: str, label: str | None = None) -> str:
    """The message for a file whose first line looks like data, with the entry for a file without a header.

    :param path: the file, as an entry names it.
    :param first: the cells of its first line.
    :param number: a possible name of a numeric column.
    :param label: the scorer of a sidecar, if no column names it.
    """
    shown = ", ".join(map(show, first[:4])) + (", ..." if len(first) > 4 else "")
    return (
        f"the first line looks like data and not like a header: found {shown}; expected the names of the columns; "
        f"add a header, or name them in the entry: {_example(path, first, number, label)}"
    )


def _example(path: str, first: Sequence[str], number: str, label: str | None) -> str:
    names: list[str] = []
    for cell in first[:4]:
        name = "path" if _kind(cell) == "file" else number if _NUMBER.fullmatch(cell.strip()) else "clip_id"
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    shown = ", ".join(f'"{name}"' for name in names) + (", ..." if len(first) > len(names) else "")
    named = "" if label is None else f'"label": {json.dumps(label, ensure_ascii=False)}, '
    return f'{{"path": {json.dumps(path, ensure_ascii=False)}, {named}"columns": [{shown}]}}'


def _kind(cell: str) -> str | None:
    """The kind of a cell that cannot be the name of a column; None if it can."""
    text = cell.strip()
    if _NUMBER.fullmatch(text) and not text.isdecimal():
        return "number"
    if _MEDIA_FILE.fullmatch(text):
        return "file"
    return "hash" if _HASH.fullmatch(text) else None


def _kind_of_number(cell: str) -> str | None:
    text = cell.strip()
    return "number" if text in WORDS_FOR_NONE or text.isdecimal() else None


def _delimiter(lines: Sequence[str], usual: str, header: bool) -> str:
    fitting = [each for each in DELIMITERS if _fits(lines, each)]
    if usual not in fitting:
        return fitting[0] if len(fitting) == 1 else usual
    others = [each for each in fitting if each != usual]
    if usual != "," or len(others) != 1:
        return usual
    below = _records(lines, others[0])[header:]
    commas = [cell for record in below for cell in record if "," in cell]
    decimal = _decimal(below, others[0]) == "," and all(map(has_decimal_comma, commas))
    return others[0] if decimal else usual


def _fits(lines: Sequence[str], delimiter: str) -> bool:
    """True if every record has as many cells as the first, two or more."""
    if not lines or delimiter not in lines[0]:
        return False
    records = _records(lines, delimiter)
    return bool(records) and len(records[0]) > 1 and all(len(each) == len(records[0]) for each in records)


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The records that are not blank; empty if quotes show that this is not the delimiter."""
    csv.field_size_limit(textfiles.MAX_RECORD_BYTES)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records: list[list[str]] = []
    try:
        records.extend(record for record in reader if record)
    except csv.Error as exc:
        # The last record may continue after the sample.
        return records if str(exc) == "unexpected end of data" else []
    return records


def _decimal(records: Sequence[Sequence[str]], delimiter: str) -> str:
    """The decimal mark; in doubt a point."""
    if any(_WITH_POINT.fullmatch(cell) for record in records for cell in record):
        return "."
    columns = itertools.zip_longest(*records, fillvalue="")
    return "," if any(_shows_comma(cells, delimiter) for cells in columns) else "."


def _shows_comma(cells: Sequence[str], delimiter: str) -> bool:
    """True if the numbers of a column have a decimal comma: no group of three digits, no pair of whole numbers.

    With semicolons as the delimiter, three digits are a fraction: programs use semicolons if the comma is the decimal
    mark.
    """
    full = [cell for cell in cells if cell not in WORDS_FOR_NONE]
    if not all(_WITH_COMMA.fullmatch(cell) or _WITHOUT_FRACTION.fullmatch(cell) for cell in full):
        return False
    fractions = (cell for cell in full if _WITH_COMMA.fullmatch(cell) and not _PAIR.fullmatch(cell))
    return any(delimiter == ";" or not _THOUSANDS.fullmatch(cell) for cell in fractions)
