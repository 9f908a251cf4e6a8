"""Luigi targets that exist only if their files are up to date."""

from __future__ import annotations

import contextlib

import luigi

from pipeline.errors import InputError
from pipeline.manifest.batch import Batch
from pipeline.manifest.entries import TableEntry
from pipeline.records.receipts import Receipts
from pipeline.report.freshness import BatchCheck, check_table


class TableTarget(luigi.Target):
    """A joined table: its files exist, are unchanged, and match the manifest and the inputs."""

    def __init__(self, batch: Batch, entry: TableEntry) -> None:
        self._batch = batch
        self._entry = entry

    def exists(self) -> bool:
        """True if the table is complete.

        An unreadable input counts as incomplete, so that joining the table reports the error.
        """
        with contextlib.suppress(InputError):
            return check_table(self._entry, self._batch.base_dir, Receipts(self._batch.state_dir)).complete
        return False


class ReportTarget(luigi.Target):
    """The report of a batch: it exists only if every table does and its bytes describe them."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def exists(self) -> bool:
        """True if the batch is complete; False also if an input cannot be read."""
        with contextlib.suppress(InputError):
            return BatchCheck(self._batch).complete
        return False
