"""Which fields of a row are known: by the names that scorers give them, or because a user has set them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...manifest.field_paths import ABSENT, first_step, list_path, lookup
from ...storage.dialect import UNSET, TextSettings
from .. import keys

Row: TypeAlias = dict[str, Any]
SCORE_FIELDS = ("score", "predicted_mos", "predicted_vmaf_or_mos", "mos", "quality", "vmaf")
"""Field names taken as the score where none is set, best first; letter case is ignored."""

RUNTIME_FIELDS = ("runtime_ms", "runtime_total_ms", "elapsed_ms")
_KNOWN = frozenset({*SCORE_FIELDS, *RUNTIME_FIELDS, "competitor", "status", "summary", "frames"})
_MAX_CACHED = 1000


class RowFault(Exception):
    """What is wrong with one row; the reader of the sidecar adds the number of the row."""


@dataclass(frozen=True)
class Layout:
    """Which field of an object holds what, by the names it has; None and () where it has none."""

    key: str | None
    scores: tuple[str, ...]
    runtimes: tuple[str, ...]
    competitor: str | None
    status: str | None
    summary: str | None
    frames: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that are known by their names."""
        single = (self.key, self.competitor, self.status, self.summary, self.frames)
        return (*(name for name in single if name is not None), *self.scores, *self.runtimes)


def layout_of(names: tuple[str, ...]) -> Layout:
    """The layout of objects with these field names; most are cached, as a sidecar's rows share few shapes."""
    return _cached_layout(names) if len(names) <= _MAX_CACHED else _layout(names)


def _layout(names: tuple[str, ...]) -> Layout:
    by_lower: dict[str, list[str]] = {}
    for name in names:
        lower = name.lower()
        if lower in _KNOWN:
            of_it = by_lower.setdefault(lower, [])
            of_it.insert(0 if name == lower else len(of_it), name)

    def held(wanted: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for each in wanted for name in by_lower.get(each, ()))

    def one(wanted: str) -> str | None:
        return next(iter(by_lower.get(wanted, ())), None)

    return Layout(
        key=keys.pick(names),
        scores=held(SCORE_FIELDS),
        runtimes=held(RUNTIME_FIELDS),
        competitor=one("competitor"),
        status=one("status"),
        summary=one("summary"),
        frames=one("frames"),
    )


_cached_layout = functools.lru_cache(maxsize=1024)(_layout)


@dataclass(frozen=True)
class SetFields:
    """The fields that a user has set for the rows of a sidecar.

    Attributes:
        keys: the fields of the key, most often one; none: it is found by its name.
        scores: the fields of the scores; none: they are found by their names.
        key_is_file: whether the file's path names the clip, so that `keys` are further parts of a key.
    """

    keys: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    key_is_file: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.keys, *self.scores)

    def needed(self, names: tuple[str, ...]) -> list[str]:
        """Those of the names that a row is read by, in their order."""
        wanted = {*layout_of(names).names, *self.paths, *map(first_step, self.paths)}
        return [name for name in names if name in wanted]

    def go_through(self, name: str) -> bool:
        """Whether one of them goes through the list of that name."""
        through = (list_path(path) for path in self.paths)
        return any(path is not None and path.items == name for path in through)

    def has_key(self, row: Mapping[str, Any]) -> bool:
        """Whether the row names the clip, or its file does."""
        if self.keys or self.key_is_file:
            return all(lookup(row, key) is not ABSENT for key in self.keys)
        layout = layout_of(tuple(row))
        summary = row[layout.summary] if layout.summary else None
        return layout.key is not None or (isinstance(summary, dict) and keys.pick(tuple(summary)) is not None)

    def lead_into(self, row: Mapping[str, Any]) -> bool:
        """Whether one of them leads to a value in the row, and not to a further object."""
        for path in self.paths:
            through = list_path(path)
            value = lookup(row, path if through is None or path in row else through.items)
            if value is not ABSENT and not isinstance(value, dict):
                return True
        return False


ALL_BY_NAME = SetFields()


@dataclass(frozen=True)
class Reading:
    """How the rows of a file are read.

    Attributes:
        entry: the file as an entry names it; empty: none does, so a first look takes what would be refused as it is.
        label: the entry's label.
        fields: what is set for the rows.
        text: what is set for delimited text.
    """

    entry: str = ""
    label: str | None = None
    fields: SetFields = ALL_BY_NAME
    text: TextSettings = UNSET


FIRST_LOOK = Reading()
