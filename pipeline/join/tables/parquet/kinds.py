"""What a Parquet file says that its columns are, beyond how their values are stored: JSON, UUID, ENUM ...

Arrow does not know all of these logical types, so a table that is written again may lose some.

Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md, and parquet.thrift for the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from ....records.materialized import ChangedType
from .footer import schema_elements
from .thrift import Struct, ThriftError

# Field numbers of SchemaElement.
_TYPE, _NAME, _NUM_CHILDREN, _CONVERTED, _LOGICAL = 1, 4, 5, 6, 10
_PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_STRUCTURE = ("MAP", "LIST")  # groups of lists and maps, whose names and depth vary with the writer
_CONVERTED_KINDS = (
    *("STRING", "MAP", "MAP", "LIST", "ENUM", "DECIMAL", "DATE"),
    *("TIME(MILLIS,UTC)", "TIME(MICROS,UTC)", "TIMESTAMP(MILLIS,UTC)", "TIMESTAMP(MICROS,UTC)"),
    *("UINT_8", "UINT_16", "UINT_32", "UINT_64", "INT_8", "INT_16", "INT_32", "INT_64"),
    *("JSON", "BSON", "INTERVAL"),
)
"""By the number of ConvertedType."""
_LOGICAL_KINDS = {
    1: "STRING",
    2: "MAP",
    3: "LIST",
    4: "ENUM",
    5: "DECIMAL",
    6: "DATE",
    7: "TIME",
    8: "TIMESTAMP",
    10: "INTEGER",
    11: "UNKNOWN",
    12: "JSON",
    13: "BSON",
    14: "UUID",
    15: "FLOAT16",
    16: "VARIANT",
    17: "GEOMETRY",
    18: "GEOGRAPHY",
}
"""By the field number in LogicalType."""
_UNITS = {1: "MILLIS", 2: "MICROS", 3: "NANOS"}
_PLAIN = ("INT_32", "INT_64")  # what INT32 and INT64 are without an annotation


def kinds(content: bytes) -> dict[str, tuple[str, ...]]:
    """The logical types in each column, those below it among them, by the column's name.

    :param content: a footer.
    :raises ThriftError: it is damaged.
    """
    try:
        at = iter(schema_elements(content)[1:])
        return {_name(element): tuple(_below(element, at)) for element in at}
    except (AttributeError, LookupError, RecursionError, StopIteration, TypeError, UnicodeError) as exc:
        raise ThriftError("the footer's schema lacks what every one has") from exc


def written_kinds(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """The logical types that pyarrow writes for a schema.

    :raises pa.ArrowException: it cannot be stored in Parquet.
    """
    into = pa.BufferOutputStream()
    pq.ParquetWriter(into, schema, version="2.6", store_schema=False).close()
    content = into.getvalue().to_pybytes()
    return kinds(content[-8 - int.from_bytes(content[-8:-4], "little") : -8])


def changed_types(
    before: dict[str, tuple[str, ...]], after: dict[str, tuple[str, ...]], replaced: Sequence[str]
) -> list[ChangedType]:
    """The columns whose logical types differ, without those that are `replaced`."""
    return [
        {"column": name, "before": ", ".join(before[name]), "after": ", ".join(after[name])}
        for name in before
        if name in after and name not in replaced and before[name] != after[name]
    ]


def _below(element: Struct, rest: Iterator[Struct]) -> Iterator[str]:
    """The types of an element and of those below it, which follow it in `rest`."""
    kind = _kind(element)
    children = element[_NUM_CHILDREN].value if _NUM_CHILDREN in element else 0
    if not children:
        yield kind or _PHYSICAL[element[_TYPE].value]
    elif kind and kind not in _STRUCTURE:
        yield kind
    for _ in range(children):
        yield from _below(next(rest, {}), rest)


def _kind(element: Struct) -> str | None:
    """The logical type of an element as text; None: it has none."""
    kind = None
    if _LOGICAL in element and (parts := element[_LOGICAL].value):
        number, inner = next(iter(parts.items()))
        kind = _spelled(_LOGICAL_KINDS.get(number, f"logical type {number}"), inner.value)
    elif _CONVERTED in element:
        kind = _CONVERTED_KINDS[element[_CONVERTED].value]
    return None if kind in _PLAIN else kind


def _spelled(kind: str, parameters: Struct) -> str:
    if kind == "INTEGER":
        width, signed = parameters[1].value, parameters[2].value
        return f"{'' if signed else 'U'}INT_{width}"
    if kind in ("TIME", "TIMESTAMP"):
        unit = _UNITS.get(next(iter(parameters[2].value)), "?")
        return f"{kind}({unit}{',UTC' if parameters[1].value else ''})"
    return kind


def _name(element: Struct) -> str:
    name: bytes = element[_NAME].value
    return name.decode("utf-8")
