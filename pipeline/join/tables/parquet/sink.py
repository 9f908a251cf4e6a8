"""A joined table in Parquet, written by pyarrow, and how all that is written in Parquet is written."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Any

import pyarrow as pa

from ....errors import TableError
from ....records.materialized import ChangedType, Remarks
from ....storage.writing import NewFile
from ..base import Chunk, FeatureTable, Form, Sink, rows_in, with_columns, with_fields
from ..views import plain_schema, without_views
from . import pandas_entry
from .groups import Layout, group_writer
from .kinds import changed_types, written_kinds
from .pandas_entry import RangeIndex
from .schema_entries import ARROW_KEY, PANDAS_KEY, JoinedMetadata, joined_metadata
from .table import ParquetTable, first_line

_ZSTD_LEVEL = 1


def sink_settings(dictionaries: Collection[str]) -> dict[str, Any]:
    """The pinned settings of what is written, with dictionaries for the columns at those paths.

    zstd, as the bytes of snappy depend on the processor. A dictionary is not tried where it does not pay: on 60 columns
    of a million random floats it costs 0.4 s of 1.4 s.
    """
    return {
        "version": "2.6",
        "compression": "zstd",
        "compression_level": _ZSTD_LEVEL,
        "use_dictionary": list(dictionaries),
    }


class ParquetSink(Sink):
    """A joined table in Parquet; pinned settings, so that equal tables are equal bytes."""

    form: Form = "arrow"

    def __init__(
        self,
        created: NewFile,
        features: FeatureTable,
        appended: pa.Schema,
        fingerprint: str,
        kept: pa.Array | None = None,
    ) -> None:
        """:param kept: the rows that stay (bool per row of the features); None: all."""
        joined = with_fields(features.schema(), appended)
        index = _range_index(features, joined, kept)
        metadata = joined_metadata(joined.metadata or {}, features.columns, appended, fingerprint, index)
        if index is not None:
            joined = joined.append(pa.field(index.column, pa.int64()))
        joined = joined.with_metadata(metadata.entries)
        self._name, self._schema = created.path.name, plain_schema(joined)
        self._labels = None if index is None or kept is None else (index.column, index.labels(kept))
        self._written = 0
        try:
            self._losses = _losses(features, metadata, joined, appended)
            has_views = not self._schema.equals(joined)
            layout = Layout(
                self._schema,
                sink_settings(_dictionaries(features, appended)),
                {ARROW_KEY: base64.b64encode(joined.serialize())} if has_views else None,
            )
            self._writer = group_writer(created, layout)
        except pa.ArrowException as exc:
            raise _not_storable(self._name, exc) from exc

    @property
    def losses(self) -> Remarks:
        """Metadata that was left out, columns whose logical types have changed."""
        return self._losses

    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write a batch as a row group of its own."""
        batch = without_views(with_columns(chunk, appended))
        if self._labels is not None:
            column, labels = self._labels
            batch = batch.append_column(column, labels.slice(self._written, rows_in(chunk)))
        self._written += rows_in(chunk)
        try:
            self._writer.write(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        except pa.ArrowNotImplementedError as exc:  # pyarrow knows this of a type only when it writes it
            raise _not_storable(self._name, exc) from exc

    def close(self) -> None:
        """Write the footer."""
        try:
            self._writer.close()
        except pa.ArrowNotImplementedError as exc:
            raise _not_storable(self._name, exc) from exc


def check_schema(name: str, schema: pa.Schema) -> None:
    """:raises TableError: a column cannot be stored in Parquet, as an object that never has a field."""
    try:
        written_kinds(schema)
    except pa.ArrowException as exc:
        raise _not_storable(name, exc) from exc


def worth_dictionaries(schema: pa.Schema) -> list[str]:
    """The columns for which a dictionary is tried when no file shows whether it pays: measured values rarely repeat."""
    return [field.name for field in schema if not pa.types.is_floating(field.type)]


def _dictionaries(features: FeatureTable, appended: pa.Schema) -> list[str]:
    known = features.dictionaries() if isinstance(features, ParquetTable) else None
    return [
        *(worth_dictionaries(features.schema()) if known is None else known),
        *worth_dictionaries(appended),
    ]


def _range_index(features: FeatureTable, joined: pa.Schema, kept: pa.Array | None) -> RangeIndex | None:
    """The index that pandas only described, and that has to become a column as its rows have gaps now."""
    metadata = joined.metadata or {}
    if kept is None or PANDAS_KEY not in metadata:
        return None
    return pandas_entry.range_index(metadata[PANDAS_KEY], joined.names, features.rows)


def _losses(
    features: FeatureTable, metadata: JoinedMetadata, joined: pa.Schema, appended: pa.Schema
) -> Remarks:
    changed: list[ChangedType] = []
    if isinstance(features, ParquetTable):
        changed = changed_types(features.kinds, written_kinds(plain_schema(joined)), appended.names)
    return losses(metadata, changed)


def losses(metadata: JoinedMetadata, changed: list[ChangedType]) -> Remarks:
    """Parts of the features that a joined table does not keep."""
    found: Remarks = {}
    if metadata.dropped:
        found["dropped_metadata"] = [*metadata.dropped]
    if changed:
        found["changed_types"] = changed
    return found


def _not_storable(name: str, exc: pa.ArrowException) -> TableError:
    return TableError(f"{name}: a column cannot be stored in Parquet: {first_line(exc)}; write JSONL instead")
