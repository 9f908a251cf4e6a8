"""Row groups of a new Parquet file, a few of them encoded beside each other.

pyarrow encodes one column after the other. Here a thread encodes a row group as a file of its own in memory; the new file
takes its pages, and what its footer says of them. The bytes are those of pyarrow's writer.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ....errors import TableError
from ....storage.writing import NewFile
from ...threads import ReadAhead
from .footer import END, MAGIC, Footer, footer_of
from .thrift import Struct

MAX_COLUMNS = 500
"""Of more columns a row group has so few rows that reading its footer takes as long as encoding it."""

_WRITE_BUFFER = 1 << 20


@dataclass(frozen=True)
class Layout:
    """How a Parquet file is laid out.

    Attributes:
        schema: names and types of its columns, with the metadata of the file.
        settings: those of pyarrow's writer.
        arrow_schema: the metadata that says what Arrow's readers give back; None: they give back `schema`.
    """

    schema: pa.Schema
    settings: Mapping[str, Any]
    arrow_schema: Mapping[bytes, bytes] | None = None

    def writer(self, stream: IO[bytes]) -> pq.ParquetWriter:
        """Pyarrow's writer.

        :raises pa.ArrowException: a column cannot be stored.
        """
        writer = pq.ParquetWriter(
            stream, self.schema, **self.settings, store_schema=self.arrow_schema is None
        )
        if self.arrow_schema is not None:
            writer.add_key_value_metadata(self.arrow_schema)
        return writer

    def encoded(self, batch: pa.RecordBatch) -> bytes:
        """A file of one row group, without metadata."""
        into = io.BytesIO()
        schema = self.schema.remove_metadata()
        with pq.ParquetWriter(into, schema, **self.settings, store_schema=False) as writer:
            writer.write_batch(batch.replace_schema_metadata())
        return into.getvalue()


class GroupWriter(Protocol):
    """Writes a Parquet file, a row group at a time."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch, of the schema of the layout, as a row group.

        :raises pa.ArrowException: a column of this batch, or of one before, cannot be stored.
        """

    def close(self) -> None:
        """Write what is left, and the footer.

        :raises pa.ArrowException: as `write`.
        """


def group_writer(created: NewFile, layout: Layout) -> GroupWriter:
    """What writes the row groups of a new file.

    :raises pa.ArrowException: a column cannot be stored.
    """
    return _InTurn(created, layout) if len(layout.schema) > MAX_COLUMNS else _Beside(created, layout)


class _InTurn:
    """Encodes one row group after the other."""

    def __init__(self, created: NewFile, layout: Layout) -> None:
        self._stream = io.BufferedWriter(created, _WRITE_BUFFER)
        self._writer = layout.writer(self._stream)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()
        self._stream.flush()


class _Beside:
    """Encodes row groups in threads, and writes them in order."""

    def __init__(self, created: NewFile, layout: Layout) -> None:
        self._created, self._layout = created, layout
        without_rows = io.BytesIO()
        layout.writer(without_rows).close()
        self._footer = self._parsed(without_rows.getvalue())
        self._groups: list[Struct] = []
        self._begun: deque[Future[bytes]] = deque()
        self._ahead = ReadAhead()
        created.write(MAGIC)

    def write(self, batch: pa.RecordBatch) -> None:
        self._begun.append(self._ahead.begin(self._layout.encoded, batch))
        if len(self._begun) > self._ahead.size:
            self._take(self._begun.popleft().result())

    def close(self) -> None:
        with self._ahead:
            while self._begun:
                self._take(self._begun.popleft().result())
        content = self._footer.with_groups(self._groups)
        self._created.write(content + END.pack(len(content), MAGIC))

    def _take(self, encoded: bytes) -> None:
        """Append the pages of an encoded file, and keep what its footer says of them."""
        footer = self._parsed(encoded)
        self._groups += footer.moved_groups(self._created.size - len(MAGIC))
        self._created.write(memoryview(encoded)[len(MAGIC) : footer.start])

    def _parsed(self, encoded: bytes) -> Footer:
        footer = footer_of(encoded)
        if footer is None:
            raise TableError(f"{self._created.path}: the footer of a row group cannot be read")
        return footer
