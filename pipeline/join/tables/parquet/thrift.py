"""Thrift's compact protocol, as far as it takes to read a structure, change a part and write the rest as it was.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. A structure is read without
its declaration, so that fields that a newer declaration adds pass through.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_BOOLEANS = (TRUE, FALSE)
_INTEGERS = (I16, I32, I64)
_LONG_LIST = 15
_MAX_DEPTH = 64
_VARINT_BITS = 70


class Field(NamedTuple):
    """The value of a field with its type: int, float, bytes, bool, `Struct`, or `Items` for LIST and SET."""

    kind: int
    value: Any


class Items(NamedTuple):
    """A list or set: values of one type."""

    kind: int
    values: list[Any]


Struct: TypeAlias = dict[int, Field]
"""Fields by their number, in the order in which they came."""


class ThriftError(ValueError):
    """The bytes are no structure of the compact protocol."""


def parse(content: bytes, last: int | None = None) -> Struct:
    """The structure that `content` begins with.

    :param last: the number of the last field that is needed; what follows it is not read.
    :raises ThriftError: there is none.
    """
    try:
        return _Reader(content).struct(0, last)
    except IndexError as exc:
        raise ThriftError("the structure is cut off") from exc


def dump(struct: Struct) -> bytes:
    """The bytes of a structure."""
    into = bytearray()
    _write_struct(into, struct)
    return bytes(into)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def struct(self, depth: int, last: int | None = None) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 0x0F
            number = number + step if step else self._integer()
            if last is not None and number > last:
                break
            # A field that is a boolean has its value in its type.
            value = kind == TRUE if kind in _BOOLEANS else self._value(kind, depth)
            fields[number] = Field(kind, value)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ThriftError("the structure is nested too deeply")
        if kind in _INTEGERS:
            return self._integer()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (LIST, SET):
            return self._items(depth + 1)
        if kind in (BYTE, *_BOOLEANS):
            return self._byte()
        if kind == DOUBLE:
            return self._bytes(8)  # kept as it is: nobody here reads one
        raise ThriftError(f"found the type {kind}")

    def _items(self, depth: int) -> Items:
        head = self._byte()
        size = head >> 4 if head >> 4 != _LONG_LIST else self._varint()
        if size > len(self._content):
            raise ThriftError(f"found a list of {size} in {len(self._content)} bytes")
        kind = head & 0x0F
        return Items(kind, [self._value(kind, depth) for _ in range(size)])

    def _byte(self) -> int:
        byte = self._content[self._at]
        self._at += 1
        return byte

    def _bytes(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._content):
            raise ThriftError("the structure is cut off")
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def _varint(self) -> int:
        value = shift = 0
        while shift < _VARINT_BITS:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ThriftError("found an integer of more than 64 bits")

    def _integer(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)


def _write_struct(into: bytearray, struct: Struct) -> None:
    before = 0
    for number, (kind, value) in struct.items():
        step = number - before
        if 0 < step < 16:
            into.append(step << 4 | kind)
        else:
            into.append(kind)
            _write_integer(into, number)
        before = number
        if kind not in _BOOLEANS:
            _write_value(into, kind, value)
    into.append(0)


def _write_value(into: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _write_integer(into, value)
    elif kind == BINARY:
        _write_varint(into, len(value))
        into += value
    elif kind == STRUCT:
        _write_struct(into, value)
    elif kind in (LIST, SET):
        _write_items(into, value)
    elif kind == DOUBLE:
        into += value
    else:
        into.append(value)


def _write_items(into: bytearray, items: Items) -> None:
    size = len(items.values)
    if size < _LONG_LIST:
        into.append(size << 4 | items.kind)
    else:
        into.append(_LONG_LIST << 4 | items.kind)
        _write_varint(into, size)
    for value in items.values:
        _write_value(into, items.kind, value)


def _write_integer(into: bytearray, value: int) -> None:
    _write_varint(into, value << 1 if value >= 0 else (-value << 1) - 1)


def _write_varint(into: bytearray, value: int) -> None:
    while value >= 0x80:
        into.append(value & 0x7F | 0x80)
        value >>= 7
    into.append(value)
