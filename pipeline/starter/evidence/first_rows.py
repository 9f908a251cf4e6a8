"""The values of a feature table's columns in its first rows."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...join import keys
from ..keys.readings import Columns

_MAX_MAGNITUDE = 1e100  # no statistic of the evidence uses a larger number, as its square may overflow


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a table, at most as many as are read at a time.

    Attributes:
        table: the table; few of its columns are read in full.
        key_column: the column of the key.
        rows: the first rows, typed.
        whole: True if these are all rows.
    """

    table: Columns
    key_column: str
    rows: pa.RecordBatch
    whole: bool

    @classmethod
    def of(cls, table: Columns, key_column: str) -> FirstRows:
        """The first rows of the table.

        :raises TableError: they cannot be read in typed columns.
        """
        opened = table.opened(key_column)
        rows = next(opened.chunks("arrow"), None)
        if rows is None:
            rows = pa.RecordBatch.from_pylist([], opened.schema())
        return cls(table, key_column, rows, rows.num_rows == opened.rows)

    @functools.cached_property
    def numeric(self) -> tuple[str, ...]:
        """The columns of numbers but for the key, in order."""
        return tuple(
            field.name
            for field in self.rows.schema
            if field.name != self.key_column
            and (pa.types.is_integer(field.type) or pa.types.is_floating(field.type))
        )

    @functools.cached_property
    def textual(self) -> tuple[str, ...]:
        """The columns of text but for the key, in order."""
        return tuple(
            field.name for field in self.rows.schema if field.name != self.key_column and _is_text(field.type)
        )

    def is_integer(self, name: str) -> bool:
        """True if the column's type is one of integers."""
        return bool(pa.types.is_integer(self.rows.schema.field(name).type))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """The numbers of a column in the first rows, in its own units; NaN where there is none or a huge one."""
        column = self.rows.column(self.rows.schema.get_field_index(name))
        found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return np.where(np.abs(found) <= _MAX_MAGNITUDE, found, np.nan)

    def finite(self, name: str) -> NDArray[np.float64]:
        """The finite numbers of a column in the first rows."""
        found = self.numbers(name)
        return found[~np.isnan(found)]

    def texts(self, name: str) -> pa.Array:
        """The texts of a column in the first rows (string); null where there is none or an empty one."""
        found = keys.texts(self.rows.column(self.rows.schema.get_field_index(name)))
        return _without_empty(found)

    def all_texts(self, name: str) -> pa.Array:
        """The texts of a column in all rows, as `texts`."""
        return self.texts(name) if self.whole else _without_empty(self.table.column(name).raw)

    def correlation(self, one: str, other: str) -> float:
        """Pearson's coefficient of two columns over the first rows that have both values; 0 where it is undefined."""
        pairs = np.stack([self.numbers(one), self.numbers(other)])
        pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
        if pairs.shape[1] < 3:
            return 0.0
        largest = np.abs(pairs).max(axis=1, keepdims=True)
        pairs = pairs / np.where(largest > 0, largest, 1.0)
        pairs = pairs - pairs.mean(axis=1, keepdims=True)
        spread = float(np.sqrt((pairs**2).sum(axis=1).prod()))
        return float((pairs[0] * pairs[1]).sum() / spread) if spread > 0 else 0.0


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _without_empty(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
