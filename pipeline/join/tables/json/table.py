"""A feature table of JSON or JSONL."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from ....errors import Faults, TableError, count, show
from ....storage import textfiles
from ....storage.locations import Location
from ... import keys
from ...threads import ReadAhead
from ..base import (
    CHUNK_ROWS,
    MAX_HELD_BYTES,
    MAX_HELD_ROWS_BYTES,
    Chunk,
    FeatureTable,
    Form,
    regrouped,
)
from .alike import MIN_LINES
from .inference import infer_schema
from .lines import Lines, parsed
from .pieces import Columns, Objects, Piece

# Of lines at a time. As objects they take about five times as much; in smaller pieces they take more time.
_PIECE_BYTES = 1 << 22
_PIECE_ROWS = 4096  # of a document
_BYTES_PER_OBJECT = 100  # of a value in a row, about
_MAX_FIELDS = 250_000
_MAX_UNCHECKED_CELLS = 100_000_000
_MAX_CELLS_PER_VALUE = 100  # of a table with more cells than `_MAX_UNCHECKED_CELLS`

_NumberedRows: TypeAlias = Iterable[tuple[int, Any]]
"""Rows with their numbers; in place of one that is none the ValueError that says why."""


def _is_object(_number: int, row: Any) -> bool:
    return isinstance(row, dict)


class JsonTable(FeatureTable):
    """A feature table of JSON objects: one per line (streamed), or one document (held in memory)."""

    def __init__(self, path: Location, wanted_key: str | None, *, lines: bool) -> None:
        super().__init__(path, wanted_key)
        self._by_line = lines
        self._values_held = 0
        self._held: list[Piece] | None = None
        self._scanned = self._scan()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field that a row has, in the order in which they are first seen."""
        return tuple(self._scanned[0])

    @property
    def rows(self) -> int:
        """Number of objects."""
        return self._scanned[1]

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns that may be the key, gathered when the table was first read, unless they were too large."""
        held = [self._key_texts(name) for name in columns]
        if all(each.parts is not None for each in held):
            gathered = pa.table([pa.chunked_array(each.parts, pa.string()) for each in held], [*columns])
            return (batch.columns for batch in gathered.to_batches(max_chunksize=CHUNK_ROWS))
        return ([piece.key_texts(name) for name in columns] for piece in self._pieces())

    def _key_texts(self, name: str) -> _KeyTexts:
        held = self._scanned[0].get(name) or _KeyTexts(self.rows)
        if held.fault is not None:
            reason = held.fault.reason
            raise TableError(
                f"{self.path} column {show(name)}: {reason}; expected Unicode text"
            ) from held.fault
        return held

    @functools.cached_property
    def _schema(self) -> pa.Schema:
        self._check_dense()
        return infer_schema(f"{self.path} {self._unit}", self.columns, self._pieces)

    def schema(self) -> pa.Schema:
        """Names and types that hold every value; one more pass over the rows."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows as objects, or turned into typed or text columns."""
        pieces = self._pieces()
        match form:
            case "arrow":
                yield from regrouped(piece.typed(str(self.path), self._schema) for piece in pieces)
            case "text":
                self._check_dense()
                yield from (piece.texts(self.columns, str(self.path)) for piece in pieces)
            case _:
                yield from (piece.objects() for piece in pieces)

    @property
    def _unit(self) -> str:
        return "line" if self._by_line else "row"

    def _pieces(self, is_sound: Callable[[int, Any], bool] = _is_object) -> Iterator[Piece]:
        """The rows, some at a time; of those that are not spelled alike only the sound ones."""
        if self._held is not None:
            yield from self._held
            return
        for some in self._read():
            if isinstance(some, Columns):
                yield some
            else:
                yield Objects([(number, row) for number, row in some if is_sound(number, row)])

    def _read(self) -> Iterator[Columns | _NumberedRows]:
        """Every row, some at a time."""
        if not self._by_line:
            for start in range(0, len(self._document), _PIECE_ROWS):
                yield enumerate(self._document[start : start + _PIECE_ROWS], start + 1)
            return
        with ReadAhead() as ahead:
            yield from ahead.each(_in_columns, self._lines())

    def _lines(self) -> Iterator[Lines]:
        first = 1
        for content in textfiles.read_lines(self.path, _PIECE_BYTES):
            lines = Lines.of(first, content)
            if not content.isspace():
                yield lines
            first += lines.count

    @functools.cached_property
    def _document(self) -> list[Any]:
        value = parsed(textfiles.read_whole(self.path))
        if isinstance(value, dict) and set(value) == {"rows"}:
            value = value["rows"]
        if not isinstance(value, list):
            found = value if isinstance(value, ValueError) else f"found {_kind_of(value)}"
            raise TableError(f'{self.path}: {found}; expected a list of objects or {{"rows": [...]}}')
        return value

    def _scan(self) -> tuple[dict[str, _KeyTexts | None], int]:
        """The columns, of those that may be the key with their key texts, and the number of rows."""
        columns: dict[str, _KeyTexts | None] = {}
        candidates: dict[str, _KeyTexts] = {}
        faults = Faults()
        total = 0
        holding = _Holding()
        for piece in self._pieces(functools.partial(self._is_sound, faults)):
            for name in piece.new_names(columns):  # the pieces before this one lack it
                columns[name] = None
                if self._may_be_key(name):
                    columns[name] = candidates[name] = _KeyTexts(total)
            if len(columns) > _MAX_FIELDS:
                raise TableError(
                    f"{self.path}: found more than {_MAX_FIELDS} different fields; expected like rows"
                )
            for name, key_texts in candidates.items():
                key_texts.add(piece, name)
            total += piece.rows
            self._values_held += piece.cells
            holding.add(piece)
        self._held = holding.pieces
        if faults.count:
            raise TableError(
                faults.message(f"{self.path}: {count(faults.count, 'faulty row')} in the feature table")
            )
        return columns, total

    def _is_sound(self, faults: Faults, number: int, row: Any) -> bool:
        where = f"{self.path} {self._unit} {number}"
        if not isinstance(row, dict):
            found = row if isinstance(row, ValueError) else f"found {_kind_of(row)}"
            faults.add(f"{where}: {found}; expected a JSON object")
            return False
        for name in self._wanted_keys:
            if isinstance(value := row.get(name), dict | list):
                faults.add(f"{where} column {show(name)}: found {_kind_of(value)}; expected a key")
        return True

    def _check_dense(self) -> None:
        """:raises TableError: as a table of columns it would be nearly all nulls, and without bounds."""
        self.check_columns(self.columns)
        cells = self.rows * len(self.columns)
        if cells > _MAX_UNCHECKED_CELLS and cells > _MAX_CELLS_PER_VALUE * self._values_held:
            raise TableError(
                f"{self.path}: found {len(self.columns)} columns in {self.rows} rows that have few of them each; "
                "expected rows of like fields (or write the table as JSONL)"
            )

    def _may_be_key(self, name: str) -> bool:
        return name in self._wanted_keys if self._wanted_keys else name.lower() in keys.CANDIDATES


