"""Luigi targets: the inputs of a batch, and its tables and its report. The last two exist only if they are up to date."""

from __future__ import annotations

import contextlib
import io
from typing import IO, TYPE_CHECKING, Any, NoReturn

from luigi.local_target import LocalFileSystem
from luigi.target import FileSystemTarget, Target

from ..errors import InputError, UsageError, show
from ..manifest.batch import Batch
from ..manifest.entries import SidecarEntry, TableEntry
from ..records.receipts import Receipts
from ..report.freshness import BatchCheck, check_table
from ..storage import filenames, files, textfiles
from ..storage.formats import table_format
from ..storage.locations import Location, located

if TYPE_CHECKING:  # a run in which nothing changed does not load pandas
    import pandas as pd
    import pyarrow as pa

    from ..report.build import Report
    from ..report.opened import OpenedTable, Which


class ReadOnlyTarget(FileSystemTarget):
    """A file that other tasks may read, and that only its own task writes."""

    fs = LocalFileSystem()

    def __init__(self, path: Location) -> None:
        super().__init__(str(path))
        self._place = path

    def open(self, mode: str = "r") -> IO[Any]:
        """Open the file for reading.

        :param mode: `r`: decompressed text, but bytes for a Parquet file; `rb`: the bytes of the file.
        :raises UsageError: the mode is another one.
        """
        path = self._place
        if mode not in ("r", "rb"):
            self._refuse(f"found the mode {show(mode)}; expected 'r' or 'rb'")
        if mode == "rb" or table_format(path.name) == "parquet":
            return files.open_bytes(path)
        return io.TextIOWrapper(textfiles.open_text_bytes(path), encoding="utf-8", newline="")

    def remove(self) -> NoReturn:
        """:raises UsageError: always."""
        self._refuse("found a request to remove it")

    def temporary_path(self) -> NoReturn:
        """:raises UsageError: always."""
        self._refuse("found a request to write it")

    def _refuse(self, found: str) -> NoReturn:
        raise UsageError(f"{self.path}: {found}; only the file's own task may write or remove it")


class InputTarget(ReadOnlyTarget):
    """A feature table or a sidecar. A pattern is one input, however many files it matches.

    Attributes:
        path: the file or the pattern, below the base folder.
    """

    def __init__(self, path: str, base: Location) -> None:
        super().__init__(located(base, path))
        self._entry, self._base = SidecarEntry(path), base

    def exists(self) -> bool:
        """True if the file exists, or the pattern matches a file.

        An unreadable input counts as existing, so that joining its table reports the error.
        """
        with contextlib.suppress(InputError):
            return any(filenames.exists(path) for _, path in self._entry.files(self._base))
        return True


class TableTarget(ReadOnlyTarget):
    """A joined table. It exists only while its files are unchanged and match the manifest and the inputs.

    Attributes:
        path: the joined table.
    """

    def __init__(self, batch: Batch, entry: TableEntry) -> None:
        super().__init__(located(batch.base_dir, entry.target))
        self._batch = batch
        self._entry = entry

    def exists(self) -> bool:
        """True if the table is complete.

        An unreadable input counts as incomplete, so that joining the table reports the error.
        """
        with contextlib.suppress(InputError):
            return check_table(self._entry, self._batch.base_dir, self._receipts).complete
        return False

    def load(self, scores: Which = "ok") -> pd.DataFrame:
        """The joined table.

        :param scores: `ok`: a score whose status is not `ok` is NaN; `all`: scores as the table has them.
        :raises InputError: the table was not joined yet, or its file has changed since.
        """
        return self._opened.to_pandas(scores=scores)

    def read(self, scores: Which = "ok") -> pa.Table:
        """The joined table as an Arrow table; parameters and errors are those of `load`."""
        return self._opened.to_arrow(scores=scores)

    @property
    def _receipts(self) -> Receipts:
        return Receipts(self._batch.state_dir, self._entry)

    @property
    def _opened(self) -> OpenedTable:
        from ..report.opened import OpenedTable

        built = self._receipts.built(self._entry)
        if built is None:
            raise InputError(f"{self.path}: the table was not joined yet; run its batch")
        return OpenedTable(
            name=self._entry.id,
            base=self._batch.base_dir,
            outputs=built.outputs,
            key=self._entry.options.feature_key,
            coverage=tuple(built.summary["competitors"].values()),
        )


class ScoresTarget(Target):
    """The prepared scores of some sidecars of a table in shards."""

    def __init__(self, batch: Batch, entry: TableEntry, group: tuple[int, ...]) -> None:
        self._batch, self._entry, self._group = batch, entry, group

    def exists(self) -> bool:
        """True if they were prepared from the sidecars as they are now; a sidecar that cannot be read counts as changed."""
        from ..join.large import prepared

        with contextlib.suppress(InputError):
            folder = self._batch.scores_dir
            return prepared.is_prepared(self._entry, self._group, self._batch.base_dir, folder)
        return False


class ReportTarget(ReadOnlyTarget):
    """The report of a batch. It exists only while every table exists and the report describes them.

    Attributes:
        path: the report in JSON.
    """

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch.report_json)
        self._batch = batch

    def exists(self) -> bool:
        """True if the batch is complete. An unreadable input counts as incomplete."""
        with contextlib.suppress(InputError):
            return BatchCheck(self._batch).complete
        return False

    @property
    def sha256(self) -> str:
        """The digest by which the batch is cited.

        :raises InputError: there is no report yet.
        """
        return files.digest(self._place)

    @property
    def document(self) -> Report:
        """The report.

        :raises UsageError: there is none yet.
        """
        from ..report.reading import read_report

        return read_report(self.path).document

    def table(self, id: str) -> OpenedTable:  # noqa: A002  # a manifest calls it so
        """One table of the batch.

        :raises UsageError: there is no report yet, or it has no such table.
        """
        from ..report.opened import open_batch

        return open_batch(self.path).table(id)
