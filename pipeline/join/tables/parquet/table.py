"""A feature table in Parquet: every type, null, nested value and metadata entry is read as it is."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ....errors import TableError, show
from ....records import snapshots
from ....records.snapshots import Snapshot
from ....storage import files
from ....storage.files import Hash
from ....storage.locations import Location
from ... import keys
from ..base import CHUNK_ROWS, Chunk, FeatureTable, Form
from ..convert import arrow_to_rows, arrow_to_text
from ..views import plain_schema
from . import kinds
from .footer import ChunkSize, Footer, footer_content, is_encrypted
from .thrift import ThriftError

BATCH_BYTES = 1 << 25
_READ_BUFFER = 1 << 16  # bytes of each column that are read at once from a local file
_FOOTER_END_BYTES = 8  # its length and the magic bytes
_MIN_GROUP_ROWS = 1 << 12
_MAX_SMALL_CHUNKS = 1000
_UNREADABLE_ARRAYS = ("Length spanned by list offsets", "Expected all lists to be of size")
_ENCRYPTED = ("Cannot decrypt", "encrypted")


class ParquetTable(FeatureTable):
    """A Parquet feature table, read row group by row group."""

    def __init__(self, path: Location, wanted_key: str | None = None) -> None:
        super().__init__(path, wanted_key)
        try:
            self._file = self._open()
            self._schema: pa.Schema = self._file.schema_arrow
            self.dictionaries()
        except (pa.ArrowException, OSError, UnicodeDecodeError, ThriftError) as exc:
            raise TableError(_unopened(path, exc)) from exc
        self.check_columns(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._schema.names)

    @property
    def rows(self) -> int:
        """Number of rows, from the file's footer."""
        return int(self._file.metadata.num_rows)

    def null_counts(self) -> dict[str, int]:
        """Nulls by column, from the footer: of flat columns with statistics in every row group."""
        found: dict[str, int | None] = dict.fromkeys(self.columns, 0)
        metadata = self._file.metadata
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                column = metadata.row_group(group).column(index)
                name, statistics = column.path_in_schema, column.statistics
                known = statistics is not None and statistics.has_null_count
                if (nulls := found.get(name)) is not None:
                    found[name] = nulls + statistics.null_count if known else None
        flat = {metadata.schema.column(index).path for index in range(metadata.num_columns)}
        return {name: nulls for name, nulls in found.items() if nulls is not None and name in flat}

    @property
    def data_bytes(self) -> int:
        """All before the footer: the columns."""
        return max(
            0, files.signature(self.path).size - _FOOTER_END_BYTES - int(self._file.metadata.serialized_size)
        )

    def snapshot(self) -> Snapshot:
        """Digest the file, its data apart: a joined table that begins with them takes their digest as known."""
        return snapshots.snapshot(self.path, lambda path: self._digest_of_rest(path).hexdigest())

    @functools.cached_property
    def data_digest(self) -> Hash:
        """The running digest of the first `data_bytes` of the file; to be copied before it is continued."""
        return files.digest_from(self.path, hashlib.sha256(), 0, self.data_bytes)

    def _digest_of_rest(self, path: Location) -> Hash:
        return files.digest_from(path, self.data_digest.copy(), self.data_bytes)

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns, some rows at a time; no other column is read."""
        rows = 0
        for batch in self._batches([*columns]):
            rows += batch.num_rows
            # By name from the batch: a name with dots also selects the children of a struct.
            yield [self._texts(name, batch.column(name)) for name in columns]
        self._check_rows(columns[0], rows, self.rows)

    def _texts(self, name: str, column: pa.Array) -> pa.Array:
        try:
            texts = keys.texts(column)
            texts.validate(full=True)  # a text need not be UTF-8
        except pa.ArrowException as exc:
            raise TableError(
                f"{self.path} column {show(name)}: found {column.type}; expected keys, texts or numbers: "
                f"{first_line(exc)}"
            ) from exc
        return texts

    def schema(self) -> pa.Schema:
        """The file's Arrow schema with its key-value metadata."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows in record batches, converted to the requested form; or their number per row group."""
        if form == "count":
            yield from (
                self._file.metadata.row_group(index).num_rows for index in range(self._file.num_row_groups)
            )
            return
        for batch in self._batches():
            if form == "arrow":
                yield batch
            else:
                turned = arrow_to_rows if form == "rows" else arrow_to_text
                yield turned(batch, str(self.path))

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows in record batches that have these columns, and perhaps others.

        :raises TableError: some data is damaged.
        """
        with self._reading():
            yield from self._file.iter_batches(batch_size=self._batch_rows(), columns=columns)

    def check_data(self) -> None:
        """Decode everything once, column by column, so that damage does not pass.

        :raises TableError: some data is damaged.
        """
        if self.is_worth_copying:
            self._read_each_column()  # else they are read when they are written

    def _read_each_column(self) -> None:
        with self._reading():
            file = self._open()
        with file:
            for group in range(file.num_row_groups):
                expected = file.metadata.row_group(group).num_rows
                for name in self.columns:
                    with self._reading(name):
                        found = file.read_row_group(group, columns=[name], use_threads=False).num_rows
                    self._check_rows(name, found, expected)

    def _check_rows(self, name: str, found: int, expected: int) -> None:
        """Pyarrow takes a column that ends too soon for a short one."""
        if found != expected:
            raise TableError(
                f"{self.path} column {show(name)}: damaged Parquet data: found {found} values; expected {expected}"
            )

    @functools.cached_property
    def is_worth_copying(self) -> bool:
        """Whether a joined table may begin with this file's data.

        Not so if it is in many small row groups: a footer of all of them takes longer than writing the rows into few.
        """
        groups, columns = self._file.num_row_groups, self._file.metadata.num_columns
        if groups * columns <= _MAX_SMALL_CHUNKS or self.rows >= groups * _MIN_GROUP_ROWS:
            return True
        return self.kinds != kinds.written_kinds(plain_schema(self._schema))

    @functools.cached_property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The logical types of the columns, see `kinds.kinds`; empty: the footer is not of the plain kind."""
        content, _ = footer_content(self.path)
        try:
            return {} if content is None else kinds.kinds(content)
        except ThriftError:
            return {}

    def dictionaries(self) -> list[str] | None:
        """The paths of the columns whose dictionary encoding is smaller than plain encoding.

        None: finding out would take too long.
        """
        if not self.is_worth_copying:
            return None
        paid: dict[str, int] = {}
        for chunk in self._chunk_sizes:
            plain = chunk.page_bytes + 1 if chunk.plain_bytes is None else chunk.plain_bytes
            gain = plain - chunk.page_bytes if chunk.has_dictionary else 0
            paid[chunk.path] = paid.get(chunk.path, 0) + gain
        return [path for path, gain in paid.items() if gain > 0]

    @functools.cached_property
    def footer(self) -> Footer | None:
        """The file's footer; None: it has none of the plain kind."""
        return Footer.read(self.path)

    @functools.cached_property
    def _chunk_sizes(self) -> list[ChunkSize]:
        try:
            return [] if self.footer is None else [*self.footer.chunks()]
        except (AttributeError, KeyError, TypeError) as exc:
            raise ThriftError("the footer lacks what every one has") from exc

    def _data_size(self) -> int:
        """Bytes of all values, according to the footer."""
        if self.is_worth_copying:
            return sum(max(chunk.page_bytes, chunk.plain_bytes or 0) for chunk in self._chunk_sizes)
        groups = map(self._file.metadata.row_group, range(self._file.num_row_groups))
        return sum(int(group.total_byte_size) for group in groups)

    def _batch_rows(self) -> int:
        """Rows of about `BATCH_BYTES`, so that a table of many columns takes no more memory than one of few."""
        fitting = BATCH_BYTES * self.rows // max(1, self._data_size())
        return min(CHUNK_ROWS, max(1024, int(fitting)))

    def _batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        rows = CHUNK_ROWS if columns else self._batch_rows()
        with self._reading(columns[0] if columns and len(columns) == 1 else None):
            try:
                yield from self._file.iter_batches(batch_size=rows, columns=columns)
            except (OSError, pa.ArrowException):
                if columns is None:
                    self._read_each_column()  # which knows the column to blame
                raise

    def _open(self) -> Any:
        return pq.ParquetFile(**files.arrow_source(self.path, _READ_BUFFER))

    @contextlib.contextmanager
    def _reading(self, name: str | None = None) -> Iterator[None]:
        """:param name: the column that is being read; None: it is not known which."""
        try:
            yield
        except (OSError, pa.ArrowException) as exc:
            raise TableError(_unread(self.path, name, first_line(exc))) from exc


def _unopened(path: Location, exc: Exception) -> str:
    if is_encrypted(path):
        return _encrypted(f"{path}")
    return f"{path}: not a Parquet file: {first_line(exc)}; expected what its name says"


def _unread(path: Location, column: str | None, reason: str) -> str:
    at = "" if column is None else f" column {show(column)}"
    if any(text in reason for text in _UNREADABLE_ARRAYS):
        return (
            f"{path}{at}: found an array of fixed size that is null, written as pyarrow cannot read it; expected lists; "
            "write the column as a list (in DuckDB: cast it to FLOAT[])"
        )
    if any(text in reason for text in _ENCRYPTED):
        return _encrypted(f"{path}{at}")
    return f"{path}: damaged Parquet data:{at and f'{at}:'} {reason}"


def _encrypted(where: str) -> str:
    return (
        f"{where}: found encrypted Parquet; expected a table that is read without a key; "
        "write it again without encryption"
    )


def first_line(exc: Exception) -> str:
    """The first line of an exception's message."""
    return (str(exc).splitlines() or [type(exc).__name__])[0]
