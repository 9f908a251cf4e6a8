"""The sidecars of one table matched onto its feature table; nothing is written.

::

    features ──open_table──▶ Opened ─┐
    scores ──read_sidecar──▶ Scores ─┴─ find ─▶ match ─▶ MatchedTable: coverage, appended columns, check

Features and sidecars are read in threads of their own, and each sidecar is matched in its own.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow as pa

from ..errors import BatchError
from ..manifest.declarations import ScorerDeclaration
from ..manifest.entries import SidecarEntry, TableEntry
from ..records.materialized import Coverage
from ..storage import filenames, writing
from ..storage.locations import Location, located
from . import columns, keys
from .columns import SidecarMatch, TableMatch
from .coverage import counts
from .large import budget, pieces
from .large.spool import SpooledTable
from .sidecars.read import Spool, read_sidecar
from .sidecars.record import Scores
from .tables import FeatureTable, expected_form, open_table
from .threads import ReadAhead

Progress: TypeAlias = Callable[[str, float], None]
"""Called with the current step and the finished share of the whole table (0 to 1)."""


@dataclass(frozen=True)
class MatchedTable:
    """A feature table with its scores found.

    Attributes:
        features: the feature table.
        found: the position of each row's scores.
        declared: the declarations of scorers.
        name: the feature table as the manifest names it.
    """

    features: FeatureTable
    found: TableMatch
    declared: tuple[ScorerDeclaration, ...] = ()
    name: str = ""

    @functools.cached_property
    def covered(self) -> list[Coverage]:
        """What each scorer covers, in order of label."""
        return counts.coverage(self.found, self.declared)

    @functools.cached_property
    def appended(self) -> pa.Schema:
        """Names and types of the columns that the join appends."""
        return columns.appended_schema(self.found.scorers, self.found.options)

    @property
    def output_rows(self) -> int:
        """Number of rows of the joined table."""
        kept = self.found.kept
        return self.found.rows if kept is None else int(kept.true_count)

    @property
    def notes(self) -> list[str]:
        """Notes for the user on how the feature table was read so far."""
        return [f"{self.name}: {note}" for note in self.features.notes]

    def check(self) -> None:
        """Refuse a join that would be wrong, or that the options forbid.

        :raises JoinError: see `counts.check` and `columns.check_columns`.
        """
        counts.check(self.found, self.covered)
        self.check_columns()

    def check_columns(self) -> None:
        """:raises JoinError: see `columns.check_columns`."""
        features = self.features
        columns.check_columns(features.columns, self.appended, self.found.options, features.key_columns)


class Inputs(Protocol):
    """The source of a feature table and its sidecars."""

    def features(self) -> FeatureTable:
        """The feature table."""

    def scores(self, sidecar: SidecarEntry) -> list[Scores]:
        """The scores of one of its sidecars."""


class Joining(Protocol):
    """The matching of a table, which has begun."""

    @property
    def features(self) -> FeatureTable:
        """The feature table."""

    def result(self, notify: Progress = ..., /) -> MatchedTable:
        """The sidecars matched onto the features."""


@dataclass(frozen=True)
class FileInputs:
    """The files that an entry names, relative to `base`.

    Attributes:
        spool: where scores are kept if they are many; None: in memory.
    """

    entry: TableEntry
    base: Location
    spool: Spool | None = None

    def features(self) -> FeatureTable:
        """The feature table."""
        features, key = self.entry.features, self.entry.options.feature_key
        table = open_table(located(self.base, features.path), key, features.text)
        table.expect(expected_form(self.entry.out))
        return table

    def scores(self, sidecar: SidecarEntry) -> list[Scores]:
        """The scores of one of its sidecars."""
        return read_sidecar(sidecar, self.base, self.entry.options, self.spool)


@dataclass(frozen=True)
class Opened:
    """A feature table and its comparable keys."""

    features: FeatureTable
    side: keys.Side
    wanted: keys.Wanted


class Matching:
    """A table whose inputs are being read in threads."""

    def __init__(self, entry: TableEntry, inputs: Inputs, ahead: ReadAhead) -> None:
        self._entry, self._inputs = entry, inputs
        # The features come first, so that no thread that has read a sidecar waits for a call that has not begun.
        self._opened = ahead.begin(self._open)
        self._found = [ahead.begin(self._read_and_find, sidecar) for sidecar in entry.scores]

    @property
    def features(self) -> FeatureTable:
        """The feature table, whose keys have been read.

        :raises BatchError: it is missing or faulty.
        """
        return self._opened.result().features

    def result(self, notify: Progress = lambda _doing, _share: None) -> MatchedTable:
        """The sidecars matched onto the features, without checking whether they may be joined.

        :raises BatchError: an input is missing or faulty, or its keys collide.
        """
        entry, opened = self._entry, self._opened.result()
        found = columns.match(opened.side, opened.wanted, self._sidecars(notify), entry.options)
        return MatchedTable(opened.features, found, entry.scorers, entry.features.path)

    def _open(self) -> Opened:
        features, options = self._inputs.features(), self._entry.options
        side = features.side(options.key_regex)
        return Opened(features, side, keys.Wanted.of(side.under(options.key_normalize)))

    def _read_and_find(self, sidecar: SidecarEntry) -> list[SidecarMatch]:
        scores = self._inputs.scores(sidecar)
        wanted = self._opened.result().wanted
        return [columns.find(wanted, each) for each in scores]

    def _sidecars(self, notify: Progress) -> Iterator[SidecarMatch]:
        scores = self._entry.scores
        for index, (sidecar, found) in enumerate(zip(scores, self._found, strict=True)):
            notify(f"reading {sidecar.path}", 0.1 + 0.3 * index / len(scores))
            yield from found.result()
        notify("matching keys", 0.4)


class PiecewiseMatching:
    """A table whose keys and scores do not fit in memory, and are kept in files of `folder`."""

    def __init__(self, entry: TableEntry, base: Location, folder: Path) -> None:
        self._entry, self._folder = entry, folder
        self._inputs = FileInputs(entry, base, functools.partial(SpooledTable, folder))

    @functools.cached_property
    def features(self) -> FeatureTable:
        """The feature table.

        :raises BatchError: it is missing or faulty.
        """
        return self._inputs.features()

    def result(self, notify: Progress = lambda _doing, _share: None) -> MatchedTable:
        """As `Matching.result`.

        :raises BatchError: an input is missing or faulty, its keys collide, or the disk is full.
        """
        entry, features = self._entry, self.features
        side = features.side(entry.options.key_regex)
        try:
            scorers = pieces.indexed([*self._scores(notify)], self._folder)
        except BatchError:
            for _ in side.pieces():
                pass  # a fault of the features is the one to report
            raise
        found = pieces.match_in_pieces(
            side, scorers, entry.options, self._folder, lambda rows: notify(f"matched {rows} rows", 0.35)
        )
        return MatchedTable(features, found, entry.scorers, entry.features.path)

    def _scores(self, notify: Progress) -> Iterator[Scores]:
        scores = self._entry.scores
        for index, sidecar in enumerate(scores):
            notify(f"reading {sidecar.path}", 0.1 + 0.2 * index / len(scores))
            yield from self._inputs.scores(sidecar)
        notify("indexing scores", 0.3)


def begin(entry: TableEntry, base: Location, ahead: ReadAhead) -> Joining:
    """Begin to match a table: in memory, or in pieces if it would not fit.

    :raises BatchError: an input is missing or cannot be read.
    """
    if budget.fits(entry, base):
        return Matching(entry, FileInputs(entry, base), ahead)
    return PiecewiseMatching(entry, base, _spill_folder(located(base, entry.out)))


def _spill_folder(out: Location) -> Path:
    """A folder on the disk that the joined table will be on, or one of this host's own."""
    if isinstance(out, Path):
        return next((folder for folder in out.parents if filenames.is_folder(folder)), Path())
    folder = filenames.scratch_folder(str(out))
    writing.make_folder(folder)
    return folder


def match_table(entry: TableEntry, base: Location) -> MatchedTable:
    """Read the inputs of a table and match them, without checking whether they may be joined.

    :raises BatchError: an input is missing or faulty, or its keys collide.
    """
    with enough_memory(entry), ReadAhead() as ahead:
        return begin(entry, base, ahead).result()


@contextlib.contextmanager
def enough_memory(entry: TableEntry) -> Iterator[None]:
    """:raises BatchError: Python or pyarrow ran out of memory in the block."""
    try:
        yield
    except MemoryError as exc:
        raise BatchError(
            f"{entry.out}: not enough memory to join this table; what it needs is not known"
        ) from exc
