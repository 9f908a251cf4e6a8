"""Checks whether joined tables are up to date with the manifest and the inputs, and finds the reasons if not.

A table is complete if its receipt has the same entry, the same semantics and the same digests of inputs, and if its
outputs are unchanged since. Deleting an input does not invalidate an existing table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path

from ..errors import BatchError, InputError, InputMissingError, show
from ..manifest.batch import Batch
from ..manifest.entries import FEATURES, TableEntry
from ..records import snapshots
from ..records.materialized import Materialized
from ..records.receipts import Failure, Receipts, ReportRecord
from ..records.snapshots import Snapshot
from ..records.versions import SEMANTICS_VERSION
from ..storage import filenames, files, jsontext
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, located
from ..storage.writing import NewFile
from .build import Report, TableState, build_report, render
from .markdown import to_markdown


@dataclass(frozen=True)
class TableCheck:
    """The result of checking one table.

    Attributes:
        built: the receipt of the table, with its files as they are now; None: there is no receipt.
        stale: why the table is out of date; empty: it is up to date.
        missing: inputs that were deleted since then, by role and path.
        was_read: True if the check had to read a file.
    """

    built: Materialized | None
    stale: tuple[str, ...]
    missing: tuple[str, ...]
    was_read: bool

    @property
    def complete(self) -> bool:
        """True if the table is up to date."""
        return self.built is not None and not self.stale


def check_table(entry: TableEntry, base: Location, receipts: Receipts) -> TableCheck:
    """Compare a table's receipt with its entry and its files; reads only files that may have changed."""
    built = receipts.built(entry)
    if built is None:
        return TableCheck(None, ("never built",), (), was_read=False)
    comparison = _Comparison(built, base)
    stale = [*_changes(built.entry, entry.as_json())]
    if built.semantics != SEMANTICS_VERSION:
        stale.append(f"built by version {built.semantics} of the join's semantics, now {SEMANTICS_VERSION}")
    stale += comparison.inputs(entry)
    stale += comparison.outputs(entry)
    return TableCheck(comparison.refreshed(), tuple(stale), tuple(comparison.missing), comparison.was_read)


def failure_key(entry: TableEntry, base: Location) -> str:
    """Digest of the table's entry and its inputs' file signatures; a failure is current while it is unchanged."""
    seen: list[object] = [entry.as_json(), SEMANTICS_VERSION]
    try:
        paths = entry.inputs(base)
    except InputError as exc:
        paths = []
        seen.append(str(exc))
    for role, path in paths:
        try:
            signature = files.signature(path)
            seen.append([role, *(each for each in astuple(signature) if each != "")])
        except BatchError as exc:
            seen.append([role, type(exc).__name__])
    return hashlib.sha256(jsontext.canonical(seen)).hexdigest()


def waiting(entry: TableEntry, base: Location) -> Failure | None:
    """That a table waits for inputs, which are named; None: all are there."""
    missing = [f"{name}: {_absent(entry, field, name)}" for field, name in entry.missing(base)]
    return Failure("waiting", "; ".join(missing), failure_key(entry, base)) if missing else None


def _absent(entry: TableEntry, field: str, name: str) -> str:
    if name.endswith("/"):
        return "no table is there yet"
    if "*" not in name:
        return "the file is not there yet"
    if field == FEATURES and not entry.is_sharded:
        return "no file has this name yet; for a pattern, expected an out that is a folder such as 'joined/'"
    return "no file matches yet"


class BatchCheck:
    """A check of a batch: whether its tables and its report are up to date."""

    def __init__(self, batch: Batch, since_ns: int = 0, *, tried_only: bool = False) -> None:
        """Check the tables of the batch.

        :param since_ns: failures since this time are current, even if something has changed; 0: only failures whose
            `failure_key` is unchanged are current.
        :param tried_only: True: only failures since `since_ns` are current; a table that failed earlier is `not_run`.
        """
        self.batch = batch
        self._since_ns = since_ns
        self._tried_only = tried_only
        self._receipts = Receipts(batch.state_dir)
        with files.seen_once(places_of(batch)):
            self.tables = [check_table(entry, batch.base_dir, self._receipts) for entry in batch.tables]

    def again(self) -> BatchCheck:
        """A new check of the batch."""
        return BatchCheck(self.batch, self._since_ns, tried_only=self._tried_only)

    @cached_property
    def complete(self) -> bool:
        """True if every table is complete and the report is up to date."""
        return self.tables_complete and not self.stale_report

    @property
    def tables_complete(self) -> bool:
        """True if every table is complete."""
        return all(table.complete for table in self.tables)

    @cached_property
    def report(self) -> Report:
        """The report of the batch as it is now, with the failures that `failure` returns."""
        states = [
            TableState(
                entry, table.built if table.complete else None, self.failure(entry, table), table.stale
            )
            for entry, table in zip(self.batch.tables, self.tables, strict=True)
        ]
        return build_report(self.batch, states)

    @cached_property
    def identity(self) -> str:
        """Digest of the report's facts, independent of its format."""
        return hashlib.sha256(jsontext.canonical(self.report)).hexdigest()

    @cached_property
    def content(self) -> tuple[bytes, bytes]:
        """The bytes of the report, as JSON and as Markdown."""
        return render(self.report), to_markdown(self.report)

    @cached_property
    def stale_report(self) -> tuple[str, ...]:
        """Report files that differ from what the tables would produce, each with the difference."""
        if self._recorded is not None:
            return ()
        differences = zip(self._report_paths, map(_difference, self._report_paths, self.content), strict=True)
        return tuple(f"{path}: {fault}" for path, fault in differences if fault is not None)

    @property
    def sha256(self) -> str:
        """The digest of the report's bytes."""
        return self._recorded.seen[0][0] if self._recorded else hashlib.sha256(self.content[0]).hexdigest()

    @cached_property
    def _recorded(self) -> ReportRecord | None:
        """The record of the report, if it describes these tables and its files are unchanged."""
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
    def _report_paths(self) -> tuple[Location, Location]:
        return (self.batch.report_json, self.batch.report_md)

    def failure(self, entry: TableEntry, table: TableCheck) -> Failure | None:
        """The table's failure if it is current: it happened in this run, or nothing it depends on has changed since."""
        if table.complete:
            return None
        tried = self._receipts.failure(entry, self._since_ns) if self._since_ns else None
        if tried is None and not self._tried_only:
            known = self._receipts.failure(entry)
            current = known is not None and known.cause == failure_key(entry, self.batch.base_dir)
            tried = known if current else None
        return tried or waiting(entry, self.batch.base_dir)

    def remember(self) -> None:
        """Record the files and the report that this check read, so that the next check need not read them again."""
        for entry, table in zip(self.batch.tables, self.tables, strict=True):
            if table.complete and table.was_read and table.built is not None:
                self._receipts.record_built(entry, table.built)
        if self.complete and self._recorded is None:
            self._remember_report(map(snapshots.snapshot, self._report_paths))

    def remember_written(self, written: Iterable[NewFile]) -> None:
        """Record the report that has just been written, so that the final check need not build it again.

        :param written: its files.
        """
        self._remember_report(map(snapshots.of_written, written))

    def _remember_report(self, seen: Iterable[Snapshot]) -> None:
        self._receipts.record_report(ReportRecord(self.identity, [each.as_record() for each in seen]))
        self._receipts.settle()


