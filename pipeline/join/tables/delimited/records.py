"""The records of a delimited text, as batches of text cells.

Some lines at a time are read in threads, as most records end where a line does. Where a record goes on behind the last of
those lines, as a quote says, and where pyarrow finds a fault, the text is read again in a stream: by one thread, with the
number of the record in its message.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.csv as pacsv

from ....errors import TableError
from ....storage import files, textfiles
from ....storage.locations import Location
from ...threads import ReadAhead

_PIECE_BYTES = 1 << 22
_COLUMN_BYTES = (
    1 << 10
)  # of as many columns a piece has so many bytes each, since each takes time for every piece
_BLOCK_BYTES = textfiles.MAX_RECORD_BYTES  # pyarrow accepts no longer record
_BLOCKS_AHEAD = 3  # pyarrow needs two: a record may end in the next one

_Result = TypeVar("_Result")


class _Worked(NamedTuple):
    """What was made of some records, and how many these are."""

    rows: int
    result: Any


@dataclass(frozen=True)
class Records:
    """The records of a delimited text.

    Attributes:
        path: the file.
        columns: the names of the columns.
        delimiter: the delimiter.
        header_lines: how many lines name the columns; 0: an entry does.
    """

    path: Location
    columns: tuple[str, ...]
    delimiter: str
    header_lines: int

    def each(
        self,
        work: Callable[[pa.RecordBatch], _Result],
        columns: Sequence[str] | None = None,
        *,
        is_checked: bool = False,
    ) -> Iterator[_Result]:
        """What `work`, in threads, makes of the cells (string) of columns, some records at a time, in order.

        :param columns: names of columns; None: all.
        :param is_checked: whether the text is known to be UTF-8.
        :raises TableError: the text is not UTF-8, or a record has too few cells, too many, or no end.
        """
        wanted = [*(self.columns if columns is None else columns)]
        done = 0
        with ReadAhead() as ahead:
            for worked in ahead.each(
                functools.partial(self._worked, work, wanted, is_checked), self._pieces()
            ):
                if worked is None:
                    break
                done += worked.rows
                yield worked.result
            else:
                return
            yield from ahead.each(work, _from_row(done, self._streamed(wanted, is_checked)))

    def _pieces(self) -> Iterator[bytes | None]:
        """The text in parts of whole lines; None: it cannot be read so."""
        with textfiles.open_text_bytes(self.path) as stream, files.reading(self.path):
            header = stream.readline(_BLOCK_BYTES) if self.header_lines else b"\n"
            if self.header_lines > 1 or b"\r" in header.rstrip(b"\r\n") or not header.endswith(b"\n"):
                yield None
                return
            size = max(_PIECE_BYTES, min(len(self.columns) * _COLUMN_BYTES, _BLOCK_BYTES))
            while content := stream.read(size):
                if not content.endswith(b"\n"):
                    content += (rest := stream.readline(_BLOCK_BYTES))
                    if len(rest) == _BLOCK_BYTES:
                        yield None
                        return
                yield content

    def _worked(
        self,
        work: Callable[[pa.RecordBatch], _Result],
        columns: list[str],
        is_checked: bool,
        content: bytes | None,
    ) -> _Worked | None:
        """What is made of the records in some lines; None: they cannot be read, or the last one goes on behind them."""
        if content is None:
            return None
        try:
            table = pacsv.read_csv(
                pa.py_buffer(content),
                pacsv.ReadOptions(use_threads=False, block_size=len(content), column_names=self.columns),
                self._parsing,
                self._converting(columns, is_checked or content.isascii()),
            )
        except pa.ArrowInvalid:
            return None
        batches = table.to_batches()
        if len(batches) != 1 or self._ends_with_lines(batches[0]):
            return None
        return _Worked(batches[0].num_rows, work(batches[0].select(columns)))

    @property
    def _parsing(self) -> pacsv.ParseOptions:
        return pacsv.ParseOptions(
            delimiter=self.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=len(self.columns) > 1,  # else it is an empty cell
        )

    def _converting(self, columns: list[str], is_checked: bool) -> pacsv.ConvertOptions:
        return pacsv.ConvertOptions(
            check_utf8=not is_checked,
            column_types=dict.fromkeys(self.columns, pa.string()),
            strings_can_be_null=False,
            include_columns=[*dict.fromkeys([*columns, self.columns[-1]])],
        )

    def _ends_with_lines(self, batch: pa.RecordBatch) -> bool:
        """Whether the last cell spans lines: pyarrow takes a quote that nothing closes for one that holds all the rest."""
        return batch.num_rows > 0 and "\n" in batch.column(self.columns[-1])[-1].as_py()

    def _streamed(self, columns: list[str], is_checked: bool) -> Iterator[pa.RecordBatch]:
        last: pa.RecordBatch | None = None
        with (
            textfiles.open_text_bytes(self.path) as stream,
            _Paced(stream) as paced,
            files.reading(self.path),
        ):
            names = None if self.header_lines else self.columns
            try:
                for last in pacsv.open_csv(
                    paced,
                    pacsv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False, column_names=names),
                    self._parsing,
                    self._converting(columns, is_checked),
                ):
                    yield last.select(columns)
                    paced.go_on()
            except pa.ArrowInvalid as exc:
                raise TableError(self._unreadable(exc)) from exc
        if last is not None and self._ends_with_lines(last) and self._quotes() % 2:
            raise TableError(f"{self.path}: a quote is opened and not closed; expected quotes in pairs")

    def _unreadable(self, exc: pa.ArrowInvalid) -> str:
        if "UTF8" in str(exc):
            return textfiles.not_utf8(self.path)
        return f"{self.path}: {exc}; expected records of {len(self.columns)} cells"

    def _quotes(self) -> int:
        with textfiles.open_text_bytes(self.path) as stream, files.reading(self.path):
            return sum(part.count(b'"') for part in iter(lambda: stream.read(files.DIGEST_BUFFER), b""))


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


def _from_row(row: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches from a row on, the first of which is 0."""
    for batch in batches:
        if row < batch.num_rows:
            yield batch.slice(row)
        row = max(0, row - batch.num_rows)
