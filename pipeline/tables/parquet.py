"""Parquet in and out: every type, null, nested value and metadata entry passes through as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import keys
from pipeline.errors import TableError, show
from pipeline.tables.base import CHUNK_ROWS, Chunk, FeatureTable, Form, Sink, with_columns, with_fields
from pipeline.tables.forms import arrow_to_rows, arrow_to_text

FINGERPRINT_KEY = b"second_opinion.fingerprint"
_PANDAS_KEY = b"pandas"
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
            self._file = pq.ParquetFile(path)
            self._schema: pa.Schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as exc:
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

    def keys(self) -> pa.Array:
        """The texts of the key column; no other column is read."""
        name = self.key_column
        try:
            # By name from the batch: a name with dots also selects the children of a struct.
            parts = [keys.texts(batch.column(name)) for batch in self._batches([name])]
        except pa.ArrowException as exc:
            kind = self._schema.field(name).type
            raise TableError(
                f"{self.path} column {show(name)}: found {kind}; expected keys, texts or numbers: {_first_line(exc)}"
            ) from exc
        return pa.chunked_array(parts, pa.string()).combine_chunks()

    def schema(self) -> pa.Schema:
        """The file's Arrow schema with its key-value metadata."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows in record batches, turned into the form asked for."""
        for batch in self._batches():
            if form == "arrow":
                yield batch
            else:
                turned = arrow_to_rows if form == "rows" else arrow_to_text
                yield turned(batch, str(self.path))

    def _batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(batch_size=CHUNK_ROWS, columns=columns)
        except OSError as exc:
            raise TableError(f"{self.path}: damaged Parquet data: {_first_line(exc)}") from exc


class ParquetSink(Sink):
    """A joined table in Parquet; pinned settings, so that equal tables are equal bytes."""

    form: Form = "arrow"

    def __init__(
        self, path: Path, name: str, schema: pa.Schema, appended: pa.Schema, fingerprint: str
    ) -> None:
        joined = with_fields(schema, appended)
        metadata = dict(schema.metadata or {})
        if _PANDAS_KEY in metadata:
            metadata[_PANDAS_KEY] = _updated_pandas(metadata[_PANDAS_KEY], appended)
        metadata[FINGERPRINT_KEY] = fingerprint.encode("ascii")
        self._schema = joined.with_metadata(metadata)
        try:
            self._writer = pq.ParquetWriter(path, self._schema, version="2.6", compression="snappy")
        except pa.ArrowException as exc:
            raise TableError(
                f"{name}: a column has no place in Parquet: {_first_line(exc)}; write JSONL instead"
            ) from exc

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write a batch as a row group of its own."""
        columns = with_columns(chunk, appended).columns
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _updated_pandas(entry: bytes, appended: pa.Schema) -> bytes:
    """The `pandas` metadata with the appended columns described, as pandas itself would."""
    try:
        described: dict[str, Any] = json.loads(entry)
        known = [column for column in described["columns"] if column["name"] not in appended.names]
    except (ValueError, KeyError, TypeError):
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
