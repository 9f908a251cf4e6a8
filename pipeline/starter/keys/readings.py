"""Reads the keys of feature tables and sidecars in full, as far as they are needed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ...errors import BatchError, SidecarError, TableError
from ...join.sidecars.read import read_sidecar
from ...join.sidecars.record import Scores
from ...join.tables import FeatureTable, check_representable
from ...manifest.entries import SidecarEntry
from ...manifest.options import JoinOptions
from ...storage.locations import Location
from ..files.found import Features, Sidecar, text_notes
from .meeting import best_meeting
from .setting import Keys

_RAW = JoinOptions(key_normalize="raw")
_MAX_COLUMNS = 3


@dataclass(frozen=True)
class Scored:
    """A sidecar with its keys.

    Attributes:
        sidecar: the sidecar that was found.
        entry: the entry that it is read with.
        keys: its keys, per scorer and field.
    """

    sidecar: Sidecar
    entry: SidecarEntry
    keys: tuple[Keys, ...]

    def notes(self) -> list[str]:
        """Notes on how it is read."""
        notes = [*text_notes(self.sidecar.text), *self.sidecar.finding.notes]
        if self.entry.label is not None:
            notes.append(
                f"label {self.entry.label}: no row names the scorer, so the name of its file or folder is taken"
            )
        if self.entry.key_field is not None:
            notes.append(f"key_field {self.entry.key_field}: no field has a known name of a key")
        if self.entry.key_from is not None:
            notes.append("key_from file: no field names the clip, so the file's name does")
        return notes


class Readings:
    """A sidecar and the ways to read it."""

    def __init__(self, folder: Location, sidecar: Sidecar) -> None:
        self._folder = folder
        self.sidecar = sidecar
        self._entries = list(sidecar.entries())

    @functools.cached_property
    def first(self) -> Scored:
        """The first reading that succeeds."""
        return next(self.ways())

    def ways(self) -> Iterator[Scored]:
        """All readings that succeed.

        :raises BatchError: none succeeds; the error of the first.
        """
        fault: BatchError | None = None
        found = False
        for entry in self._entries:
            try:
                yield self._read(entry)
                found = True
            except BatchError as exc:
                fault = fault or exc
        if fault is not None and not found:
            raise fault

    def _read(self, entry: SidecarEntry) -> Scored:
        scores = read_sidecar(entry, self._folder, _RAW)
        if not any(len(each.keys) for each in scores):
            raise SidecarError(f"{entry.path}: found no row")
        return Scored(self.sidecar, entry, tuple(_keys(scores)))


def _keys(scores: Sequence[Scores]) -> Iterator[Keys]:
    """The keys of a sidecar, over all of its files."""
    texts: dict[tuple[str, str], list[pa.Array]] = {}
    for each in scores:
        texts.setdefault((each.key_field, each.label), []).append(each.keys)
    for (field, label), parts in texts.items():
        yield Keys(field, pa.chunked_array(parts, pa.string()).combine_chunks(), label)


class Columns:
    """The possible key columns of a feature table; one is read in full if its sample has keys of a sidecar."""

    def __init__(self, folder: Location, features: Features) -> None:
        self._folder = folder
        self.features = features
        self._read: dict[str, Keys] = {}
        self._opened: dict[str, FeatureTable] = {}

    def near(self, scores: Sequence[Keys]) -> list[Keys]:
        """The columns that may match, best first."""
        names = [name for name in self.features.finding.key_columns if name is not None]
        hits = {name: self._hits(name, scores) for name in names}
        ranked = sorted((name for name in names if hits[name]), key=lambda name: -hits[name])
        return [self.column(name) for name in (ranked or names)[:_MAX_COLUMNS]]

    def opened(self, key_column: str) -> FeatureTable:
        """The table with this key, which learns its types only once."""
        if key_column not in self._opened:
            self._opened[key_column] = self.features.open(self._folder, key_column)
        return self._opened[key_column]

    def extension(self, key_column: str) -> str:
        """The extension of the joined table: that of Parquet, unless a column cannot be stored in Parquet."""
        try:
            check_representable("joined.parquet", self.opened(key_column))
        except TableError:
            return ".jsonl"
        return ".parquet"

    def _hits(self, name: str, scores: Sequence[Keys]) -> int:
        found = best_meeting([Keys(name, self.features.texts[name])], scores)
        return 0 if found is None else found.met

    def column(self, name: str) -> Keys:
        """A column, read in full."""
        if name not in self._read:
            self._read[name] = Keys(name, self.features.open(self._folder, name).keys())
        return self._read[name]
