"""A feature table of CSV or TSV.

A joined table has the delimiter of its own extension and decimal points, however the feature table is written.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import pyarrow as pa

from ....errors import TableError
from ....storage.dialect import TextSettings, columns_advice, delimiter_advice
from ....storage.locations import Location
from ..base import Chunk, FeatureTable, Form, regrouped
from ..convert import arrow_to_rows
from .beginning import read_beginning
from .census import TableCensus
from .reading import FirstReading, Reader
from .records import Records


class DelimitedTable(FeatureTable):
    """A CSV or TSV feature table, with a header or with columns that its entry names."""

    def __init__(self, path: Location, wanted_key: str | None, usual: str, settings: TextSettings) -> None:
        """:param usual: the delimiter that the file's extension implies."""
        super().__init__(path, wanted_key)
        beginning = read_beginning(path, usual, settings)
        self._dialect = beginning.dialect
        self._is_empty = beginning.ends
        self._recognised = settings.note(beginning.dialect, usual)
        self._columns = beginning.columns
        beginning.check(path, settings, self._wanted_keys)
        self.check_columns(self._columns)
        self._records = Records(path, self._columns, self._dialect.delimiter, beginning.header_lines)
        self._is_typed = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, or those that are set."""
        return self._columns

    @property
    def notes(self) -> tuple[str, ...]:
        """The dialect that was recognised; once the types are known, why columns stay text."""
        recognised = [self._recognised] if self._recognised else []
        texts = self._first.census.notes if self._is_read else []
        return (*recognised, *texts)

    @functools.cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key.

        :raises TableError: there is none; the message names another delimiter, if the header seems to have one.
        """
        try:
            return super().key_columns
        except TableError as exc:
            advice = delimiter_advice(self._columns, self._dialect.delimiter) or columns_advice(self._columns)
            raise TableError(f"{exc}{advice}") from exc

    @functools.cached_property
    def rows(self) -> int:
        """Number of records below the header."""
        if self._is_read:
            return self._first.rows
        return sum(batch.num_rows for batch in self._batches([*self._columns[:1]]))

    def expect(self, form: Form) -> None:
        """As text the rows are read again, behind their keys; typed, both are read at once."""
        self._is_typed = form != "text"

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The cells of columns, unchanged, some rows at a time."""
        keys = self._inner_keys
        if (self._is_typed or self._is_read) and set(columns) <= set(keys) and self._first.keys is not None:
            positions = [keys.index(name) for name in columns]
            return ([texts[position] for position in positions] for texts in self._first.keys)
        return (batch.columns for batch in self._batches(columns))

    def schema(self) -> pa.Schema:
        """Text, but for columns that are no part of the key in which every value is a plain number or a word for none."""
        return self._census.schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The records as text, or with the numeric columns as numbers.

        As text every cell stays as it is, but for the decimal commas of numbers: the columns that are appended, and
        whoever reads the joined table, have decimal points.
        """
        match form:
            case "text" if self._dialect.decimal == ",":
                yield from map(self._census.with_point, self._batches())
            case "text":
                yield from self._batches()
            case "rows":
                yield from (arrow_to_rows(typed, str(self.path)) for typed in self._typed())
            case _:
                yield from regrouped(self._typed())

    def _typed(self) -> Iterator[pa.RecordBatch]:
        if self._first.held is not None:
            yield from self._first.held
        elif not self._is_empty:
            yield from self._records.each(self._census.typed, is_checked=True)

    def _batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        if not self._is_empty:  # which pyarrow refuses without a line end, as it does an empty file
            yield from self._records.each(_unchanged, columns, is_checked=self._is_read)

    @property
    def _inner_keys(self) -> list[str]:
        return [name for name in self.key_columns if name in self._columns]

    @property
    def _is_read(self) -> bool:
        return "_first" in self.__dict__

    @property
    def _census(self) -> TableCensus:
        return self._first.census

    @functools.cached_property
    def _first(self) -> FirstReading:
        reader = Reader(self._columns, self._inner_keys, self._dialect.decimal)
        pieces = iter(()) if self._is_empty else self._records.each(reader.piece)
        return reader.read(pieces)


def _unchanged(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch
