"""A table, or a shard of one, matched onto scores that were prepared."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from ...errors import BatchError
from ...manifest.batch import Batch
from ...manifest.entries import TableEntry
from ...storage import files
from ...storage.locations import Location
from ..matching import FileInputs, MatchedTable, Progress, enough_memory
from ..materialize import ScoreSource
from ..tables import FeatureTable
from .groups import ScoreGroup, shared_groups
from .pieces import match_in_pieces
from .prepared import Prepared, prepared

MIN_SHARED_BYTES = 1 << 24
"""Sidecars that several tables share are kept from this size on: smaller ones are read as fast as what is kept."""


class PreparedMatching:
    """Features and the prepared scores of their table.

    :param entry: the table; for a shard, its own entry.
    :param name: the features as the manifest names them.
    :param read: opens the features.
    :param folder: where positions are kept.
    :param is_part: whether it is a shard, whose table is judged later.
    """

    def __init__(
        self,
        entry: TableEntry,
        name: str,
        read: Callable[[], FeatureTable],
        scores: Prepared,
        folder: Path,
        *,
        is_part: bool,
    ) -> None:
        self._entry, self._name, self._read = entry, name, read
        self._scores, self._folder, self._is_part = scores, folder, is_part

    @functools.cached_property
    def features(self) -> FeatureTable:
        """The features.

        :raises BatchError: they are missing or faulty.
        """
        return self._read()

    def result(self, notify: Progress = lambda _doing, _share: None) -> MatchedTable:
        """The scores matched onto the features."""
        entry, features = self._entry, self.features
        notify("matching keys", 0.2)
        side = features.side(entry.options.key_regex)
        found = match_in_pieces(
            side, self._scores.scorers, entry.options, self._folder, is_part=self._is_part
        )
        return MatchedTable(features, found, entry.scorers, self._name)


def shared_scores(batch: Batch, entry: TableEntry, notify: Progress) -> ScoreSource | None:
    """The scores of a table whose sidecars other tables of the batch read too.

    :returns: None if the table is to read them by itself: that is as fast, or they cannot be kept. What is wrong with
        them is then found as by any other table.
    """
    shared = _worth_keeping(batch, entry)
    if not shared:
        return None
    notify("reading sidecars, or waiting for another worker that reads them", 0.1)
    with contextlib.suppress(BatchError), enough_memory(entry):
        return source_of(entry, batch.base_dir, batch.scores_dir, shared)
    return None


def source_of(entry: TableEntry, base: Location, folder: Path, shared: Collection[ScoreGroup]) -> ScoreSource:
    """The features matched onto scores of which some are prepared.

    :raises BatchError: as `prepared`.
    """
    scores = prepared(entry, base, folder, shared)
    read = FileInputs(entry, base).features
    matching = PreparedMatching(entry, entry.features.path, read, scores, folder, is_part=False)
    return ScoreSource(matching, scores.sidecars)


def _worth_keeping(batch: Batch, entry: TableEntry) -> list[ScoreGroup]:
    """The sidecars of the table that others read too, if they are large."""
    with contextlib.suppress(BatchError):  # reading them reports it
        # The size of all comes first: it settles most tables, and what is shared takes a look at the whole batch.
        if _size(batch, entry, range(len(entry.scores))) >= MIN_SHARED_BYTES:
            shared = shared_groups(entry, batch.tables)
            if _size(batch, entry, itertools.chain(*shared)) >= MIN_SHARED_BYTES:
                return shared
    return []


def _size(batch: Batch, entry: TableEntry, sidecars: Iterable[int]) -> int:
    found = (path for at in sidecars for _, path in entry.scores[at].files(batch.base_dir))
    return sum(files.signature(path).size for path in found)
