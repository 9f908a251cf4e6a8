"""Columns of views (string_view, binary_view) as plain ones.

pyarrow reads views from Parquet, but can neither take some of their rows nor write views inside structs.
"""

from __future__ import annotations

import pyarrow as pa


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without views; the metadata stays."""
    return pa.schema([_plain_field(field) for field in schema], metadata=schema.metadata)


def without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows in the types of `plain_schema`."""
    schema = plain_schema(batch.schema)
    if schema.equals(batch.schema):
        return batch
    columns = [_plain(column, kind) for column, kind in zip(batch.columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if isinstance(column.type, pa.BaseExtensionType):
        storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
        stored = _plain(column.storage, storage)
        return stored if storage == kind else pa.ExtensionArray.from_storage(kind, stored)
    try:
        return column.cast(kind)
    except pa.ArrowNotImplementedError:  # a list_view of views is not cast, but it is made from values
        return pa.array(column.to_pylist(), kind)


def _plain_type(kind: pa.DataType) -> pa.DataType:  # one case per nested type
    is_ = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        storage = _plain_type(kind.storage_type)
        if storage == kind.storage_type:
            return kind
        return (
            pa.json_(storage) if isinstance(kind, pa.JsonType) else storage
        )  # which has a type in Parquet too
    if is_.is_string_view(kind):
        return pa.large_string()
    if is_.is_binary_view(kind):
        return pa.large_binary()
    if is_.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind])
    if is_.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), kind.keys_sorted)
    if is_.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    for is_list, list_of in (
        (is_.is_list, pa.list_),
        (is_.is_large_list, pa.large_list),
        (is_.is_list_view, pa.list_view),
        (is_.is_large_list_view, pa.large_list_view),
    ):
        if is_list(kind):
            return list_of(_plain_field(kind.value_field))
    return kind


def _plain_field(field: pa.Field) -> pa.Field:
    kind = _plain_type(field.type)
    return field if kind == field.type else field.with_type(kind)
