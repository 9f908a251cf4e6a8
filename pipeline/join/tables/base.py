"""What every format of a feature table offers, and what every format of a joined table takes."""

from __future__ import annotations

import abc
import contextlib
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias

import pyarrow as pa

from ...errors import TableError, show
from ...manifest.field_paths import KEY_SEPARATOR
from ...records import snapshots
from ...records.materialized import Remarks
from ...records.snapshots import Snapshot
from ...storage.locations import Location
from .. import keys
from .views import without_views

Form: TypeAlias = Literal["arrow", "rows", "text", "count"]
"""arrow: pa.RecordBatch of typed columns; rows: list of JSON objects; text: pa.RecordBatch of strings; count: the
number of rows per row group; supported by Parquet only."""

Chunk: TypeAlias = Any
"""Some rows of a table in one `Form`."""

MAX_COLUMNS = 30_000
"""Maximum number of columns of a typed or delimited table: each takes about 10 kB, and time for every batch of rows."""

MAX_HELD_BYTES = 1 << 30
"""Maximum size of key texts that are held; larger ones are read again."""

MAX_HELD_ROWS_BYTES = 1 << 28
"""Maximum size of a table that is held in columns; a larger one is read again."""

CHUNK_ROWS = 65_536
BATCH_BYTES = 1 << 25


class FeatureTable(abc.ABC):
    """A feature table that is read in streams; it may be read more than once.

    Attributes:
        path: the file.
        constants: columns that are not in the file, with the one value of each: the hive partitions of a shard.
    """

    def __init__(self, path: Location, wanted_key: str | None = None) -> None:
        """:param wanted_key: the key column, or all of a composite key, see `KEY_SEPARATOR`; None: the best candidate."""
        self.path = path
        self._wanted_keys = () if wanted_key is None else tuple(wanted_key.split(KEY_SEPARATOR))
        self.constants: Mapping[str, str | None] = {}

    def take_partitions(self, partitions: Mapping[str, str | None]) -> None:
        """Have hive partitions as constants; a column of the file wins."""
        self.constants = {name: value for name, value in partitions.items() if name not in self.columns}

    @property
    @abc.abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""

    @property
    @abc.abstractmethod
    def rows(self) -> int:
        """Number of rows."""

    def expect(self, form: Form) -> None:  # noqa: B027  # nothing to do for those that are read alike for each
        """Expect the rows to be asked for in a form, so that they can be read with the keys."""

    def null_counts(self) -> dict[str, int]:
        """Nulls by column, as far as the file itself says without being read; empty if it does not."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user on how the table was read so far."""
        return ()

    def snapshot(self) -> Snapshot:
        """Digest the file.

        :raises InputError: it cannot be read, or changed while it was read.
        """
        return snapshots.snapshot(self.path)

    def check_data(self) -> None:  # noqa: B027  # nothing to do for those that are read in any case
        """Read everything once, where a joined table may take it unread.

        :raises TableError: some data is damaged.
        """

    @functools.cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key, the first of which names the clip: the wanted ones, else the best candidate.

        :raises TableError: the table lacks one; the message lists its columns.
        """
        held = (*self.columns, *self.constants)
        found = self._wanted_keys or [name for name in [keys.pick(held)] if name is not None]
        if not self.columns and not self.rows:
            return tuple(found) or keys.CANDIDATES[:1]  # an empty shard of a format without a header
        absent = [name for name in found if name not in held]
        if absent or not found:
            expected = ", ".join(map(show, absent)) or "one of " + ", ".join(keys.CANDIDATES)
            shown = ", ".join(show(name) for name in self.columns) or "none"
            if len(self._wanted_keys) > 1:
                raise TableError(
                    f"{self.path}: no key column; expected {expected}; set key_columns to some of: {shown}"
                )
            raise TableError(
                f"{self.path}: no key column; expected {expected}; set key_column to one of: {shown}"
            )
        return tuple(found)

    @property
    def key_column(self) -> str:
        """The column that names the clip.

        :raises TableError: as `key_columns`.
        """
        return self.key_columns[0]

    @property
    def described_key(self) -> dict[str, Any]:
        """The key columns as an audit names them."""
        several = {"key_columns": [*self.key_columns]} if len(self.key_columns) > 1 else {}
        return {"key_column": self.key_column, **several}

    def side(self, regex: str | None) -> keys.Side:
        """The keys as the file spells them.

        :param regex: the side's key regex.
        """
        return keys.Side(KEY_SEPARATOR.join(self.key_columns), regex, self.key_pieces)

    def keys(self) -> pa.Array:
        """The keys (string), one per row; null where a row has none.

        :raises TableError: a column holds values that cannot be a key.
        """
        return pa.chunked_array(self.key_pieces(), pa.string()).combine_chunks()

    def key_pieces(self) -> Iterator[pa.Array]:
        """As `keys`, some rows at a time where the format can be read so."""
        inside = [name for name in self.key_columns if name in self.columns]
        if not inside:
            yield keys.composite([self._repeated(name, self.rows) for name in self.key_columns])
            return
        for texts in self.texts(inside):
            held = dict(zip(inside, texts, strict=True))
            parts = (held.get(name) for name in self.key_columns)
            rows = len(texts[0])
            yield keys.composite(
                [
                    self._repeated(name, rows) if part is None else part
                    for name, part in zip(self.key_columns, parts, strict=True)
                ]
            )

    def _repeated(self, name: str, rows: int) -> pa.Array:
        return pa.repeat(pa.scalar(self.constants.get(name), pa.string()), rows)

    @abc.abstractmethod
    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns of the file (string), some rows at a time; null where a row has none.

        :raises TableError: a column holds values that cannot be a key.
        """

    @abc.abstractmethod
    def schema(self) -> pa.Schema:
        """Names, types and metadata of the typed columns.

        :raises TableError: a column mixes types; names the column, the row and both types.
        """

    @abc.abstractmethod
    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows, in order, in the requested form.

        :raises TableError: a value cannot be represented in that form.
        """

    def check_columns(self, columns: Sequence[str]) -> None:
        """:raises TableError: two columns share a name, so that one could be taken for the other, or they are too many."""
        if len(columns) > MAX_COLUMNS:
            raise TableError(f"{self.path}: found {len(columns)} columns; expected at most {MAX_COLUMNS}")
        if repeated := sorted(name for name, times in Counter(columns).items() if times > 1):
            raise TableError(f"{self.path}: two columns are named {show(repeated[0])}; expected unique names")


class Sink(abc.ABC):
    """A joined table that is being written; it is whole once its `with` block has ended well."""

    form: Form

    @property
    def losses(self) -> Remarks:
        """Parts of the features that it does not keep."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            with contextlib.suppress(
                Exception
            ):  # the first error is the one to report; the file is removed anyway
                self.close()

    @abc.abstractmethod
    def write(self, chunk: Chunk, appended: pa.RecordBatch) -> None:
        """Write the rows of `chunk` with the columns of `appended`, which has as many rows; texts are dictionaries.

        A column of `appended` that the chunk has is replaced in its position.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Write the end of the file."""


def with_columns(chunk: pa.RecordBatch, appended: pa.RecordBatch) -> pa.RecordBatch:
    """`chunk` with the columns of `appended`: replaced where the name exists, else at the end."""
    appended = decoded(appended)
    columns = dict(zip(chunk.schema.names, chunk.columns, strict=True))
    columns |= dict(zip(appended.schema.names, appended.columns, strict=True))
    return pa.RecordBatch.from_arrays(
        list(columns.values()), schema=with_fields(chunk.schema, appended.schema)
    )


def decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with plain values instead of dictionaries."""
    plain = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(plain, names=batch.schema.names)


def with_fields(schema: pa.Schema, appended: pa.Schema) -> pa.Schema:
    """The schema of `with_columns`; the metadata of `schema` stays."""
    fields = {field.name: field for field in schema} | {field.name: field for field in appended}
    return pa.schema(list(fields.values()), metadata=schema.metadata)


def rows_in(chunk: Chunk) -> int:
    """The number of rows of a chunk of any form."""
    if isinstance(chunk, int):
        return chunk
    return len(chunk) if isinstance(chunk, list) else chunk.num_rows


def take_rows(chunk: Chunk, keep: pa.Array) -> Chunk:
    """The rows of a chunk of any form at which `keep` (bool) is true."""
    if isinstance(chunk, list):
        return [row for row, kept in zip(chunk, keep.to_pylist(), strict=True) if kept]
    return without_views(chunk).filter(keep)


def regrouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of many batches in batches of `CHUNK_ROWS`, or of fewer where those would exceed `BATCH_BYTES`."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        rows = sum(each.num_rows for each in held)
        while rows + batch.num_rows >= CHUNK_ROWS:
            yield _combined([*held, batch.slice(0, CHUNK_ROWS - rows)])
            batch, held, rows = batch.slice(CHUNK_ROWS - rows), [], 0
        held.append(batch)
        if sum(each.nbytes for each in held) >= BATCH_BYTES:
            yield _combined(held)
            held = []
    if any(each.num_rows for each in held):
        yield _combined(held)


def _combined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    whole: pa.RecordBatch = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return whole
