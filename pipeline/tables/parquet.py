"""Parquet in and out: every type, null, nested value and metadata entry passes through as it is."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import files, keys
from pipeline.errors import TableError, show
from pipeline.tables.base import CHUNK_ROWS, Chunk, FeatureTable, Form, Sink, with_columns, with_fields
from pipeline.tables.footer import ChunkSize, Footer
from pipeline.tables.forms import arrow_to_rows, arrow_to_text
from pipeline.tables.thrift import ThriftError

FINGERPRINT_KEY = b"second_opinion.fingerprint"
PANDAS_KEY = b"pandas"
BATCH_BYTES = 1 << 25
_READ_BUFFER = 1 << 16  # bytes of each column that are read at once; 0 would be the whole column
_FOOTER_END_BYTES = 8  # its length and the magic bytes
# What pandas calls the types of the appended columns, in the form that pyarrow reads back.
_PANDAS_TYPES = {
    pa.float64(): ("float64", "float64"),
    pa.int64(): ("int64", "int64"),
    pa.string(): ("unicode", "object"),
}


class ParquetTable(FeatureTable):
    """A Parquet feature table, read row group by row group."""

    def __init__(self, path: Path, wanted_key: str | None = None) -> None:
        super().__init__(path, wanted_key)
        try:
            self._file = self._open()
            self._schema: pa.Schema = self._file.schema_arrow
            self.dictionaries()
        except (pa.ArrowException, OSError, UnicodeDecodeError, ThriftError) as exc:
            raise TableError(
                f"{path}: not a Parquet file: {_first_line(exc)}; expected what its name says"
            ) from exc
        self.check_columns(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._schema.names)

    @property
    def rows(self) -> int:
        """Number of rows, from the file's footer."""
        return int(self._file.metadata.num_rows)

    @property
    def data_bytes(self) -> int:
        """All before the footer: the columns."""
        return max(
            0, files.signature(self.path).size - _FOOTER_END_BYTES - int(self._file.metadata.serialized_size)
        )

    def keys(self) -> pa.Array:
        """The texts of the key column; no other column is read."""
        name = self.key_column
        try:
            # By name from the batch: a name with dots also selects the children of a struct.
            parts = [keys.texts(batch.column(name)) for batch in self._batches([name])]
            for part in parts:
                part.validate(full=True)  # a text need not be UTF-8
        except pa.ArrowException as exc:
            kind = self._schema.field(name).type
            raise TableError(
                f"{self.path} column {show(name)}: found {kind}; expected keys, texts or numbers: {_first_line(exc)}"
            ) from exc
        texts = pa.chunked_array(parts, pa.string()).combine_chunks()
        self._check_rows(name, len(texts), self.rows)
        return texts

    def schema(self) -> pa.Schema:
        """The file's Arrow schema with its key-value metadata."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows in record batches, turned into the form asked for; their number per row group."""
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
        with self._reading(), self._open() as file:
            for group in range(file.num_row_groups):
                expected = file.metadata.row_group(group).num_rows
                for name in self.columns:
                    found = file.read_row_group(group, columns=[name], use_threads=False).num_rows
                    self._check_rows(name, found, expected)

    def _check_rows(self, name: str, found: int, expected: int) -> None:
        """Pyarrow takes a column that ends too soon for a short one."""
        if found != expected:
            raise TableError(
                f"{self.path} column {show(name)}: damaged Parquet data: found {found} values; expected {expected}"
            )

    def dictionaries(self) -> list[str]:
        """The paths of the columns whose dictionaries pay: they took less room than their plain values would."""
        paid: dict[str, int] = {}
        for chunk in self._chunk_sizes:
            plain = chunk.page_bytes + 1 if chunk.plain_bytes is None else chunk.plain_bytes
            gain = plain - chunk.page_bytes if chunk.has_dictionary else 0
            paid[chunk.path] = paid.get(chunk.path, 0) + gain
        return [path for path, gain in paid.items() if gain > 0]

    @functools.cached_property
    def _chunk_sizes(self) -> list[ChunkSize]:
        footer = Footer.read(self.path)
        try:
            return [] if footer is None else [*footer.chunks()]
        except (AttributeError, KeyError, TypeError) as exc:
            raise ThriftError("the footer lacks what every one has") from exc

    def _batch_rows(self) -> int:
        """Rows of about `BATCH_BYTES`, so that a table of many columns takes no more memory than one of few."""
        size = sum(max(chunk.page_bytes, chunk.plain_bytes or 0) for chunk in self._chunk_sizes)
        fitting = BATCH_BYTES * self.rows // max(1, size)
        return min(CHUNK_ROWS, max(1024, int(fitting)))

    def _batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        rows = CHUNK_ROWS if columns else self._batch_rows()
        with self._reading():
            yield from self._file.iter_batches(batch_size=rows, columns=columns)

    def _open(self) -> Any:
        return pq.ParquetFile(self.path, buffer_size=_READ_BUFFER)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as exc:
            raise TableError(f"{self.path}: damaged Parquet data: {_first_line(exc)}") from exc


