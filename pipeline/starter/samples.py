"""The files below a folder, and the first rows of each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from pipeline import keys
from pipeline.errors import InputError, SidecarError
from pipeline.fields import Row, RowFault
from pipeline.formats import sidecar_format, table_format
from pipeline.rows import read_rows, unit
from pipeline.tables import open_table

SAMPLE_ROWS = 1000
_DEEPEST = 4
Texts: TypeAlias = Mapping[str, pa.Array]
"""Per column the key texts (string) of a sample's rows; columns without any are left out."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        name: the file, relative to the folder that is looked at.
        columns: its columns or fields; nested ones as dotted paths.
        rows: the rows, flat; none of a Parquet file.
        first: the first row as it stands.
        texts: what may be a key in each column.
        whole: whether these are all its rows.
        grouped: whether each row is from a file of its own, of which `name` is a pattern.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    first: Row
    texts: Texts
    whole: bool
    grouped: bool = False

    @property
    def is_parquet(self) -> bool:
        """Whether it can only be a feature table."""
        return table_format(self.name) == "parquet"

    @property
    def is_single(self) -> bool:
        """Whether each file holds one row."""
        return self.grouped or (self.whole and len(self.rows) == 1)


def take_sample(folder: Path, name: str) -> Sample:
    """The first rows of a file.

    :raises InputError: it cannot be read as what its name says.
    """
    if table_format(name) == "parquet":
        return _of_parquet(folder / name, name)
    form = sidecar_format(name, None) or "jsonl"
    found = list(itertools.islice(read_rows(folder / name, form), SAMPLE_ROWS + 1))
    rows: list[Row] = []
    for number, row in found[:SAMPLE_ROWS]:
        if isinstance(row, RowFault):
            raise SidecarError(f"{unit(form)} {number}: {row}")
        rows.append(row)
    return sample_of(name, rows, whole=len(found) <= SAMPLE_ROWS)


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


def flattened(row: Row, place: str = "", depth: int = 0) -> Row:
    """A row without nested objects: their fields under dotted paths; lists stay as they are."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            flat |= flattened(value, f"{place}{name}.", depth + 1)
        else:
            flat[f"{place}{name}"] = value
    return flat


def _of_parquet(path: Path, name: str) -> Sample:
    table = open_table(path, None)
    batch = next(table.chunks("arrow"), table.schema().empty_table())
    texts = {}
    for column in table.columns:
        kind = batch.schema.field(column).type
        if not (pa.types.is_nested(kind) or pa.types.is_boolean(kind)):
            try:
                texts[column] = keys.texts(batch.column(column).slice(0, SAMPLE_ROWS))
            except pa.ArrowException:
                continue  # bytes and the like, which no clip is named by
    return Sample(name, table.columns, (), {}, texts, whole=table.rows <= SAMPLE_ROWS)


def _array(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError as exc:
        raise InputError(f"{exc.reason}; expected Unicode text") from exc
