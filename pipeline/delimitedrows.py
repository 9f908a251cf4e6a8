"""The rows of a sidecar of delimited text, each a row of texts under the names of a header or of the entry."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline import dialect, files, texts
from pipeline.dialect import Dialect
from pipeline.errors import SidecarError, one_line, show
from pipeline.fieldpaths import ABSENT, lookup
from pipeline.fields import Row, RowFault, SetFields, layout_of
from pipeline.formats import TableFormat
from pipeline.numbers import finite_number

USUAL = {"csv": ",", "tsv": "\t"}
"""The delimiter of each format, where the text does not show another one."""


@dataclass(frozen=True)
class Delimited:
    """What an entry says of its delimited text.

    Attributes:
        path: the file as the entry names it; empty: no entry does, and any first line is taken for the header.
        delimiter: between two cells; None: it is recognised.
        decimal: the decimal mark; None: it is recognised.
        columns: the names of the columns of a file without a header; none: the first line is the header.
    """

    path: str = ""
    delimiter: str | None = None
    decimal: str | None = None
    columns: tuple[str, ...] = ()

    def recognised(self, lines: Sequence[str], form: TableFormat) -> Dialect:
        """The dialect of a text with these first lines."""
        return dialect.recognised(lines, USUAL[form], self.delimiter, self.decimal)


def dialect_note(path: Path, form: TableFormat, given: Delimited) -> str | None:
    """What was recognised of a file and is neither usual nor set; None: nothing.

    :raises InputError: the file cannot be read.
    """
    with _opened(path) as text, _reading(path, lambda: 0):
        lines = dialect.sample(texts.record_lines(path, text))
        return dialect.note(given.recognised(lines, form), USUAL[form], given.delimiter, given.decimal)


def read_delimited(
    path: Path, form: TableFormat, given: Delimited, fields: SetFields
) -> Iterator[tuple[int, Row | RowFault]]:
    """Every row of the file with the number of its line.

    :raises InputError: the file cannot be read.
    :raises SidecarError: it is no delimited text, or has no header and the entry names no columns.
    """
    with _opened(path) as text:
        lines = texts.record_lines(path, text)
        records: Any = None
        with _reading(path, lambda: 0 if records is None else records.line_num):
            first = dialect.sample(lines)
            found = given.recognised(first, form)
            records = csv.reader(itertools.chain(first, lines), delimiter=found.delimiter, strict=True)
            header = _Header(path, given, fields, found.delimiter)
            names = header.checked_columns(first) if given.columns else header.names(next(records, []), first)
            yield from _rows(names, records, found, fields, "entry" if given.columns else "header")


def _opened(path: Path) -> io.TextIOWrapper:
    csv.field_size_limit(texts.MOST_RECORD_BYTES)
    stream: IO[bytes] = files.open_text_bytes(path)
    return io.TextIOWrapper(stream, encoding="utf-8", newline="")


@contextlib.contextmanager
def _reading(path: Path, line: Callable[[], int]) -> Iterator[None]:
    """Turn what goes wrong while the file is read into an error that names its line."""
    try:
        with files.reading(path):
            yield
    except UnicodeDecodeError as exc:
        raise SidecarError(f"{path}: not UTF-8 text near line {line() + 1}") from exc
    except csv.Error as exc:
        raise SidecarError(f"{path} line {line()}: {exc}; expected delimited text") from exc


class _Header:
    """The first line of a file, and what the entry says in its stead."""

    def __init__(self, path: Path, given: Delimited, fields: SetFields, delimiter: str) -> None:
        self._path, self._given, self._fields, self._delimiter = path, given, fields, delimiter

    def names(self, cells: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The names that the header gives to the columns.

        :raises SidecarError: it is no header.
        """
        names = [cell.strip() for cell in cells]
        if not any(names):
            raise SidecarError(f"{self._path}: found no header; expected one line that names the fields")
        if self._given.path and not self._is_enough(names):
            self._check_is_header(cells, lines)
        if repeated := sorted({name for name, times in Counter(names).items() if times > 1 and name}):
            raise SidecarError(
                f"{self._path} line 1: the header names {show(repeated[0])} twice; expected unique names"
            )
        return names

    def checked_columns(self, lines: Sequence[str]) -> list[str]:
        """The names that the entry gives to the columns.

        :raises SidecarError: the file has a header.
        """
        first = next(iter(self._first_records(lines)), [])
        if dialect.repeats_names(first, self._given.columns):
            shown = ", ".join(map(show, first))
            raise SidecarError(
                f"{self._path} line 1: found a header ({shown}), and the entry names the columns; "
                "expected one of the two (leave columns out)"
            )
        return list(self._given.columns)

    def _is_enough(self, names: Sequence[str]) -> bool:
        """Whether the names are those of a key and a score."""
        row = dict.fromkeys(names)
        set_scores = self._fields.scores
        has_score = any(lookup(row, field) is not ABSENT for field in set_scores) or (
            not set_scores and bool(layout_of(tuple(row)).scores)
        )
        return has_score and self._fields.has_key(row)

    def _check_is_header(self, cells: Sequence[str], lines: Sequence[str]) -> None:
        advice = dialect.delimiter_advice(cells, self._delimiter)
        if advice:
            shown = ", ".join(map(show, cells[:5]))
            raise SidecarError(
                f"{self._path} line 1: found the fields {shown}; expected a key and a score{advice}"
            )
        second = next(iter(self._first_records(lines)[1:]), None)
        if dialect.looks_like_data(cells, second):
            advice = dialect.no_header(self._given.path, cells, "score")
            raise SidecarError(f"{self._path} line 1: {advice}")

    def _first_records(self, lines: Iterable[str]) -> list[list[str]]:
        """The first two records, as far as they are sound."""
        found: list[list[str]] = []
        with contextlib.suppress(csv.Error):
            records = csv.reader(lines, delimiter=self._delimiter, strict=True)
            for record in itertools.islice(filter(None, records), 2):
                found.append(record)  # noqa: PERF402  # a later one may be unsound
        return found


def _rows(
    names: Sequence[str], records: Any, found: Dialect, fields: SetFields, named_by: str
) -> Iterator[tuple[int, Row | RowFault]]:
    layout = layout_of(tuple(names))
    numbers = (
        {*layout.scores, *layout.runtimes, *fields.scores} - {fields.key} if found.decimal != "." else set()
    )
    for cells in records:
        if len(cells) == len(names):
            row = dict(zip(names, cells, strict=True))
            for name in numbers & row.keys():
                row[name] = _number(row[name], found)
            yield records.line_num, row
        elif cells:
            yield (
                records.line_num,
                RowFault(f"found {len(cells)} cells; expected {len(names)}, as in the {named_by}"),
            )


def _number(cell: str, found: Dialect) -> str:
    """A cell of numbers with a decimal point; of one that is no number in the dialect, why."""
    swapped = found.with_point(cell)
    if finite_number(swapped) is not None:
        return swapped
    return (
        f"{one_line(cell)} (the decimal mark is {found.decimal})" if finite_number(cell) is not None else cell
    )
