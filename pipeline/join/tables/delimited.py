"""CSV and TSV in and out: cells are text, and stay unchanged unless a typed output is requested.

A joined table has the delimiter of its own extension and decimal points, however the feature table is written.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from ...errors import TableError
from ...storage import files, textfiles
from ...storage.dialect import TextSettings, columns_advice, delimiter_advice
from ...storage.locations import Location
from ...storage.writing import NewFile
from .base import Chunk, FeatureTable, Form, Sink, with_columns
from .beginning import read_beginning
from .cells import TableCensus
from .convert import arrow_to_rows, arrow_to_text

_BLOCK_BYTES = textfiles.MAX_RECORD_BYTES  # pyarrow accepts no longer record
_BLOCKS_AHEAD = 3  # pyarrow needs two: a record may end in the next one


class DelimitedTable(FeatureTable):
    """A CSV or TSV feature table, with a header or with columns that its entry names."""

    def __init__(self, path: Location, wanted_key: str | None, usual: str, settings: TextSettings) -> None:
        """:param usual: the delimiter that the file's extension implies."""
        super().__init__(path, wanted_key)
        self._settings = settings
        beginning = read_beginning(path, usual, settings)
        self._dialect = beginning.dialect
        self._ends_at_header = beginning.ends
        self._recognised = settings.note(beginning.dialect, usual)
        self._columns = beginning.columns
        beginning.check(path, settings, self._wanted_keys)
        self.check_columns(self._columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, or those that are set."""
        return self._columns

    @property
    def notes(self) -> tuple[str, ...]:
        """The dialect that was recognised; once the types are known, why columns stay text."""
        recognised = [self._recognised] if self._recognised else []
        texts = self._census.notes if "_census" in self.__dict__ else []
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
        return sum(batch.num_rows for batch in self._batches([*self._columns[:1]]))

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The cells of columns, unchanged, some rows at a time."""
        return (batch.columns for batch in self._batches([*columns]))

    @functools.cached_property
    def _census(self) -> TableCensus:
        names = [name for name in self._columns if name not in self.key_columns]
        return TableCensus.of(self._batches(), self._columns, names, self._dialect.decimal)

    def schema(self) -> pa.Schema:
        """Text, but for columns that are no part of the key in which every value is a plain number or a word for none."""
        return self._census.schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The records as text, or with the numeric columns as numbers.

        As text every cell stays as it is, but for the decimal commas of numbers: the columns that are appended, and
        whoever reads the joined table, have decimal points.
        """
        for batch in self._batches():
            if form != "text":
                typed = self._census.typed(batch)
                yield arrow_to_rows(typed, str(self.path)) if form == "rows" else typed
            elif self._dialect.decimal == ",":
                yield self._census.with_point(batch)
            else:
                yield batch

    def _batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        if self._ends_at_header:  # which pyarrow refuses without a line end, as it does an empty file
            return
        text = dict.fromkeys(self._columns, pa.string())
        last: pa.RecordBatch | None = None
        with (
            textfiles.open_text_bytes(self.path) as stream,
            _Paced(stream) as paced,
            files.reading(self.path),
        ):
            try:
                for last in pacsv.open_csv(
                    paced,
                    read_options=pacsv.ReadOptions(
                        block_size=_BLOCK_BYTES,
                        use_threads=False,
                        column_names=[*self._settings.columns] or None,
                    ),
                    parse_options=pacsv.ParseOptions(
                        delimiter=self._dialect.delimiter,
                        newlines_in_values=True,
                        ignore_empty_lines=len(self._columns) > 1,  # else it is an empty cell
                    ),
                    convert_options=pacsv.ConvertOptions(
                        check_utf8="_census" not in self.__dict__,  # the census has read all of it
                        column_types=text,
                        strings_can_be_null=False,
                        include_columns=columns or [],
                    ),
                ):
                    yield last
                    paced.go_on()
            except pa.ArrowInvalid as exc:
                raise TableError(self._unreadable(exc)) from exc
        # pyarrow takes a quote that nothing closes for a cell that holds the rest of the file.
        if last is not None and _ends_with_lines(last) and self._quotes() % 2:
            raise TableError(f"{self.path}: a quote is opened and not closed; expected quotes in pairs")

    def _unreadable(self, exc: pa.ArrowInvalid) -> str:
        if "UTF8" in str(exc):
            return textfiles.not_utf8(self.path)
        return f"{self.path}: {exc}; expected records of {len(self._columns)} cells"

    def _quotes(self) -> int:
        with textfiles.open_text_bytes(self.path) as stream, files.reading(self.path):
            return sum(part.count(b'"') for part in iter(lambda: stream.read(files.DIGEST_BUFFER), b""))


class DelimitedSink(Sink):
    """A joined table as CSV or TSV: UTF-8, `\\n`, quotes only where they are needed."""

    form: Form = "text"

    def __init__(self, created: NewFile, columns: list[str], delimiter: str) -> None:
        self._delimiter = delimiter
        self._stream = textfiles.text_bytes_of(created)
        header = pa.RecordBatch.from_arrays([pa.array([column]) for column in columns], names=columns)
        self._stream.write(_records(header, delimiter))

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write a batch of text cells with the appended values behind them."""
        joined = with_columns(chunk, arrow_to_text(appended, "the join"))
        self._stream.write(_records(joined, self._delimiter))

    def close(self) -> None:
        """End the file."""
        self._stream.close()


class _Paced(io.RawIOBase):
    """Limits pyarrow's read-ahead to a few blocks; by default it reads 32 of them (512 MB).

    A batch comes of each block, but of blank lines before the first record none: so the wait for one ends.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._allowed = threading.Semaphore(_BLOCKS_AHEAD)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._allowed.acquire(timeout=1)
        return self._stream.read(size)

    def go_on(self) -> None:
        """One batch has been dealt with."""
        self._allowed.release()

    def close(self) -> None:
        """Nobody waits any longer."""
        self._allowed.release(_BLOCKS_AHEAD)
        super().close()


def _ends_with_lines(batch: pa.RecordBatch) -> bool:
    """Whether a cell of the last record spans lines."""
    return batch.num_rows > 0 and any("\n" in column[-1].as_py() for column in batch.columns)


def _records(batch: pa.RecordBatch, delimiter: str) -> pa.Buffer:
    """The text of the records; built column by column it takes a third of csv.writer's time.

    Two columns or more, as a record of one empty cell would be an empty line.
    """
    cells = [_quoted(column, delimiter) for column in batch.columns]
    last = pc.binary_join_element_wise(cells.pop(), "\n", "", null_handling="replace")
    records = pc.binary_join_element_wise(*cells, last, delimiter, null_handling="replace")
    return pc.binary_join(pa.ListArray.from_arrays([0, len(records)], records), "")[0].as_buffer()


def _quoted(cells: pa.Array, delimiter: str) -> pa.Array:
    """The cells, in quotes where they hold what means something between cells."""
    special = pc.match_substring_regex(cells, f'["\r\n{delimiter}]')
    if not pc.any(special).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), cells)
