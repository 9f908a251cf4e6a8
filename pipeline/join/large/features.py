"""The features of a table in shards, of which only the keys are read."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import pyarrow as pa

from ...errors import TableError, show
from ...manifest.entries import TableEntry
from ...manifest.shards import Shard
from ...storage.locations import Location, located
from ..tables import FeatureTable, open_table
from ..tables.base import Chunk, Form
from ..tables.parquet.table import ParquetTable


def open_shard(entry: TableEntry, shard: Shard, base: Location) -> FeatureTable:
    """The features of one shard; its partitions are its constants."""
    features = open_table(located(base, shard.features), entry.options.feature_key, entry.features.text)
    features.take_partitions(shard.partitions)
    return features


class ShardedFeatures(FeatureTable):
    """All shards of a table as one feature table. One shard is open at a time, as there may be thousands."""

    def __init__(self, entry: TableEntry, base: Location) -> None:
        super().__init__(located(base, entry.features.path.rstrip("/")), entry.options.feature_key)
        self._entry, self._base = entry, base
        self._shards = entry.shards(base)
        self.constants = self._first[1].constants

    @functools.cached_property
    def _first(self) -> tuple[Shard, FeatureTable]:
        """The first shard that has columns; an empty one of a format without a header has none."""
        for shard in self._shards:
            features = open_shard(self._entry, shard, self._base)
            if features.columns:
                break
        return shard, features

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every shard has."""
        return self._first[1].columns

    @functools.cached_property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(open_shard(self._entry, shard, self._base).rows for shard in self._shards)

    def key_pieces(self) -> Iterator[pa.Array]:
        """The keys of one shard after the other.

        :raises TableError: the columns of two shards differ.
        """
        return (piece for features in self._checked() for piece in features.key_pieces())

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns of one shard after the other.

        :raises TableError: the columns of two shards differ.
        """
        return (texts for features in self._checked() for texts in features.texts(columns))

    def _checked(self) -> Iterator[FeatureTable]:
        for shard in self._shards:
            first, features = self._first
            if shard != first:
                features = open_shard(self._entry, shard, self._base)
                self._check(shard, features)
            yield features

    def schema(self) -> pa.Schema:
        """That of the first shard that has columns."""
        return self._first[1].schema()

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows of one shard after the other."""
        for shard in self._shards:
            yield from open_shard(self._entry, shard, self._base).chunks(form)

    def _check(self, shard: Shard, features: FeatureTable) -> None:
        """Compare a shard with the first one: names, and types where the file itself has them."""
        name, first = self._first
        held, expected = ({*each.columns, *each.constants} for each in (features, first))
        differing = [show(each) for each in sorted(held ^ expected)] if features.columns else []
        if isinstance(features, ParquetTable) and isinstance(first, ParquetTable):
            differing = differing or _differing_types(first.schema(), features.schema())
        if differing:
            raise TableError(
                f"{self._entry.features.path}: the columns of {show(name.name)} and {show(shard.name)} differ: "
                f"{', '.join(differing[:5])}; expected shards with the same columns"
            )


def _differing_types(first: pa.Schema, other: pa.Schema) -> list[str]:
    """Columns of both whose types no common type holds."""
    differing = []
    for field in other:
        try:
            pa.unify_schemas(
                [pa.schema([first.field(field.name)]), pa.schema([field])], promote_options="permissive"
            )
        except pa.ArrowException:
            differing.append(f"{show(field.name)} ({first.field(field.name).type} and {field.type})")
    return differing
