"""The metadata of a joined Parquet table: entries that repeat the schema learn of the new columns, or are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from . import pandas_entry
from .pandas_entry import RangeIndex

FINGERPRINT_KEY = b"second_opinion.fingerprint"
PANDAS_KEY = b"pandas"
ARROW_KEY = b"ARROW:schema"

_Fields: TypeAlias = list[dict[str, Any]]
_KEPT = {FINGERPRINT_KEY, ARROW_KEY, PANDAS_KEY, b"PANDAS_ATTRS", b"geo", b"r"}
"""Never left out: written here, or by those who read them without a look at columns that they do not name."""
_SCHEMAS = {b"iceberg.schema", b"parquet.proto.descriptor", b"thrift.descriptor", b"pig.schema"}
"""Copies of the schema whose form is not worth knowing."""
_MAX_BYTES = 1 << 24
_NAME_MEMBERS = ("name", "field", "column", "column_name", "field_name")
_TYPE_MEMBERS = {
    "type",
    "dtype",
    "_type",
    "data_type",
    "dataType",
    "datatype",
    "logicalType",
    "physical_type",
}
_TYPE = (
    r"(?:u?int(?:eger|\d+)?|(?:big|small|tiny)int|long|short|byte|float\d*|double|real|decimal|numeric|number"
    r"|bool(?:ean)?|string|str|utf-?8|text|(?:var)?char(?:array)?|binary|bytes|blob|date\d*|time|timestamp|datetime\d*"
    r"|large_string|list|array|struct|map|object|category)"
)
_IS_TYPE = re.compile(rf"(?i){_TYPE}(?:[(<\[].*)?", re.DOTALL)
_WORD = r"(?<![\w.\-])([\w.\-]{1,200}+)"  # bounded, so that the time of a search is linear
_DECLARED = re.compile(
    rf"(?i){_WORD}[\"'`]?\s{{0,9}}[:\s]\s{{0,9}}[\"'`]?{_TYPE}\b(?=\s{{0,9}}(?:[,;)\]}}(<\[\"']|not\b|$))"
    rf"|\b{_TYPE}\s{{1,9}}{_WORD}(?=\s{{0,9}}[;(,])",
    re.MULTILINE,
)
"""`name: type`, `name type`, `type name;` of a text that lists columns."""
_SPARK_TYPES = {pa.float64(): "double", pa.int64(): "long", pa.string(): "string"}
"""Those of Avro as well."""
_NUMPY_TYPES = {pa.float64(): "float64", pa.int64(): "int64", pa.string(): "string"}


@dataclass(frozen=True)
class JoinedMetadata:
    """The metadata of a joined table.

    Attributes:
        entries: the metadata.
        dropped: the keys of those left out.
    """

    entries: dict[bytes, bytes]
    dropped: tuple[str, ...]


def joined_metadata(
    metadata: Mapping[bytes, bytes],
    columns: Collection[str],
    appended: pa.Schema,
    fingerprint: str,
    stored: RangeIndex | None = None,
) -> JoinedMetadata:
    """The metadata of a joined table.

    :param metadata: that of the feature table.
    :param columns: the columns of the feature table.
    :param stored: pandas' range index whose labels have become a column.
    """
    entries: dict[bytes, bytes] = {}
    dropped: list[str] = []
    for key, value in metadata.items():
        joined: bytes | None = value
        if key == PANDAS_KEY:
            joined = pandas_entry.updated(value, appended, stored)
        elif key in _UPDATES:
            joined = _updated(value, _UPDATES[key], appended)
        elif key in _SCHEMAS or (key not in _KEPT and repeats_schema(value, columns)):
            joined = None
        if joined is None:
            dropped.append(key.decode("utf-8", "backslashreplace"))
        else:
            entries[key] = joined
    entries[FINGERPRINT_KEY] = fingerprint.encode("ascii")
    return JoinedMetadata(entries, tuple(dropped))


def repeats_schema(value: bytes, columns: Collection[str]) -> bool:
    """Whether a text declares a type for more than half of the columns, or lists all of them."""
    if len(value) > _MAX_BYTES:
        return False
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    known = set(columns)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        found = {name for names in _DECLARED.findall(text) for name in names}
        return _are_most(found, known)
    if isinstance(document, list) and len(document) > 1 and document == [*columns]:
        return True
    return any(_are_most(names, known) for names in _declared(document))


def _declared(document: Any) -> Iterator[set[str]]:
    """For each list and object anywhere in a JSON document: the names that it declares a type for."""
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, list):
            yield {name for each in value for name in _named(each)}
            left += value
        elif isinstance(value, dict):
            yield {name for name, kind in value.items() if _is_type(kind)}
            left += value.values()


def _named(value: Any) -> Iterable[str]:
    if not isinstance(value, dict) or not _TYPE_MEMBERS & value.keys():
        return ()
    return (value[name] for name in _NAME_MEMBERS if isinstance(value.get(name), str))


def _is_type(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(_TYPE_MEMBERS & value.keys())
    return isinstance(value, str) and _IS_TYPE.fullmatch(value) is not None


def _are_most(names: Collection[str], columns: set[str]) -> bool:
    return 2 * len(columns.intersection(names)) > len(columns)


def _updated(value: bytes, update: Callable[[Any, pa.Schema], None], appended: pa.Schema) -> bytes | None:
    """A JSON entry brought up to date; None: it is not of its form."""
    try:
        document = json.loads(value)
        update(document, appended)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _update_spark(document: Any, appended: pa.Schema) -> None:
    if document["type"] != "struct":
        raise ValueError
    fields: _Fields = [
        {"name": field.name, "type": _SPARK_TYPES[field.type], "nullable": True, "metadata": {}}
        for field in appended
    ]
    document["fields"] = _merged(document["fields"], fields)


def _update_avro(document: Any, appended: pa.Schema) -> None:
    if document["type"] != "record" or not all(
        re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) for name in appended.names
    ):
        raise ValueError  # Avro knows no such names
    fields: _Fields = [
        {"name": field.name, "type": ["null", _SPARK_TYPES[field.type]], "default": None}
        for field in appended
    ]
    document["fields"] = _merged(document["fields"], fields)


def _update_huggingface(document: Any, appended: pa.Schema) -> None:
    """Of `datasets`, which reads the types of columns from it; a fingerprint there is that of other rows."""
    features = document.get("info", {}).get("features")
    document.pop("fingerprint", None)
    if features is not None:
        features |= {field.name: {"dtype": _NUMPY_TYPES[field.type], "_type": "Value"} for field in appended}


def _merged(known: _Fields, new: _Fields) -> _Fields:
    """Fields by their names: replaced where they are, else at the end."""
    return [*({field["name"]: field for field in known} | {field["name"]: field for field in new}).values()]


_UPDATES: dict[bytes, Callable[[Any, pa.Schema], None]] = {
    b"org.apache.spark.sql.parquet.row.metadata": _update_spark,
    b"parquet.avro.schema": _update_avro,
    b"avro.schema": _update_avro,
    b"huggingface": _update_huggingface,
}
