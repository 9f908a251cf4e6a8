"""Luigi targets that exist only if their file is the one its fingerprint names."""

from __future__ import annotations

from pathlib import Path

import luigi

from pipeline import files
from pipeline.entries import TableEntry
from pipeline.errors import BatchError, InputMissingError
from pipeline.manifest import Batch
from pipeline.markdown import to_markdown
from pipeline.materializer import Materialized
from pipeline.provenance import fingerprint
from pipeline.receipts import Receipts
from pipeline.report import TableState, build_report, render


class TableTarget(luigi.Target):
    """A joined table: its files are there, are those that were made, and would be made the same now."""

    def __init__(self, batch: Batch, entry: TableEntry) -> None:
        self._base = batch.base_dir
        self._entry = entry
        self._receipts = Receipts(batch.state_dir)

    def exists(self) -> bool:
        """Whether the table is complete."""
        return self.made() is not None

    def made(self) -> Materialized | None:
        """What was made, if the table is complete."""
        made = self._receipts.made(self._entry.id)
        return made if made is not None and self._is_fresh(made) and self._is_whole(made) else None

    def _is_fresh(self, made: Materialized) -> bool:
        try:
            digests = {role: files.snapshot(path).sha256 for role, path in self._entry.inputs(self._base)}
        except InputMissingError:
            # An input that has gone does not unmake what was made of it.
            digests = {role: each["sha256"] for role, each in made.inputs.items()}
        except BatchError:
            return False
        return fingerprint(self._entry, digests) == made.fingerprint

    def _is_whole(self, made: Materialized) -> bool:
        try:
            written = {role: files.digest(path) for role, path in self._entry.outputs(self._base)}
        except BatchError:
            return False
        return written == {role: each.get("sha256") for role, each in made.outputs.items()}


class ReportTarget(luigi.Target):
    """The report of a batch: it exists only if every table does and its bytes are those of their report."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def exists(self) -> bool:
        """Whether the batch is complete."""
        content = self.content()
        if content is None:
            return False
        paths = (self._batch.report_json, self._batch.report_md)
        return all(_holds(path, expected) for path, expected in zip(paths, content, strict=True))

    def content(self) -> tuple[bytes, bytes] | None:
        """The report that should stand, as JSON and as Markdown; None while a table is not complete."""
        made = [TableTarget(self._batch, entry).made() for entry in self._batch.tables]
        if any(each is None for each in made):
            return None
        states = [TableState(entry, each) for entry, each in zip(self._batch.tables, made, strict=True)]
        report = build_report(self._batch, states)
        return render(report), to_markdown(report)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return files.read_bytes(path) == content
    except BatchError:
        return False
