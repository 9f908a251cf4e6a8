"""Luigi targets that exist only if their file is the one its fingerprint names."""

from __future__ import annotations

import contextlib

import luigi

from pipeline.errors import InputError
from pipeline.manifest.batch import Batch
from pipeline.manifest.entries import TableEntry
from pipeline.records.receipts import Receipts
from pipeline.report.freshness import BatchCheck, check_table


class TableTarget(luigi.Target):
    """A joined table: its files are there, are those that were made, and would be made the same now."""

    def __init__(self, batch: Batch, entry: TableEntry) -> None:
        self._batch = batch
        self._entry = entry

    def exists(self) -> bool:
        """Whether the table is complete; one of which that cannot be told is made, which tells why."""
        with contextlib.suppress(InputError):
            return check_table(self._entry, self._batch.base_dir, Receipts(self._batch.state_dir)).complete
        return False


class ReportTarget(luigi.Target):
    """The report of a batch: it exists only if every table does and its bytes are those of their report."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def exists(self) -> bool:
        """Whether the batch is complete; if that cannot be told, it is not."""
        with contextlib.suppress(InputError):
            return BatchCheck(self._batch).complete
        return False