def sink_settings(dictionaries: Collection[str]) -> dict[str, Any]:
    """The pinned settings of what is written, with dictionaries for the columns at those paths.

    A dictionary is not tried where it does not pay: on 60 columns of a million random floats it costs 0.4 s of 1.4 s.
    """
    return {"version": "2.6", "compression": "snappy", "use_dictionary": list(dictionaries)}


class ParquetSink(Sink):
    """A joined table in Parquet; pinned settings, so that equal tables are equal bytes."""

    form: Form = "arrow"

    def __init__(
        self, path: Path, name: str, features: FeatureTable, appended: pa.Schema, fingerprint: str
    ) -> None:
        schema = features.schema()
        joined = with_fields(schema, appended)
        metadata = dict(schema.metadata or {})
        if PANDAS_KEY in metadata:
            metadata[PANDAS_KEY] = updated_pandas(metadata[PANDAS_KEY], appended)
        metadata[FINGERPRINT_KEY] = fingerprint.encode("ascii")
        self._schema = joined.with_metadata(metadata)
        try:
            known = (
                features.dictionaries() if isinstance(features, ParquetTable) else worth_dictionaries(schema)
            )
            settings = sink_settings([*known, *worth_dictionaries(appended)])
            self._writer = pq.ParquetWriter(path, self._schema, **settings)
        except pa.ArrowException as exc:
            raise _no_place(name, exc) from exc

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write a batch as a row group of its own."""
        columns = with_columns(chunk, appended).columns
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def check_schema(name: str, schema: pa.Schema) -> None:
    """:raises TableError: a column has no place in Parquet, as an object that never has a field."""
    try:
        pq.ParquetWriter(pa.BufferOutputStream(), schema).close()
    except pa.ArrowException as exc:
        raise _no_place(name, exc) from exc


def _no_place(name: str, exc: pa.ArrowException) -> TableError:
    return TableError(f"{name}: a column has no place in Parquet: {_first_line(exc)}; write JSONL instead")


def worth_dictionaries(schema: pa.Schema) -> list[str]:
    """The columns of no known file for which a dictionary is tried: measured values rarely repeat."""
    return [field.name for field in schema if not pa.types.is_floating(field.type)]


def updated_pandas(entry: bytes, appended: pa.Schema) -> bytes:
    """The `pandas` metadata with the appended columns described, as pandas itself would."""
    try:
        described: dict[str, Any] = json.loads(entry)
        known = [column for column in described["columns"] if column["name"] not in appended.names]
    except (ValueError, KeyError, TypeError, RecursionError):
        return entry  # not pandas' own entry; what we do not understand passes through
    described["columns"] = known + [_pandas_column(field) for field in appended]
    return json.dumps(described).encode("ascii")


def _pandas_column(field: pa.Field) -> Mapping[str, object]:
    pandas_type, numpy_type = _PANDAS_TYPES[field.type]
    return {
        "name": field.name,
        "field_name": field.name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
