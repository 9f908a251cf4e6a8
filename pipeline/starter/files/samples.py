"""Samples: the first rows of a file, flat, with the possible keys in each column; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from pipeline.errors import InputError
from pipeline.join import keys
from pipeline.join.sidecars.fields import Row
from pipeline.storage.dialect import UNSET, TextSettings
from pipeline.storage.formats import table_format

_MAX_DEPTH = 4
Texts: TypeAlias = Mapping[str, pa.Array]
"""Per column the possible keys (string) in a sample's rows; columns without any are left out."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        name: the file, relative to the folder.
        columns: its columns or fields; nested ones as dotted paths.
        rows: the rows, flat.
        first: the first row as written.
        texts: the possible keys in each column.
        whole: True if these are all its rows.
        grouped: True if `name` is a pattern and each row is from a different file.
        text: the settings of delimited text that an entry needs.
        note: a remark on how it was read; empty: none.
        refused: why it cannot be read as rows of a sidecar; empty: it can.
        as_row: the same file read as one row, if it was read as a map from keys and may be either; else None.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    first: Row
    texts: Texts
    whole: bool
    grouped: bool = False
    text: TextSettings = UNSET
    note: str = ""
    refused: str = ""
    as_row: Sample | None = None

    @property
    def is_parquet(self) -> bool:
        """True if it is a Parquet file, which is a feature table unless its fields show otherwise."""
        return table_format(self.name) == "parquet"

    @property
    def is_single(self) -> bool:
        """True if each file has one row."""
        return self.grouped or (self.whole and len(self.rows) == 1)


def sample_of(name: str, rows: Sequence[Row], *, whole: bool, grouped: bool = False) -> Sample:
    """A sample of these rows."""
    flat = [flattened(row) for row in rows]
    columns = tuple(dict.fromkeys(column for row in flat for column in row))
    texts = {column: [keys.text(row.get(column)) for row in flat] for column in columns}
    return Sample(
        name=name,
        columns=columns,
        rows=flat,
        first=rows[0] if rows else {},
        texts={column: _array(values) for column, values in texts.items() if any(values)},
        whole=whole,
        grouped=grouped,
    )


def flattened(row: Row, prefix: str = "", depth: int = 0) -> Row:
    """A row without nested objects: their fields under dotted paths; lists stay as they are."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            flat |= flattened(value, f"{prefix}{name}.", depth + 1)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _array(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError as exc:
        raise InputError(f"{exc.reason}; expected Unicode text") from exc