class _Comparison:
    """Comparison of a table's files with its receipt."""

    def __init__(self, built: Materialized, base: Location) -> None:
        self._built = built
        self._base = base
        self._snapshots: dict[str, Snapshot] = {}
        self.missing: list[str] = []
        self.was_read = False

    def refreshed(self) -> Materialized:
        """The receipt with the files as they are now."""
        if not self._snapshots:
            return self._built
        return replace(
            self._built,
            seen=self._built.seen | {role: taken.as_record() for role, taken in self._snapshots.items()},
        )

    def inputs(self, entry: TableEntry) -> Iterator[str]:
        """Differences of the inputs; deleted ones are collected in `missing`."""
        try:
            paths = dict(entry.inputs(self._base))
        except InputError as exc:
            yield str(exc)
            return
        for role, path in paths.items():
            known = self._built.inputs.get(role)
            if known is None:
                yield f"{role}: new input {show(filenames.relative(path, self._base))}"
                continue
            try:
                if self._sha256(role, path) != known["sha256"]:
                    yield f"{role}: changed, {show(known['path'])}"
            except InputMissingError:
                self.missing.append(f"{role}: {known['path']}")
            except BatchError as exc:
                yield f"{role}: {exc}"
        self.missing += [
            f"{role}: {known['path']}" for role, known in self._built.inputs.items() if role not in paths
        ]

    def outputs(self, entry: TableEntry) -> Iterator[str]:
        """Differences of the outputs. The output of a shard that has gone is one of them."""
        paths = dict(entry.outputs(self._base))
        for role, made in self._built.outputs.items():
            if role.startswith("out/") and role not in paths:
                paths[role] = located(self._base, made["path"])
        for role, path in paths.items():
            known = self._built.outputs.get(role)
            if known is None:
                continue  # requested since then: reported as a change of the entry
            try:
                if self._sha256(role, path) != known["sha256"]:
                    yield f"{role}: edited, {show(known['path'])}"
            except InputMissingError:
                yield f"{role}: deleted, {show(known['path'])}"
            except BatchError as exc:
                yield f"{role}: {exc}"

    def _sha256(self, role: str, path: Location) -> str:
        known = self._built.snapshot(role)
        taken = snapshots.look_again(path, known)
        if taken is not known:
            self.was_read = True
            self._snapshots[role] = taken
        return taken.sha256


def _changes(before: JsonObject, now: JsonObject, prefix: str = "") -> Iterator[str]:
    """Differences between two entries of a table."""
    for name in before | now:
        old, new = before.get(name), now.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _changes(old, new, "option ")
        elif old != new:
            yield f"{prefix}{name}: changed from {show(old)} to {show(new)}"


def _difference(path: Location, expected: bytes) -> str | None:
    try:
        return None if files.read_bytes(path) == expected else "not the report of these tables"
    except InputMissingError:
        return "not there"
    except BatchError as exc:
        return str(exc)


def places_of(batch: Batch) -> Iterator[Location]:
    """The files that a check of the batch looks at, but those of patterns."""
    for entry in batch.tables:
        yield from places_of_inputs(batch, entry)
        if entry.is_sharded and isinstance(located(batch.base_dir, entry.out), Path):
            continue  # local files are looked at one by one in any case
        yield from (path for _, path in entry.outputs(batch.base_dir))


def places_of_inputs(batch: Batch, entry: TableEntry) -> Iterator[Location]:
    """The inputs of a table, but those of patterns."""
    if not entry.is_sharded:
        yield located(batch.base_dir, entry.features.path)
    yield from (located(batch.base_dir, each.path) for each in entry.scores if not each.is_pattern)
