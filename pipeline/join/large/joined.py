"""The joined files of a table in shards, read as one table."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ...errors import TableError
from ...manifest.entries import TableEntry
from ...manifest.shards import Shard
from ...storage.locations import Location, located
from ..tables import FeatureTable, open_joined
from ..tables.base import Chunk, Form
from ..tables.parquet.table import ParquetTable


@dataclass(frozen=True)
class JoinedFile:
    """A joined file, with the hive partitions in its name."""

    path: Location
    partitions: dict[str, str | None]


class JoinedShards(FeatureTable):
    """Joined files as one table: their rows in order, the hive partitions as the last columns.

    One file is open at a time, as there may be thousands.
    """

    def __init__(self, shards: Sequence[JoinedFile], key_column: str | None) -> None:
        super().__init__(shards[0].path if shards else Path("nothing"), key_column)
        self._key = key_column
        self._shards = shards

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the files, then those of their partitions."""
        return tuple(self._schema.names)

    @functools.cached_property
    def rows(self) -> int:
        """Number of rows of all files."""
        return sum(table.rows for table in self._opened())

    def key_pieces(self) -> Iterator[pa.Array]:
        """The keys of one file after the other."""
        return (piece for table in self._opened() for piece in table.key_pieces())

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns of one file after the other."""
        return (texts for table in self._opened() for texts in table.texts(columns))

    def schema(self) -> pa.Schema:
        """Names and types that hold the values of every file: text where nothing else does."""
        return self._schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows as record batches; there is no other form.

        :raises TableError: another form is wanted.
        """
        if form != "arrow":
            raise TableError(f"{self.path}: found the form {form}; expected arrow")
        return self.batches(self.columns)

    def batches(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """The rows in record batches that have these columns."""
        wanted = pa.schema([self._schema.field(name) for name in columns])
        for table in self._opened():
            inside = [name for name in wanted.names if name in table.columns]
            read = table.batches(inside) if isinstance(table, ParquetTable) else table.chunks("arrow")
            for batch in read:
                yield _completed(batch, wanted, table.constants)

    @functools.cached_property
    def _schema(self) -> pa.Schema:
        fields: dict[str, pa.Field] = {}
        constants: dict[str, pa.Field] = {}
        metadata = None
        for table in self._opened():
            metadata = metadata or table.schema().metadata
            for field in table.schema():
                fields[field.name] = _common(fields.get(field.name, field), field)
            constants |= {name: pa.field(name, pa.string()) for name in table.constants}
        return pa.schema([*(fields | constants).values()], metadata)

    def _opened(self) -> Iterator[FeatureTable]:
        for each in self._shards:
            table = open_joined(each.path, self._key)
            table.take_partitions(each.partitions)
            yield table


def _common(first: pa.Field, other: pa.Field) -> pa.Field:
    """A field that holds the values of both; in text formats a column may be numbers in one file and words in another."""
    try:
        schemas = [pa.schema([first]), pa.schema([other])]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0)
    except pa.ArrowException:
        return pa.field(first.name, pa.string())


def shards_of(entry: TableEntry, base: Location) -> list[JoinedFile]:
    """The joined files of a table in shards."""
    return [JoinedFile(located(base, each.out), each.partitions) for each in entry.shards(base)]


def open_table_of(entry: TableEntry, base: Location) -> FeatureTable:
    """The joined table of an entry, in shards or not."""
    if entry.is_sharded:
        return JoinedShards(shards_of(entry, base), entry.options.feature_key)
    return open_joined(located(base, entry.out), entry.options.feature_key)


def file_of(role: str, path: Location) -> JoinedFile:
    """The joined file of a role among the outputs of a table in shards, such as `out/corpus=chug/part-0.jsonl`."""
    return JoinedFile(path, Shard(role.removeprefix("out/"), "", "").partitions)


def _completed(
    batch: pa.RecordBatch, wanted: pa.Schema, constants: Mapping[str, str | None]
) -> pa.RecordBatch:
    columns = []
    for field in wanted:
        at = batch.schema.get_field_index(field.name)
        if at >= 0:
            column = batch.column(at)
            columns.append(column if column.type.equals(field.type) else column.cast(field.type))
        else:
            columns.append(pa.repeat(pa.scalar(constants.get(field.name), field.type), batch.num_rows))
    return pa.RecordBatch.from_arrays(columns, schema=wanted)
