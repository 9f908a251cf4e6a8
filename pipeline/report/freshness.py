"""Whether a joined table is the one that the manifest and the inputs ask for now, and if not, why.

A table is complete if there is a receipt of it, made for the same entry by the same semantics from inputs of the
same content, and its outputs are still the files that were written then. An input that has gone unmakes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pipeline.errors import BatchError, InputError, InputMissingError, show
from pipeline.manifest.batch import Batch
from pipeline.manifest.entries import TableEntry
from pipeline.records import snapshots
from pipeline.records.materialized import Materialized
from pipeline.records.receipts import Failure, Receipts, ReportRecord
from pipeline.records.snapshots import Snapshot
from pipeline.records.versions import SEMANTICS_VERSION
from pipeline.report.build import Report, TableState, build_report, render
from pipeline.report.markdown import to_markdown
from pipeline.storage import filenames, files, jsontext
from pipeline.storage.jsontext import JsonObject


@dataclass(frozen=True)
class TableCheck:
    """How one table stands.

    Attributes:
        made: what was last made for it, with the files as they are seen now; None: nothing that is known of.
        stale: why that is not what is asked for now; empty: it is.
        gone: inputs that are not there any more, by role and path.
        looked: whether a file had to be read to tell.
    """

    made: Materialized | None
    stale: tuple[str, ...]
    gone: tuple[str, ...]
    looked: bool

    @property
    def complete(self) -> bool:
        """Whether nothing is to be done."""
        return self.made is not None and not self.stale


def check_table(entry: TableEntry, base: Path, receipts: Receipts) -> TableCheck:
    """Compare a table's receipt with what is asked for and with the files; reads only what may have changed."""
    made = receipts.made(entry)
    if made is None:
        return TableCheck(None, ("never made",), (), looked=False)
    look = _Look(made, base)
    stale = [*_changes(made.entry, entry.as_json())]
    if made.semantics != SEMANTICS_VERSION:
        stale.append(f"made by version {made.semantics} of the join's semantics, now {SEMANTICS_VERSION}")
    stale += look.inputs(entry)
    stale += look.outputs(entry)
    return TableCheck(look.refreshed(), tuple(stale), tuple(look.gone), look.looked)


def cause(entry: TableEntry, base: Path) -> str:
    """What a failure depends on, as a digest: what was asked for, and the inputs as the file system shows them."""
    seen: list[object] = [entry.as_json(), SEMANTICS_VERSION]
    try:
        paths = entry.inputs(base)
    except InputError as exc:
        paths = []
        seen.append(str(exc))
    for role, path in paths:
        try:
            signature = files.signature(path)
            seen.append([role, signature.size, signature.mtime_ns, signature.ctime_ns, signature.inode])
        except BatchError as exc:
            seen.append([role, type(exc).__name__])
    return hashlib.sha256(jsontext.canonical(seen)).hexdigest()


