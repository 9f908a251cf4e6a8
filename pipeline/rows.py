"""The rows of a sidecar file, whatever its format, each with the number of its line or row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline import files, jsontext, texts
from pipeline.errors import SidecarError, show
from pipeline.formats import TableFormat

Row: TypeAlias = dict[str, Any]
BLOCK_BYTES = 1 << 22
_LINE_FEED = ord("\n")
_LISTS = ("rows", "results")


class RowFault(Exception):
    """What is wrong with one row; the reader of the sidecar adds where it stands."""


def read_rows(path: Path, form: TableFormat) -> Iterator[tuple[int, Row | RowFault]]:
    """Every row of the file with its number, from 1: its line (jsonl, csv, tsv) or its position (json).

    What is no row comes as a `RowFault` in its place, so that all faults of a file can be told at once.

    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    :raises SidecarError: it is not of its format as a whole.
    """
    if form == "jsonl":
        for block in read_blocks(path):
            yield from rows_of(block.lines())
        return
    if form == "json":
        yield from _documents(path, texts.read_whole(path))
        return
    with files.open_text_bytes(path) as stream, files.reading(path):
        yield from _records(path, stream, "\t" if form == "tsv" else ",")


@dataclass(frozen=True)
class Block:
    """Some whole lines of a file.

    Attributes:
        first: number of its first line, from 1.
        content: the lines as they stand.
        ends: where in `content` the line feeds are (int64).
    """

    first: int
    content: bytes
    ends: NDArray[np.int64]

    def lines(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers: those at the `wanted` indices, or all."""
        if wanted is not None and not wanted:
            return iter(())
        numbered = enumerate(io.BytesIO(self.content), self.first)
        if wanted is None:
            return numbered
        numbers = {self.first + index for index in wanted}
        return ((number, line) for number, line in numbered if number in numbers)


def read_blocks(path: Path) -> Iterator[Block]:
    """The lines of a file in blocks of about `BLOCK_BYTES`.

    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    """
    first = 1
    for content in texts.read_lines(path, BLOCK_BYTES):
        block = Block(first, content, line_feeds(content))
        if not content.isspace():
            yield block
        first += len(block.ends)


def line_feeds(content: bytes) -> NDArray[np.int64]:
    """Where the line feeds are (int64)."""
    return np.flatnonzero(np.frombuffer(content, np.uint8) == _LINE_FEED)


def rows_of(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, Row | RowFault]]:
    """The rows that stand on numbered lines of JSON, each with the number of its line."""
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
            yield number, _object(value)


def unit(form: TableFormat) -> str:
    """What the numbers of `read_rows` count."""
    return "row" if form == "json" else "line"


def _documents(path: Path, content: bytes) -> Iterator[tuple[int, Row | RowFault]]:
    try:
        values = list(jsontext.documents(_decoded(content)))
    except ValueError as exc:
        raise SidecarError(f"{path}: {exc}; expected JSON objects or a list of them") from exc
    rows = (row for value in values for row in _listed(path, value))
    for number, row in enumerate(rows, 1):
        yield number, _object(row)


def _listed(path: Path, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    held = [name for name in _LISTS if isinstance(value, dict) and isinstance(value.get(name), list)]
    if len(held) > 1:
        raise SidecarError(f"{path}: found both rows and results in one object; expected one list of rows")
    return [_with_competitor(row, value) for row in value[held[0]]] if held else [value]


def _with_competitor(row: Any, wrapper: Row) -> Any:
    """A row of a wrapper that names the scorer once, for all its rows; the row's own word goes first."""
    named = _competitor(wrapper)
    if named is None or not isinstance(row, dict) or _competitor(row) is not None:
        return row
    return row | {"competitor": named}


def _competitor(value: Row) -> Any:
    summary = value.get("summary")
    return value.get("competitor") or (summary.get("competitor") if isinstance(summary, dict) else None)


def _records(path: Path, stream: Any, delimiter: str) -> Iterator[tuple[int, Row | RowFault]]:
    csv.field_size_limit(texts.MOST_RECORD_BYTES)
    with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
        records = csv.reader(texts.record_lines(path, text), delimiter=delimiter, strict=True)
        try:
            yield from _cells(_header(path, next(records, [])), records)
        except UnicodeDecodeError as exc:
            raise SidecarError(f"{path}: not UTF-8 text near line {records.line_num + 1}") from exc
        except csv.Error as exc:
            raise SidecarError(f"{path} line {records.line_num}: {exc}; expected delimited text") from exc


def _cells(header: list[str], records: Any) -> Iterator[tuple[int, Row | RowFault]]:
    for cells in records:
        if len(cells) == len(header):
            yield records.line_num, dict(zip(header, cells, strict=True))
        elif cells:
            yield (
                records.line_num,
                RowFault(f"found {len(cells)} cells; expected {len(header)}, as in the header"),
            )


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if not any(header):
        raise SidecarError(f"{path}: found no header; expected one line that names the fields")
    if repeated := sorted({name for name, times in Counter(header).items() if times > 1 and name}):
        raise SidecarError(
            f"{path} line 1: the header names {show(repeated[0])} twice; expected unique names"
        )
    return header


def _object(value: Any) -> Row | RowFault:
    return value if isinstance(value, dict) else RowFault(f"found {show(value)}; expected a JSON object")


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 text (byte {exc.start})") from exc
