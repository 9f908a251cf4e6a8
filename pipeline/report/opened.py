"""A batch as a training job opens it: cited by the digest of its report, read as pandas, Arrow or batches.

A file is digested while it is read, and its digest is compared with the report before any row is returned. `batches`
digests it first. So no row of a file that changed after the report was written is returned.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import BatchError, InputError, UsageError, count, listing, show
from ..join.columns import APPENDED
from ..join.large.joined import JoinedShards, file_of
from ..join.tables import FeatureTable, open_joined
from ..join.tables.parquet.pandas_entry import index_columns
from ..join.tables.parquet.table import ParquetTable
from ..manifest.options import JoinOptions
from ..records.materialized import Coverage
from ..records.snapshots import Snapshot, check_unchanged, snapshot
from ..storage.files import FileDescription
from ..storage.locations import Location, located
from .build import TableReport
from .reading import ReportFile, read_report

if TYPE_CHECKING:
    import pandas as pd

Which: TypeAlias = Literal["ok", "all"]
"""ok: a score whose status is not `ok` is null; all: scores as the joined table has them."""


def open_batch(
    report: str | Location, *, sha256: str | None = None, base_dir: str | Location | None = None
) -> OpenedBatch:
    """Open the batch that a report describes. It may be a copy of the batch's folder elsewhere.

    :param sha256: the digest under which the batch is cited; None: it is not checked.
    :param base_dir: folder that the report's paths are relative to; None: the folder that the report names, relative to
        its own.
    :raises UsageError: the file is not there, or is not a report of this project.
    :raises InputError: the report has another digest, or its batch is not complete.
    """
    read = read_report(report, base_dir)
    read.check(sha256)
    return OpenedBatch(read)


class OpenedBatch:
    """A complete batch, as its report describes it."""

    def __init__(self, report: ReportFile) -> None:
        self._report = report

    @property
    def sha256(self) -> str:
        """The digest of the report, by which the batch is cited."""
        return self._report.sha256

    @property
    def ids(self) -> tuple[str, ...]:
        """The tables, in the manifest's order."""
        return tuple(table["id"] for table in self._report.document["tables"])

    @property
    def coverage(self) -> pd.DataFrame:
        """What each scorer covers; one row per table and scorer, which are the levels of the index.

        `coverage` is the share of rows with an `ok` score, from 0 to 1; NaN for a table without rows.
        """
        import pandas as pd

        rows = [
            _coverage(table["id"], table["summary"]["input_rows"], covered)
            for table in self._report.document["tables"]
            for covered in table["summary"]["competitors"].values()
        ]
        names = ["table", "scorer", *_COUNTS, "rows", "coverage"]
        return pd.DataFrame(rows, columns=names).set_index(["table", "scorer"])

    def table(self, id: str) -> OpenedTable:  # noqa: A002  # a manifest calls it so
        """One table. Its file is read later, by the methods of the result.

        :raises UsageError: the batch has no such table.
        """
        for table in self._report.document["tables"]:
            if table["id"] == id:
                return OpenedTable.of(self._report, table)
        raise UsageError(
            f"{self._report.path}: found no table {show(id)}; expected one of {', '.join(map(show, self.ids))}"
        )

    def __repr__(self) -> str:
        return f"<batch {self._report.path}: {count(len(self.ids), 'table')}, sha256 {self.sha256}>"


_COUNTS = ("column_prefix", "scores_loaded", "matched_rows", "missing_rows", "bad_rows", "unused_scores")


def _coverage(table: str, rows: int, covered: Coverage) -> dict[str, object]:
    counts = {name: covered[name] for name in _COUNTS}  # type: ignore[literal-required]  # all are its fields
    share = covered["matched_rows"] / rows if rows else float("nan")
    return {"table": table, "scorer": covered["competitor"], **counts, "rows": rows, "coverage": share}