class BatchCheck:
    """How a whole batch stands: its tables, and the report over them."""

    def __init__(self, batch: Batch, since_ns: int = 0, *, tried_only: bool = False) -> None:
        """Look at the batch.

        :param since_ns: what has failed since counts, whatever its cause; 0: only what would fail the same way now.
        :param tried_only: nothing else counts: what failed before and was not tried since is not run.
        """
        self.batch = batch
        self._since_ns = since_ns
        self._tried_only = tried_only
        self._receipts = Receipts(batch.state_dir)
        self.tables = [check_table(entry, batch.base_dir, self._receipts) for entry in batch.tables]

    def again(self) -> BatchCheck:
        """How the batch stands by now."""
        return BatchCheck(self.batch, self._since_ns, tried_only=self._tried_only)

    @cached_property
    def complete(self) -> bool:
        """Whether every table is complete and the report is theirs."""
        return self.tables_complete and not self.stale_report

    @property
    def tables_complete(self) -> bool:
        """Whether every table is complete."""
        return all(table.complete for table in self.tables)

    @cached_property
    def report(self) -> Report:
        """The report of the batch as it stands; a table that failed before counts as failed until its cause changes."""
        states = [
            TableState(entry, table.made if table.complete else None, self.failure(entry, table), table.stale)
            for entry, table in zip(self.batch.tables, self.tables, strict=True)
        ]
        return build_report(self.batch, states)

    @cached_property
    def identity(self) -> str:
        """A digest of what the report says, however it is written down."""
        return hashlib.sha256(jsontext.canonical(self.report)).hexdigest()

    @cached_property
    def content(self) -> tuple[bytes, bytes]:
        """The bytes of the report, as JSON and as Markdown."""
        return render(self.report), to_markdown(self.report)

    @cached_property
    def stale_report(self) -> tuple[str, ...]:
        """Which of the report's files are not those of its tables, and how."""
        if self._standing is not None:
            return ()
        differences = zip(self._report_paths, map(_difference, self._report_paths, self.content), strict=True)
        return tuple(f"{path}: {fault}" for path, fault in differences if fault is not None)

    @property
    def sha256(self) -> str:
        """The digest of the report's bytes."""
        return self._standing.seen[0][0] if self._standing else hashlib.sha256(self.content[0]).hexdigest()

    @cached_property
    def _standing(self) -> ReportRecord | None:
        """The record of the report, if it is of these tables and its files are as they were."""
        known = self._receipts.report()
        if known is None or known.identity != self.identity:
            return None
        taken = [Snapshot.from_record(record) for record in known.seen]
        try:
            now = [
                snapshots.look_again(path, one) for path, one in zip(self._report_paths, taken, strict=True)
            ]
        except BatchError:
            return None
        return known if [one.sha256 for one in now] == [one.sha256 for one in taken] else None

    @property
    def _report_paths(self) -> tuple[Path, Path]:
        return (self.batch.report_json, self.batch.report_md)

    def failure(self, entry: TableEntry, table: TableCheck) -> Failure | None:
        """How the table failed, if that is news: in this run, or with nothing changed since that it depends on."""
        if table.complete:
            return None
        tried = self._receipts.failure(entry, self._since_ns) if self._since_ns else None
        if tried is not None or self._tried_only:
            return tried
        failure = self._receipts.failure(entry)
        return failure if failure is not None and failure.cause == cause(entry, self.batch.base_dir) else None

    def remember(self) -> None:
        """Record what had to be read or made to tell, so that it need not be again."""
        for entry, table in zip(self.batch.tables, self.tables, strict=True):
            if table.complete and table.looked and table.made is not None:
                self._receipts.record_made(entry, table.made)
        if self.complete and self._standing is None:
            self._remember_report(map(snapshots.snapshot, self._report_paths))

    def remember_written(self) -> None:
        """Record the report, whose content has just been written, so that the verdict need not make it again."""
        digests = (hashlib.sha256(part).hexdigest() for part in self.content)
        self._remember_report(map(snapshots.of_written, self._report_paths, digests))

    def _remember_report(self, seen: Iterable[Snapshot]) -> None:
        self._receipts.record_report(ReportRecord(self.identity, [each.as_record() for each in seen]))


class _Look:
    """A look at the files of a table, beside its receipt."""

    def __init__(self, made: Materialized, base: Path) -> None:
        self._made = made
        self._base = base
        self._seen: dict[str, Snapshot] = {}
        self.gone: list[str] = []
        self.looked = False

    def refreshed(self) -> Materialized:
        """The receipt with the files as they were seen now."""
        if not self._seen:
            return self._made
        return replace(
            self._made, seen=self._made.seen | {role: taken.as_record() for role, taken in self._seen.items()}
        )

    def inputs(self, entry: TableEntry) -> Iterator[str]:
        """What is different about the inputs; those that have gone are noted in `gone`."""
        try:
            paths = dict(entry.inputs(self._base))
        except InputError as exc:
            yield str(exc)
            return
        for role, path in paths.items():
            known = self._made.inputs.get(role)
            if known is None:
                yield f"{role}: new input {show(filenames.relative(path, self._base))}"
                continue
            try:
                if self._sha256(role, path) != known["sha256"]:
                    yield f"{role}: changed, {show(known['path'])}"
            except InputMissingError:
                self.gone.append(f"{role}: {known['path']}")
            except BatchError as exc:
                yield f"{role}: {exc}"
        self.gone += [
            f"{role}: {known['path']}" for role, known in self._made.inputs.items() if role not in paths
        ]

    def outputs(self, entry: TableEntry) -> Iterator[str]:
        """What is different about the outputs."""
        for role, path in entry.outputs(self._base):
            known = self._made.outputs.get(role)
            if known is None:
                continue  # asked for since: a change of the entry, and told as one
            try:
                if self._sha256(role, path) != known["sha256"]:
                    yield f"{role}: edited, {show(known['path'])}"
            except InputMissingError:
                yield f"{role}: deleted, {show(known['path'])}"
            except BatchError as exc:
                yield f"{role}: {exc}"

    def _sha256(self, role: str, path: Path) -> str:
        known = self._made.snapshot(role)
        taken = snapshots.look_again(path, known)
        if taken is not known:
            self.looked = True
            self._seen[role] = taken
        return taken.sha256


def _changes(before: JsonObject, now: JsonObject, place: str = "") -> Iterator[str]:
    """What was asked for differently."""
    for name in before | now:
        old, new = before.get(name), now.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _changes(old, new, "option ")
        elif old != new:
            yield f"{place}{name}: changed from {show(old)} to {show(new)}"


def _difference(path: Path, expected: bytes) -> str | None:
    try:
        return None if files.read_bytes(path) == expected else "not the report of these tables"
    except InputMissingError:
        return "not there"
    except BatchError as exc:
        return str(exc)
