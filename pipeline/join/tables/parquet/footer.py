"""The footer of a Parquet file: the offsets and sizes of its columns.

Read here and not by pyarrow, which does not give it away, and whose descriptions of column chunks end the process where
their statistics are damaged: what they throw, its Python does not catch.

Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, whose field numbers are
below.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ....storage import files
from ....storage.locations import Location
from . import thrift
from .thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Field,
    Items,
    Struct,
    ThriftError,
)

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
END = struct.Struct("<I4s")  # the footer's length and the magic bytes
_MAX_GROUP_ROWS = 1 << 26  # of one row group that pyarrow writes
# Field numbers of FileMetaData, SchemaElement, RowGroup, ColumnChunk, ColumnMetaData and KeyValue.
_SCHEMA, _ROW_GROUPS, _KEY_VALUES, _COLUMN_ORDERS, _ENCRYPTION = 2, 4, 5, 7, 8
_NUM_CHILDREN = 5
_COLUMNS, _TOTAL_BYTE_SIZE, _NUM_ROWS, _TOTAL_COMPRESSED_SIZE = 1, 2, 3, 6
_GROUP_OFFSET = 5
_FILE_PATH, _META_DATA = 1, 3
_TYPE, _PATH, _NUM_VALUES, _TOTAL_UNCOMPRESSED_SIZE, _DICTIONARY_OFFSET = 1, 3, 5, 6, 11
_PAGE_OFFSETS = (9, 10, _DICTIONARY_OFFSET)
_KEY, _VALUE = 1, 2
_WIDTHS = {0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8}
"""Bytes of a value by its Type: boolean, int32, int64, int96, float, double."""


class ChunkSize(NamedTuple):
    """What a chunk of a column takes.

    Attributes:
        path: the column, with dots between the names of nested ones.
        plain_bytes: of the values alone, where each takes the same; None: they do not.
        page_bytes: of the pages, not compressed.
        has_dictionary: whether its values are dictionary-encoded.
    """

    path: str
    plain_bytes: int | None
    page_bytes: int
    has_dictionary: bool

    @classmethod
    def of(cls, pages: Struct) -> ChunkSize:
        """The sizes in a ColumnMetaData."""
        values = pages[_NUM_VALUES].value
        width = _WIDTHS.get(pages[_TYPE].value)
        return cls(
            path=b".".join(pages[_PATH].value.values).decode("utf-8"),
            plain_bytes=None if width is None else values * width,
            page_bytes=pages[_TOTAL_UNCOMPRESSED_SIZE].value,
            has_dictionary=_DICTIONARY_OFFSET in pages,
        )


@dataclass(frozen=True)
class Footer:
    """The footer of a Parquet file.

    Attributes:
        fields: its FileMetaData.
        start: where it begins, in bytes; all before is data.
    """

    fields: Struct
    start: int

    @classmethod
    def read(cls, path: Location) -> Footer | None:
        """The footer of the file at `path`; None: it has none of the plain kind."""
        content, start = footer_content(path)
        return None if content is None else cls.parsed(content, start)

    @classmethod
    def parsed(cls, content: bytes, start: int) -> Footer | None:
        """The footer of these bytes, which begin at `start`; None: it is none of the plain kind."""
        try:
            return cls(thrift.parse(content), start)
        except ThriftError:
            return None

    @property
    def is_plain(self) -> bool:
        """Whether what is needed of it is there, and of the type that the format declares."""
        try:
            groups = all(map(_is_plain_group, self.row_groups))
            pairs = all(isinstance(each, bytes) for pair in self.key_values.items() for each in pair)
            orders = self.fields.get(_COLUMN_ORDERS, _structs([])).value.values
            elements = self.fields[_SCHEMA].value.values
            children = elements[0][_NUM_CHILDREN].value
            structs = all(isinstance(each, dict) for each in (*elements, *orders))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return False
        return groups and pairs and structs and isinstance(children, int)

    def chunks(self) -> Iterator[ChunkSize]:
        """The sizes of its column chunks that are not encrypted."""
        for group in self.fields[_ROW_GROUPS].value.values:
            for chunk in group[_COLUMNS].value.values:
                if _META_DATA in chunk:
                    yield ChunkSize.of(chunk[_META_DATA].value)

    @property
    def row_groups(self) -> list[Struct]:
        """Its RowGroups."""
        groups: list[Struct] = self.fields[_ROW_GROUPS].value.values
        return groups

    @property
    def group_rows(self) -> list[int]:
        """The number of rows of each row group."""
        return [group[_NUM_ROWS].value for group in self.row_groups]

    @property
    def key_values(self) -> dict[bytes, bytes]:
        """The metadata by its keys."""
        if _KEY_VALUES not in self.fields:
            return {}
        pairs = self.fields[_KEY_VALUES].value.values
        return {pair[_KEY].value: pair[_VALUE].value for pair in pairs if _VALUE in pair}

    @property
    def is_extendable(self) -> bool:
        """Whether columns can be added: all data is in this file and not encrypted, and no row group is empty."""
        chunks = (chunk for group in self.row_groups for chunk in group[_COLUMNS].value.values)
        return (
            _ENCRYPTION not in self.fields
            and all(0 < rows <= _MAX_GROUP_ROWS for rows in self.group_rows)
            and all(_FILE_PATH not in chunk and _META_DATA in chunk for chunk in chunks)
            and len(self.key_values)
            == len(self.fields.get(_KEY_VALUES, Field(LIST, Items(STRUCT, []))).value.values)
        )

    def moved_groups(self, by: int) -> list[Struct]:
        """Its RowGroups, as they are in a file in which their pages begin `by` bytes later."""
        return [_moved_group(group, by) for group in self.row_groups]

    def with_groups(self, groups: Sequence[Struct]) -> bytes:
        """The footer with other RowGroups."""
        rows = sum(group[_NUM_ROWS].value for group in groups)
        return thrift.dump(self.fields | {_NUM_ROWS: Field(I64, rows), _ROW_GROUPS: _structs(groups)})

    def extended(self, new: Footer, metadata: Mapping[bytes, bytes]) -> bytes:
        """The footer with the columns of `new`, of as many rows per row group, and `metadata` as it shall be.

        The column data of `new` begins at the offset of this footer.
        """
        fields = dict(self.fields)
        root, *_ = old_schema = self.fields[_SCHEMA].value.values
        _, *added = new.fields[_SCHEMA].value.values
        children = root[_NUM_CHILDREN].value + len(added)
        fields[_SCHEMA] = _structs([root | {_NUM_CHILDREN: Field(I32, children)}, *old_schema[1:], *added])
        fields[_ROW_GROUPS] = _structs(
            [
                _widened(group, other, self.start)
                for group, other in zip(self.row_groups, new.row_groups, strict=True)
            ]
        )
        pairs: list[Struct] = [
            {_KEY: Field(BINARY, key), _VALUE: Field(BINARY, value)} for key, value in metadata.items()
        ]
        fields[_KEY_VALUES] = _structs(pairs)
        if _COLUMN_ORDERS in fields:
            orders = [fields[_COLUMN_ORDERS], new.fields[_COLUMN_ORDERS]]
            fields[_COLUMN_ORDERS] = _structs([order for each in orders for order in each.value.values])
        return thrift.dump(dict(sorted(fields.items())))


def footer_of(content: bytes) -> Footer | None:
    """The footer of a file's content; None: it is none of the plain kind."""
    length, _ = END.unpack(content[-END.size :])
    start = len(content) - END.size - length
    return Footer.parsed(content[start : -END.size], start)


