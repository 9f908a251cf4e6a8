"""A table, or a shard of one, matched onto scores that were prepared."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from ...errors import BatchError
from ...manifest.entries import TableEntry
from ...storage import files
from ...storage.locations import Location
from ..matching import FileInputs, MatchedTable, Progress, enough_memory
from ..materialize import ScoreSource
from ..tables import FeatureTable
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


def shared_scores(entry: TableEntry, base: Location, folder: Path, notify: Progress) -> ScoreSource | None:
    """The scores of a table whose sidecars other tables read too; None: it reads them faster by itself.

    :param folder: where prepared scores are kept.
    :raises BatchError: a sidecar is missing or faulty, or the disk is full.
    """
    if not _is_worth_keeping(entry, base):
        return None
    read = FileInputs(entry, base).features
    notify("reading sidecars, or waiting for another worker that reads them", 0.1)
    with enough_memory(entry):
        try:
            scores = prepared(entry, base, folder)
        except BatchError:
            for _ in read().key_pieces():
                pass  # a fault of the features is the one to report
            raise
    matching = PreparedMatching(entry, entry.features.path, read, scores, folder, is_part=False)
    return ScoreSource(matching, scores.sidecars)


def _is_worth_keeping(entry: TableEntry, base: Location) -> bool:
    try:
        found = [path for sidecar in entry.scores for _, path in sidecar.files(base)]
        return sum(files.signature(path).size for path in found) >= MIN_SHARED_BYTES
    except BatchError:
        return False  # reading them reports it
