"""The sidecars of one table matched onto its feature table; nothing is written.

::

    features ──open_table──▶ keys ─┐
    scores ──read_sidecar────────▶ find ─▶ match ─▶ MatchedTable: coverage, planned columns, what refuses them

Sidecars are read and matched in their own threads.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from pipeline.errors import BatchError
from pipeline.join import columns, coverage, keys
from pipeline.join.columns import SidecarMatch, TableMatch
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.tables import FeatureTable, open_table
from pipeline.join.threads import ReadAhead
from pipeline.manifest.declarations import ScorerDeclaration
from pipeline.manifest.entries import SidecarEntry, TableEntry
from pipeline.records.materialized import Coverage

Progress: TypeAlias = Callable[[str, float], None]
"""Called with the current step and the finished share of the whole table (0 to 1)."""

MatchOnto: TypeAlias = Callable[[FeatureTable], TableMatch]
"""Matches the sidecars of a table onto its features."""


@dataclass(frozen=True)
class MatchedTable:
    """A feature table with its scores found.

    Attributes:
        features: the feature table.
        found: where each of its rows finds its scores.
        declared: what is declared of scorers.
        name: the feature table as the manifest names it.
    """

    features: FeatureTable
    found: TableMatch
    declared: tuple[ScorerDeclaration, ...] = ()
    name: str = ""

    @functools.cached_property
    def covered(self) -> list[Coverage]:
        """What each scorer covers, in order of label."""
        return coverage.coverage(self.found, self.declared)

    @functools.cached_property
    def appended(self) -> pa.Schema:
        """Names and types of the columns that the join appends."""
        return columns.appended_schema(self.found.scorers, self.found.options)

    @property
    def output_rows(self) -> int:
        """How many rows stay."""
        kept = self.found.kept
        return self.found.rows if kept is None else int(kept.true_count)

    @property
    def notes(self) -> list[str]:
        """What a reader should know of how the feature table was read, as far as it was."""
        return [f"{self.name}: {note}" for note in self.features.notes]

    def check(self) -> None:
        """Refuse a join that would be wrong, or that the options forbid.

        :raises JoinError: see `coverage.check` and `columns.check_columns`.
        """
        coverage.check(self.found, self.covered)
        features = self.features
        columns.check_columns(features.columns, self.appended, self.found.options, features.key_column)


def match_table(entry: TableEntry, base: Path) -> MatchedTable:
    """Read the inputs of a table and match them, without checking whether they may be joined.

    :raises BatchError: an input is missing or faulty, or its keys collide.
    """
    with enough_memory(entry), ReadAhead() as ahead:
        match_onto = matching(ahead, entry, base)
        features = open_table(base / entry.features.path, entry.options.key_column, entry.features.text)
        return MatchedTable(features, match_onto(features), entry.scorers, entry.features.path)


def matching(
    ahead: ReadAhead, entry: TableEntry, base: Path, notify: Progress = lambda _doing, _share: None
) -> MatchOnto:
    """Start reading the sidecars of a table. Returns the function that matches them onto the opened features."""
    comparable: Future[pa.Array] = ahead.promise()

    def read_and_find(sidecar: SidecarEntry) -> list[SidecarMatch]:
        scores = read_sidecar(sidecar, base, entry.options)
        return [columns.find(comparable.result(), each) for each in scores]

    reading = [ahead.begin(read_and_find, sidecar) for sidecar in entry.scores]

    def match_onto(features: FeatureTable) -> TableMatch:
        side = keys.Side(features.key_column, entry.options.key_regex, features.keys)
        comparable.set_result(side.under(entry.options.key_normalize))
        return columns.match(side, comparable.result(), _sidecars(entry, reading, notify), entry.options)

    return match_onto


@contextlib.contextmanager
def enough_memory(entry: TableEntry) -> Iterator[None]:
    """:raises BatchError: Python or pyarrow was refused the memory that the table needs, however much that is."""
    try:
        yield
    except MemoryError as exc:
        raise BatchError(
            f"{entry.out}: not enough memory to join this table; what it needs is not known"
        ) from exc


def _sidecars(
    entry: TableEntry, reading: Iterable[Future[list[SidecarMatch]]], notify: Progress
) -> Iterator[SidecarMatch]:
    for index, (sidecar, found) in enumerate(zip(entry.scores, reading, strict=True)):
        notify(f"reading {sidecar.path}", 0.1 + 0.3 * index / len(entry.scores))
        yield from found.result()
    notify("matching keys", 0.4)
