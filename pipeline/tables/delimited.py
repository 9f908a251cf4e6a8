"""CSV and TSV in and out: cells are text, and stay the text they are unless a typed output is asked for."""

from __future__ import annotations

import csv
import functools
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from pipeline import files, texts
from pipeline.errors import TableError
from pipeline.tables.base import Chunk, FeatureTable, Form, Sink, with_columns
from pipeline.tables.forms import arrow_to_rows, arrow_to_text

_BLOCK_BYTES = texts.MOST_RECORD_BYTES  # pyarrow accepts no longer record
_BLOCKS_AHEAD = 3  # pyarrow needs two: a record may end in the next one
_INTEGER = r"\A(?:0|-?[1-9][0-9]*)\z"
# An exponent only with its sign, as programs print it: `33e3` is a clip's id, not a number.
_NUMBER = r"\A-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-][0-9]+)?\z"
_LONG_INTEGER = r"\A-?[0-9]{16,}"  # may be above 2^53, where a float no longer holds every integer


class DelimitedTable(FeatureTable):
    """A CSV or TSV feature table with a header."""

    def __init__(self, path: Path, wanted_key: str | None, delimiter: str) -> None:
        super().__init__(path, wanted_key)
        self._delimiter = delimiter
        self._columns = self._header()
        self.check_columns(self._columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header."""
        return self._columns

    @functools.cached_property
    def rows(self) -> int:
        """Number of records below the header."""
        return len(self.keys())

    def keys(self) -> pa.Array:
        """The key column's cells as they stand."""
        parts = [batch.column(0) for batch in self._batches([self.key_column])]
        return pa.chunked_array(parts, pa.string()).combine_chunks()

    @functools.cached_property
    def _schema(self) -> pa.Schema:
        found = {name: _Numbers() for name in self._columns if name != self.key_column}
        for batch in self._batches():
            for name, numbers in found.items():
                numbers.look_at(batch.column(name))
        types = {name: found[name].type if name in found else pa.string() for name in self._columns}
        return pa.schema(list(types.items()))

    def schema(self) -> pa.Schema:
        """Text, but for columns other than the key in which every value is a plain number."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The records as text, or with the numeric columns as numbers."""
        for batch in self._batches():
            if form == "text":
                yield batch
            else:
                typed = _typed(batch, self._schema)
                yield arrow_to_rows(typed, str(self.path)) if form == "rows" else typed

    def _header(self) -> tuple[str, ...]:
        try:
            with (
                files.open_text_bytes(self.path) as stream,
                files.reading(self.path),
                io.TextIOWrapper(stream, encoding="utf-8", newline="") as text,
            ):
                csv.field_size_limit(texts.MOST_RECORD_BYTES)
                lines = texts.record_lines(self.path, text)
                header = tuple(next(csv.reader(lines, delimiter=self._delimiter), ()))
                self._ends_at_header = not text.read(1)
        except (UnicodeDecodeError, csv.Error) as exc:
            raise TableError(f"{self.path}: {exc}; expected UTF-8 text with a header") from exc
        if not any(header):
            raise TableError(f"{self.path}: found no header; expected one line that names the columns")
        return header

    def _batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        if self._ends_at_header:  # which pyarrow refuses without a line end
            return
        text = dict.fromkeys(self._columns, pa.string())
        last: pa.RecordBatch | None = None
        with files.open_text_bytes(self.path) as stream, _Paced(stream) as paced, files.reading(self.path):
            try:
                for last in pacsv.open_csv(
                    paced,
                    read_options=pacsv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
                    parse_options=pacsv.ParseOptions(
                        delimiter=self._delimiter,
                        newlines_in_values=True,
                        ignore_empty_lines=len(self._columns) > 1,  # else it is an empty cell
                    ),
                    convert_options=pacsv.ConvertOptions(
                        column_types=text, strings_can_be_null=False, include_columns=columns or []
                    ),
                ):
                    yield last
                    paced.go_on()
            except pa.ArrowInvalid as exc:
                raise TableError(
                    f"{self.path}: {exc}; expected records of {len(self._columns)} cells"
                ) from exc
        # pyarrow takes a quote that nothing closes for a cell that holds the rest of the file.
        if last is not None and _ends_with_lines(last) and self._quotes() % 2:
            raise TableError(f"{self.path}: a quote is opened and not closed; expected quotes in pairs")

    def _quotes(self) -> int:
        with files.open_text_bytes(self.path) as stream, files.reading(self.path):
            return sum(part.count(b'"') for part in iter(lambda: stream.read(files.DIGEST_BUFFER), b""))


class DelimitedSink(Sink):
    """A joined table as CSV or TSV: UTF-8, `\\n`, quotes only where they are needed."""

    form: Form = "text"

    def __init__(self, path: Path, name: str, columns: list[str], delimiter: str) -> None:
        self._delimiter = delimiter
        self._stream = files.create_text_bytes(path, name)
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
    """A stream of which a few blocks are read before they are asked for; pyarrow alone reads 32, 512 MB.

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


class _Numbers:
    """What the cells of one column have in common, as far as they were looked at."""

    def __init__(self) -> None:
        self._any = False
        self._kinds = [pa.int64(), pa.uint64(), pa.float64()]

    def look_at(self, cells: pa.Array) -> None:
        values = cells.filter(pc.not_equal(cells, ""))
        if len(values):
            self._any = True
            self._kinds = [kind for kind in self._kinds if _all_are(values, kind)]

    @property
    def type(self) -> pa.DataType:
        return self._kinds[0] if self._any and self._kinds else pa.string()


def _all_are(values: pa.Array, kind: pa.DataType) -> bool:
    """Whether every text is a plain number that `kind` holds exactly."""
    if kind == pa.float64():
        if not pc.all(pc.match_substring_regex(values, _NUMBER)).as_py():
            return False
        exact = not pc.any(pc.match_substring_regex(values, _LONG_INTEGER)).as_py()
        return exact and bool(pc.all(pc.is_finite(values.cast(kind))).as_py())
    if not pc.all(pc.match_substring_regex(values, _INTEGER)).as_py():
        return False
    try:
        values.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _ends_with_lines(batch: pa.RecordBatch) -> bool:
    """Whether a cell of the last record spans lines."""
    return batch.num_rows > 0 and any("\n" in column[-1].as_py() for column in batch.columns)


def _records(batch: pa.RecordBatch, delimiter: str) -> pa.Buffer:
    """The text of the records; made column by column it takes a third of csv.writer's time.

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


def _typed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [_numbers(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _numbers(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        return cells
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells).cast(kind)