class _Holding:
    """The pieces of a table, as long as they are small: in columns without their lines, or a few rows.

    Attributes:
        pieces: the pieces; None: the table is to be read again.
    """

    def __init__(self) -> None:
        self.pieces: list[Piece] | None = []
        self._bytes = 0

    def add(self, piece: Piece) -> None:
        """Hold the next piece too."""
        size = _size(piece)
        if self.pieces is None or size is None or self._bytes + size > MAX_HELD_ROWS_BYTES:
            self.pieces = None
            return
        self._bytes += size
        self.pieces.append(piece)


def _size(piece: Piece) -> int | None:
    """The bytes of a piece in memory; None: it is not to be held."""
    if isinstance(piece, Columns):
        return None if piece.lines is not None else int(piece.alike.rows.nbytes)
    return piece.cells * _BYTES_PER_OBJECT if piece.rows < MIN_LINES else None


class _KeyTexts:
    """The key texts of one column, as Arrow arrays: as Python strings they take three times as much.

    Attributes:
        parts: the texts; None: they are too large to be held.
        fault: why one of them is no text.
    """

    def __init__(self, absent: int) -> None:
        self.parts: list[pa.Array] | None = [pa.nulls(absent, pa.string())]
        self.fault: UnicodeEncodeError | None = None
        self._bytes = 0

    def add(self, piece: Piece, name: str) -> None:
        try:
            part = piece.key_texts(name)
        except UnicodeEncodeError as exc:
            self.fault = exc  # it is none if another column is the key
            return
        self._bytes += part.nbytes
        if self._bytes > MAX_HELD_BYTES:
            self.parts = None
        if self.parts is not None:
            self.parts.append(part)


def _in_columns(lines: Lines) -> Columns | _NumberedRows:
    columns = Columns.of(lines)
    return lines.numbered() if columns is None else columns


def _kind_of(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return show(value)
