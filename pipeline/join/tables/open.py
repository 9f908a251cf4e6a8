"""The format that a table's name requests."""

from __future__ import annotations

import pyarrow as pa

from ...errors import TableError, show
from ...storage import files
from ...storage.dialect import UNSET, TextSettings
from ...storage.formats import TABLE_EXTENSIONS, table_format
from ...storage.locations import Location
from ...storage.writing import NewFile
from .base import FeatureTable, Form, Sink, with_fields
from .delimited import DelimitedSink, DelimitedTable
from .json import JsonSink, JsonTable
from .parquet.append import extend_table
from .parquet.sink import ParquetSink, check_schema
from .parquet.table import ParquetTable

_DELIMITERS = {"csv": ",", "tsv": "\t"}


def open_table(path: Location, key_column: str | None, text: TextSettings = UNSET) -> FeatureTable:
    """The feature table at `path`, with `key_column` (None: the best candidate) as its key.

    :param text: what is set for delimited text.

    :raises InputMissingError: the file is not there yet.
    :raises TableError: it is not of the format that its name says.
    """
    files.signature(path)
    match table_format(path.name):
        case "parquet":
            return ParquetTable(path, key_column)
        case "jsonl" | "json" as form:
            return JsonTable(path, key_column, lines=form == "jsonl")
        case "csv" | "tsv" as form:
            return DelimitedTable(path, key_column, _DELIMITERS[form], text)
        case None:
            raise TableError(
                f"{path}: found the name {show(path.name)}; expected one of {', '.join(TABLE_EXTENSIONS)}"
            )


def open_joined(path: Location, key_column: str | None) -> FeatureTable:
    """The joined table at `path`, as `create_table` wrote it: nothing of how it is written has to be recognised."""
    delimiter = _DELIMITERS.get(table_format(path.name) or "")
    return open_table(path, key_column, TextSettings(delimiter, decimal="."))


def expected_form(name: str) -> Form:
    """The form of the rows that a sink of a name takes; of Parquet, one that does not copy the features."""
    match table_format(name):
        case "csv" | "tsv":
            return "text"
        case "json" | "jsonl":
            return "rows"
        case _:
            return "arrow"


def check_representable(name: str, features: FeatureTable) -> None:
    """Check whether the features can be written in the format that `name` requests, reading no more than that takes.

    :raises TableError: a column's type cannot be stored in it.
    """
    if table_format(name) == "parquet" and not isinstance(features, ParquetTable):
        check_schema(name, features.schema())
    elif isinstance(features, DelimitedTable) and table_format(name) not in _DELIMITERS:
        features.schema()  # for its notes


def create_table(
    created: NewFile,
    features: FeatureTable,
    appended: pa.Schema,
    fingerprint: str,
    kept: pa.Array | None = None,
) -> Sink:
    """A joined table in a new file, in the format and compression that its name requests.

    :param features: the table whose columns come first.
    :param appended: names and types of the columns that are appended to it.
    :param fingerprint: goes into the metadata, where the format has any (Parquet).
    :param kept: the rows that will be written (bool per row of the features); None: all.
    :raises TableError: the features cannot be stored in that format.
    """
    name = created.path.name
    match table_format(name):
        case "parquet":
            if kept is None and (extended := extend_table(created, features, appended, fingerprint)):
                return extended
            return ParquetSink(created, features, appended, fingerprint, kept)
        case "jsonl" | "json" as form:
            return JsonSink(created, lines=form == "jsonl")
        case "csv" | "tsv" as form:
            features.check_columns(features.columns)
            columns = with_fields(
                pa.schema([(each, pa.string()) for each in features.columns]), appended
            ).names
            return DelimitedSink(created, columns, _DELIMITERS[form])
        case None:
            raise TableError(f"{name}: expected one of {', '.join(TABLE_EXTENSIONS)}")
