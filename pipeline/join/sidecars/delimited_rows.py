"""The rows of a sidecar of delimited text, each a row of texts under the names of a header or of the entry."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import IO, Any

from ...errors import SidecarError, one_line, show
from ...manifest.field_paths import ABSENT, lookup
from ...storage import dialect, files, textfiles
from ...storage.dialect import Dialect
from ...storage.formats import TableFormat
from ...storage.locations import Location
from .fields import Reading, Row, RowFault, layout_of
from .numbers import finite_number

USUAL = {"csv": ",", "tsv": "\t"}
"""The delimiter of each format, where the text does not show another one."""


class DelimitedRows:
    """A file of delimited text."""

    def __init__(self, path: Location, form: TableFormat, how: Reading) -> None:
        self._path, self._usual, self._how = path, USUAL[form], how

    def note(self) -> str | None:
        """What was recognised of the file and is neither usual nor set; None: nothing.

        :raises InputError: the file cannot be read.
        """
        with _opened(self._path) as text, _reading(self._path, lambda: 0):
            lines = dialect.sample(textfiles.record_lines(self._path, text))
            return self._how.text.note(self._how.text.recognised(lines, self._usual), self._usual)

    def read(self) -> Iterator[tuple[int, Row | RowFault]]:
        """Every row with the number of its line.

        :raises InputError: the file cannot be read.
        :raises SidecarError: it is no delimited text, or has no header and the entry names no columns.
        """
        records: Any = None
        with (
            _opened(self._path) as text,
            _reading(self._path, lambda: 0 if records is None else records.line_num),
        ):
            lines = textfiles.record_lines(self._path, text)
            first = dialect.sample(lines)
            if first and "\0" in first[0]:  # every second byte of UTF-16
                raise SidecarError(textfiles.not_utf8(self._path, textfiles.UTF_16_MARKS[0]))
            found = self._how.text.recognised(first, self._usual)
            records = csv.reader(itertools.chain(first, lines), delimiter=found.delimiter, strict=True)
            names = self._names(_Beginning(self._path, first, found.delimiter), records)
            named_by = "columns" if self._how.text.columns else "the header"
            for cells in records:
                if len(cells) == len(names):
                    yield records.line_num, self._row(dict(zip(names, cells, strict=True)), found)
                elif cells:
                    fault = f"found {len(cells)} cells; expected {len(names)}, as in {named_by}"
                    yield records.line_num, RowFault(fault)

    def _names(self, beginning: _Beginning, records: Any) -> list[str]:
        """The names of the columns: the entry's, else the header's.

        :raises SidecarError: there is no header, or one beside the entry's names.
        """
        if columns := self._how.text.columns:
            beginning.check_has_no_header(columns, self._has_needed)
            return list(columns)
        cells: list[str] = next(records, [])
        names = [cell.strip() for cell in cells]
        if not any(names):
            raise SidecarError(f"{self._path}: found no header; expected one line that names the fields")
        if self._how.entry and not self._has_needed(names):
            beginning.check_is_header(cells, self._how)
        if repeated := sorted({name for name, times in Counter(names).items() if times > 1 and name}):
            raise SidecarError(
                f"{self._path} line 1: the header names {show(repeated[0])} twice; expected unique names"
            )
        return names

    def _has_needed(self, names: Sequence[str]) -> bool:
        """Whether there are names of a key and of a score."""
        row = dict.fromkeys(names)
        if self._how.fields.scores:
            has_score = any(lookup(row, field) is not ABSENT for field in self._how.fields.scores)
        else:
            has_score = bool(layout_of(tuple(names)).scores)
        return has_score and self._how.fields.has_key(row)

    def _row(self, row: Row, found: Dialect) -> Row:
        """A row with decimal points in its scores and runtimes."""
        if found.decimal == ".":
            return row
        layout = layout_of(tuple(row))
        numeric = {*layout.scores, *layout.runtimes, *self._how.fields.scores} - {*self._how.fields.keys}
        for name in numeric & row.keys():
            row[name] = _number(row[name], found)
        return row


def _opened(path: Location) -> io.TextIOWrapper:
    csv.field_size_limit(textfiles.MAX_RECORD_BYTES)
    stream: IO[bytes] = textfiles.open_text_bytes(path)
    return io.TextIOWrapper(stream, encoding="utf-8", newline="")


@contextlib.contextmanager
def _reading(path: Location, line: Callable[[], int]) -> Iterator[None]:
    """Turn what goes wrong while the file is read into an error that names its line."""
    try:
        with files.reading(path):
            yield
    except UnicodeDecodeError as exc:
        if exc.object[:2] in textfiles.UTF_16_MARKS:
            raise SidecarError(textfiles.not_utf8(path, exc.object)) from exc
        raise SidecarError(f"{path}: not UTF-8 text near line {line() + 1}") from exc
    except csv.Error as exc:
        raise SidecarError(f"{path} line {line()}: {exc}; expected delimited text") from exc


class _Beginning:
    """The first lines of a file."""

    def __init__(self, path: Location, lines: Sequence[str], delimiter: str) -> None:
        self._path, self._lines, self._delimiter = path, lines, delimiter

    def check_has_no_header(
        self, columns: Sequence[str], has_needed: Callable[[Sequence[str]], bool]
    ) -> None:
        """:raises SidecarError: the first line names the columns, as the entry does or otherwise."""
        first = next(iter(self._records()), [])
        if dialect.repeats_names(first, columns) or has_needed(first):
            shown = ", ".join(map(show, first[:5]))
            raise SidecarError(
                f"{self._path} line 1: found a header ({shown}), and the entry names the columns; "
                "expected one of the two (leave columns out)"
            )

    def check_is_header(self, cells: Sequence[str], how: Reading) -> None:
        """:raises SidecarError: the first line seems to have another delimiter, or to be data."""
        if advice := dialect.delimiter_advice(cells, self._delimiter):
            shown = ", ".join(map(show, cells[:5]))
            raise SidecarError(
                f"{self._path} line 1: found the fields {shown}; expected a key and a score{advice}"
            )
        second = next(iter(self._records()[1:]), None)
        if dialect.looks_like_data(cells, second):
            label = how.label or PurePath(how.entry).name.partition(".")[0]
            raise SidecarError(f"{self._path} line 1: {dialect.no_header(how.entry, cells, 'score', label)}")

    def _records(self) -> list[list[str]]:
        """The first two records, as far as they are sound."""
        found: list[list[str]] = []
        with contextlib.suppress(csv.Error):
            records = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
            for record in itertools.islice(filter(None, records), 2):
                found.append(record)  # noqa: PERF402  # a later one may be unsound
        return found


def _number(cell: str, found: Dialect) -> str:
    """A cell of numbers with a decimal point; of one that is no number in the dialect, why."""
    swapped = found.with_point(cell)
    if finite_number(swapped) is not None:
        return swapped
    return (
        f"{one_line(cell)} (the decimal mark is {found.decimal})" if finite_number(cell) is not None else cell
    )