class OpenedTable:
    """A joined table of a batch. Every method that reads rows checks the file against the report.

    Attributes:
        id: its name in the manifest.
        path: the joined table.
        sha256: its digest according to the report.
    """

    def __init__(
        self,
        name: str,
        base: Location,
        outputs: Mapping[str, FileDescription],
        key: str | None,
        coverage: Iterable[Coverage],
    ) -> None:
        """:param key: the wanted key column or columns, as `JoinOptions.feature_key`.
        :param outputs: the joined table, or the index and the joined files of its shards; by role, as a report has them.
        """
        files = {role: located(base, each["path"]) for role, each in outputs.items() if role != "audit_json"}
        self.id, self.path, self.sha256 = name, files["out"], outputs["out"]["sha256"]
        self._digests = {path: outputs[role]["sha256"] for role, path in files.items()}
        self._shards = [file_of(role, path) for role, path in files.items() if role != "out"]
        self._wanted_key = key
        self._prefixes = [each["column_prefix"] for each in coverage]

    @classmethod
    def of(cls, report: ReportFile, table: TableReport) -> OpenedTable:
        """The table that a report describes."""
        return cls(
            table["id"],
            report.base,
            table["outputs"],
            JoinOptions().with_overrides(table["config"]).feature_key,
            table["summary"]["competitors"].values(),
        )

    @property
    def key_column(self) -> str:
        """The column that names the clip."""
        return self._open().key_column

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key: the one that names the clip, and those that tell its rows apart, such as a frame."""
        return self._open().key_columns

    def to_pandas(self, columns: Sequence[str] | None = None, scores: Which = "ok") -> pd.DataFrame:
        """The table as a DataFrame. Columns that pandas wrote as an index are the index again.

        :param columns: names of columns, in the order of the result; None: all.
        :param scores: `ok`: a score whose status is not `ok` is NaN; `all`: scores as the joined table has them.
        :raises InputError: the file is not the one that the report describes.
        :raises UsageError: the table has no such column.
        """
        return self._read(columns, scores, with_index=True).to_pandas()

    def to_arrow(self, columns: Sequence[str] | None = None, scores: Which = "ok") -> pa.Table:
        """The table as an Arrow table; parameters and errors are those of `to_pandas`."""
        return self._read(columns, scores, with_index=False)

    def batches(self, columns: Sequence[str] | None = None, scores: Which = "ok") -> Iterator[pa.RecordBatch]:
        """The table in record batches, for one that is larger than memory; parameters are those of `to_pandas`.

        The file is digested before the first batch.

        :raises InputError: the file is not the one that the report describes, or changed while it was read.
        """
        taken = {path: self._checked(path, snapshot(path)) for path in self._digests}
        selection = _selection(self._open(), columns, self._prefixes, scores, with_index=False)
        yield from selection.batches()
        for path, each in taken.items():
            check_unchanged(path, each.signature)

    def _read(self, columns: Sequence[str] | None, scores: Which, *, with_index: bool) -> pa.Table:
        with self._digested_meanwhile():
            features = self._open()
            selection = _selection(features, columns, self._prefixes, scores, with_index=with_index)
            return pa.Table.from_batches(selection.batches(), selection.schema)

    @contextlib.contextmanager
    def _digested_meanwhile(self) -> Iterator[None]:
        """:raises InputError: the file is not the one that the report describes. A changed file is reported as such,
        whatever error reading it gives.
        """
        with ThreadPoolExecutor(1) as beside:
            digesting = {path: beside.submit(snapshot, path) for path in self._digests}
            try:
                yield
            except BatchError:
                for path, taken in digesting.items():
                    self._checked(path, taken.result())
                raise
            for path, taken in digesting.items():
                check_unchanged(path, self._checked(path, taken.result()).signature)

    def _checked(self, path: Location, taken: Snapshot) -> Snapshot:
        expected = self._digests[path]
        if taken.sha256 != expected:
            raise InputError(
                f"{path}: the file has changed since the report was written: found sha256 {taken.sha256}; "
                f"expected {expected}; run the batch again, or bring the file back"
            )
        return taken

    def _open(self) -> FeatureTable:
        if self._shards:
            return JoinedShards(self._shards, self._wanted_key)
        return open_joined(self.path, self._wanted_key)

    def __repr__(self) -> str:
        return f"<table {self.id}: {self.path}>"


@dataclass(frozen=True)
class _Selection:
    """Columns of a joined table.

    Attributes:
        features: the joined table.
        schema: names and types of the columns.
        statuses: names of status columns by score column; a score is nulled where its status is not `ok`.
    """

    features: FeatureTable
    schema: pa.Schema
    statuses: dict[str, str]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in order."""
        needed = [*dict.fromkeys([*self.schema.names, *self.statuses.values()])]
        found: Iterable[pa.RecordBatch] = (
            self.features.batches(needed)
            if isinstance(self.features, ParquetTable | JoinedShards)
            else self.features.chunks("arrow")
        )
        for batch in found:
            columns = [self._column(batch, field) for field in self.schema]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
        column = batch.column(batch.schema.get_field_index(field.name))
        if not column.type.equals(field.type):
            column = _typed(column, field.type)
        status = self.statuses.get(field.name)
        if status is None:
            return column
        is_ok = pc.equal(batch.column(batch.schema.get_field_index(status)).cast(pa.string()), "ok")
        return pc.if_else(is_ok, column, pa.scalar(None, field.type))


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """An appended column with the type that the join gave it. Delimited text reads a column without values as texts."""
    if pa.types.is_string(column.type) and not pa.types.is_string(kind):
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column.cast(kind)


def _selection(
    features: FeatureTable,
    columns: Sequence[str] | None,
    prefixes: Sequence[str],
    scores: Which,
    *,
    with_index: bool,
) -> _Selection:
    """:raises UsageError: a column does not exist, or `scores` is neither `ok` nor `all`."""
    if scores not in ("ok", "all"):
        raise UsageError(f"scores: found {show(scores)}; expected 'ok' or 'all'")
    held = features.schema()
    wanted = [*held.names] if columns is None else _present(features, columns)
    if with_index:
        wanted += [name for name in index_columns(held) if name not in wanted]
    appended = {f"{prefix}_{field.name}": field.type for prefix in prefixes for field in APPENDED}
    fields = [held.field(name).with_type(appended.get(name, held.field(name).type)) for name in wanted]
    scored = {f"{prefix}_score": f"{prefix}_status" for prefix in prefixes} if scores == "ok" else {}
    statuses = {name: scored[name] for name in wanted if name in scored}
    return _Selection(features, pa.schema(fields, metadata=held.metadata), statuses)


def _present(features: FeatureTable, columns: Sequence[str]) -> list[str]:
    if isinstance(columns, str):
        raise UsageError(f"columns: found the text {show(columns)}; expected a list of names")
    missing = [name for name in columns if name not in features.columns]
    if missing:
        held = ", ".join(map(show, features.columns))
        raise UsageError(
            listing(
                f"{features.path}: the table does not have {count(len(missing), 'column')}; expected some of {held}",
                map(show, missing),
            )
        )
    return [*dict.fromkeys(columns)]