def schema_elements(content: bytes) -> list[Struct]:
    """The SchemaElements of a footer, of which no more is read.

    :raises ThriftError: it has none.
    """
    fields = thrift.parse(content, last=_SCHEMA)
    if _SCHEMA not in fields or not isinstance(fields[_SCHEMA].value, Items):
        raise ThriftError("the footer has no schema")
    elements: list[Struct] = fields[_SCHEMA].value.values
    return elements


def is_encrypted(path: Location) -> bool:
    """Whether the file at `path` says at either end that its footer is encrypted."""
    with files.open_bytes(path) as stream, files.reading(path):
        if stream.read(len(MAGIC)) == ENCRYPTED_MAGIC:
            return True
        stream.seek(-min(len(MAGIC), stream.seek(0, os.SEEK_END)), os.SEEK_END)
        return stream.read() == ENCRYPTED_MAGIC


def footer_content(path: Location) -> tuple[bytes | None, int]:
    """The bytes of the footer (None: there is none of the plain kind), and where it begins."""
    with files.open_bytes(path) as stream, files.reading(path):
        size = stream.seek(0, os.SEEK_END)
        if size < END.size:
            return None, 0
        stream.seek(-END.size, os.SEEK_END)
        length, magic = END.unpack(stream.read(END.size))
        start = size - END.size - length
        if magic != MAGIC or start < len(MAGIC):
            return None, 0
        stream.seek(start)
        return stream.read(length), start


def _is_plain_group(group: Struct) -> bool:
    sums = (_NUM_ROWS, _TOTAL_BYTE_SIZE, _TOTAL_COMPRESSED_SIZE)
    return (
        _NUM_ROWS in group
        and all(isinstance(group[number].value, int) for number in sums if number in group)
        and all(_is_plain_chunk(chunk) for chunk in group[_COLUMNS].value.values)
    )


def _is_plain_chunk(chunk: Struct) -> bool:
    pages = chunk[_META_DATA].value if _META_DATA in chunk else {}
    return all(isinstance(pages[number].value, int) for number in _PAGE_OFFSETS if number in pages)


def _widened(group: Struct, other: Struct, start: int) -> Struct:
    """A row group with the columns behind its own of another one, whose file begins at `start`."""
    added = [_moved(chunk, start) for chunk in other[_COLUMNS].value.values]
    columns = [*group[_COLUMNS].value.values, *added]
    sums = {
        number: Field(I64, group[number].value + other[number].value)
        for number in (_TOTAL_BYTE_SIZE, _TOTAL_COMPRESSED_SIZE)
        if number in group and number in other
    }
    return group | {_COLUMNS: _structs(columns)} | sums


def _moved_group(group: Struct, by: int) -> Struct:
    moved = group | {_COLUMNS: _structs([_moved(chunk, by) for chunk in group[_COLUMNS].value.values])}
    if _GROUP_OFFSET in group:
        moved[_GROUP_OFFSET] = Field(I64, group[_GROUP_OFFSET].value + by)
    return moved


def _moved(chunk: Struct, by: int) -> Struct:
    """A column chunk whose page offsets are shifted by `by` bytes."""
    pages: Struct = chunk[_META_DATA].value
    there = (
        number for number in _PAGE_OFFSETS if number in pages and pages[number].value
    )  # 0: there is no such page
    offsets = {number: Field(I64, pages[number].value + by) for number in there}
    return chunk | {_META_DATA: Field(STRUCT, pages | offsets)}


def _structs(values: Sequence[Struct]) -> Field:
    return Field(LIST, Items(STRUCT, list(values)))
