"""Thrift structures are read and written without a change."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.join.tables.parquet import thrift
from pipeline.join.tables.parquet.thrift import Field, Items, Struct, ThriftError

SCALARS: dict[int, st.SearchStrategy[Any]] = {
    thrift.BYTE: st.integers(0, 255),
    thrift.I16: st.integers(-(2**15), 2**15 - 1),
    thrift.I32: st.integers(-(2**31), 2**31 - 1),
    thrift.I64: st.integers(-(2**63), 2**63 - 1),
    thrift.DOUBLE: st.binary(min_size=8, max_size=8),
    thrift.BINARY: st.binary(max_size=200),
}
scalars = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda kind: SCALARS[kind].map(lambda value: Field(kind, value))
)
booleans = st.booleans().map(lambda value: Field(thrift.TRUE if value else thrift.FALSE, value))
scalar_lists = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda kind: st.lists(SCALARS[kind], max_size=20).map(
        lambda values: Field(thrift.LIST, Items(kind, values))
    )
)


def structs(fields: st.SearchStrategy[Field]) -> st.SearchStrategy[Struct]:
    """Structures of such fields, in the order of their numbers."""
    return st.dictionaries(st.integers(1, 300), fields, max_size=5).map(
        lambda found: dict(sorted(found.items()))
    )


any_struct = structs(
    st.recursive(
        scalars | booleans | scalar_lists,
        lambda below: (
            structs(below).map(lambda value: Field(thrift.STRUCT, value))
            | st.lists(structs(below), max_size=17).map(
                lambda values: Field(thrift.LIST, Items(thrift.STRUCT, values))
            )
        ),
        max_leaves=10,
    )
)


@given(any_struct)
def test_what_is_written_is_read(value: Struct) -> None:
    """A structure comes back from its bytes as it was, and has one spelling."""
    content = thrift.dump(value)
    assert thrift.parse(content) == value
    assert thrift.dump(thrift.parse(content)) == content


@given(any_struct, st.data())
def test_cut_off_structure_is_refused(value: Struct, data: st.DataObject) -> None:
    """Half a structure is an error."""
    content = thrift.dump(value)
    end = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ThriftError, match=r"cut off|found a list"):
        thrift.parse(content[:end])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_structure_or_refused(content: bytes) -> None:
    """Bytes that are no structure are refused, never a crash or a hang."""
    with contextlib.suppress(ThriftError):
        thrift.parse(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x15\x02\x00", {1: Field(thrift.I32, 1)}),
        (b"\x16\x01\x00", {1: Field(thrift.I64, -1)}),
        (b"\x18\x03abc\x00", {1: Field(thrift.BINARY, b"abc")}),
        (b"\x21\x12\x00", {2: Field(thrift.TRUE, True), 3: Field(thrift.FALSE, False)}),
        (b"\x05\x90\x03\x02\x00", {200: Field(thrift.I32, 1)}),
        (b"\x29\x25\x02\x04\x00", {2: Field(thrift.LIST, Items(thrift.I32, [1, 2]))}),
    ],
    ids=["i32", "negative", "binary", "booleans", "far field", "list"],
)
def test_bytes_of_the_specification(content: bytes, expected: Struct) -> None:
    """The compact protocol's spelling: deltas of field numbers, zigzag integers, booleans in their type."""
    assert thrift.parse(content) == expected
    assert thrift.dump(expected) == content


@pytest.mark.parametrize("content", [b"\x1c" * 5000, b"\x19" * 5000], ids=["structures", "lists"])
def test_deep_nesting_is_refused(content: bytes) -> None:
    """A structure within a structure within ... is refused before Python's stack ends."""
    with pytest.raises(ThriftError, match="nested too deeply"):
        thrift.parse(content)


def test_endless_integer_is_refused() -> None:
    """An integer ends after 64 bits."""
    with pytest.raises(ThriftError, match="more than 64 bits"):
        thrift.parse(b"\x15" + b"\xff" * 5000)
