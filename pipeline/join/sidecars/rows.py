"""The rows of a sidecar file, whatever its format, each with the number of its line or row."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import SidecarError, show
from ...storage import jsontext, textfiles
from ...storage.formats import TableFormat
from ...storage.locations import Location
from . import shapes
from .delimited_rows import DelimitedRows
from .fields import ALL_BY_NAME, FIRST_LOOK, Reading, Row, RowFault, SetFields
from .parquet_rows import Part, read_parts

BLOCK_BYTES = 1 << 21
_LINE_FEED = ord("\n")


def read_rows(
    path: Location, form: TableFormat, how: Reading = FIRST_LOOK
) -> Iterator[tuple[int, Row | RowFault]]:
    """Every row of the file with its number, from 1: its line (jsonl, csv, tsv) or its position (json, parquet).

    A value that is not a row is returned as a `RowFault`, so that all faults of a file are shown at once.

    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    :raises SidecarError: it is not of its format as a whole.
    """
    match form:
        case "jsonl":
            return (row for block in read_blocks(path, how.fields) for row in block.rows())
        case "json":
            return _documents(path, textfiles.read_whole(path), how)
        case "parquet":
            return (row for part in read_parts(path, how.fields) for row in part.rows())
        case "csv" | "tsv":
            return DelimitedRows(path, form, how).read()


class Source(Protocol):
    """Where the rows of a sidecar come from."""

    @property
    def path(self) -> Location:
        """The file, or what errors name in place of one."""

    @property
    def form(self) -> TableFormat:
        """Its format."""

    def blocks(self, how: Reading) -> Iterator[Block | Part] | None:
        """The rows in blocks of many; None: the format has none."""

    def rows(self, how: Reading) -> Iterator[tuple[int, Row | RowFault]]:
        """The rows, each with its number, from 1."""


@dataclass(frozen=True)
class FileSource:
    """A file as a source of rows."""

    path: Location
    form: TableFormat

    def blocks(self, how: Reading) -> Iterator[Block | Part] | None:
        """The file in blocks; only JSON Lines and Parquet have some."""
        if self.form == "jsonl":
            return read_blocks(self.path, how.fields)
        return read_parts(self.path, how.fields) if self.form == "parquet" else None

    def rows(self, how: Reading) -> Iterator[tuple[int, Row | RowFault]]:
        """Every row of the file."""
        return read_rows(self.path, self.form, how)


@dataclass(frozen=True)
class Block:
    """Some whole lines of a file.

    Attributes:
        first: number of its first line, from 1.
        content: the lines, unchanged.
        ends: where in `content` the line feeds are (int64).
        fields: what is set for the rows.
    """

    first: int
    content: bytes
    ends: NDArray[np.int64]
    fields: SetFields = ALL_BY_NAME

    def rows(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Row | RowFault]]:
        """The rows on those lines, each with the number of its line."""
        return rows_of(self.lines(wanted), self.fields)

    def lines(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers: those at the `wanted` indices, or all."""
        if wanted is not None and not wanted:
            return iter(())
        numbered = enumerate(io.BytesIO(self.content), self.first)
        if wanted is None:
            return numbered
        numbers = {self.first + index for index in wanted}
        return ((number, line) for number, line in numbered if number in numbers)


def read_blocks(path: Location, fields: SetFields = ALL_BY_NAME) -> Iterator[Block]:
    """The lines of a file in blocks of about `BLOCK_BYTES`.

    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    :raises SidecarError: it is UTF-16 text.
    """
    first = 1
    for content in textfiles.read_lines(path, BLOCK_BYTES):
        if first == 1:
            _check_is_not_utf_16(path, content)
        block = Block(first, content, line_feeds(content), fields)
        if not content.isspace():
            yield block
        first += len(block.ends)


def line_feeds(content: bytes) -> NDArray[np.int64]:
    """Where the line feeds are (int64)."""
    return np.flatnonzero(np.frombuffer(content, np.uint8) == _LINE_FEED)


def rows_of(lines: Iterable[tuple[int, bytes]], fields: SetFields) -> Iterator[tuple[int, Row | RowFault]]:
    """The rows on numbered lines of JSON, each with the number of its line."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            # Appending writers put several objects on one line.
            values = list(jsontext.documents(_decoded(line)))
        except ValueError as exc:
            yield number, RowFault(f"{exc}; expected one JSON object")
            continue
        for value in values:
            for row in shapes.rows_on_line(value, fields):
                yield number, _object(row)


def unit(form: TableFormat) -> str:
    """What the numbers of `read_rows` count."""
    return "row" if form in ("json", "parquet") else "line"


def _documents(path: Location, content: bytes, how: Reading) -> Iterator[tuple[int, Row | RowFault]]:
    _check_is_not_utf_16(path, content)
    try:
        values = list(jsontext.documents(_decoded(content)))
    except ValueError as exc:
        raise SidecarError(f"{path}: {exc}; expected JSON objects or a list of them") from exc
    try:
        rows = list(shapes.rows_in(values, how.fields))
    except RowFault as exc:
        if how.entry:
            raise SidecarError(f"{path}: {exc}") from exc
        rows = values
    for number, row in enumerate(rows, 1):
        yield number, _object(row)


def _check_is_not_utf_16(path: Location, content: bytes) -> None:
    if content[:2] in textfiles.UTF_16_MARKS:
        raise SidecarError(f"{path}: found UTF-16 text; expected UTF-8 (iconv -f UTF-16 -t UTF-8)")


def _object(value: Any) -> Row | RowFault:
    if isinstance(value, dict | RowFault):
        return value
    return RowFault(f"found {show(value)}; expected a JSON object")


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 text (byte {exc.start})") from exc
