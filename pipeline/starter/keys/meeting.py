"""Counts the keys of a feature table and of a sidecar that match under given options; no I/O.

Options are compared by the number of the sidecar's distinct keys that match, then by the number of rows that match: a
column with the same number everywhere matches every row, but only one key.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...join.coverage.sharing import find_sharing
from ...join.keys import KeyRule
from ...manifest.options import KeyNormalize
from ..files.fields import can_name_clips
from .cuts import CUT_MODES, cut_settings
from .setting import Keys, Setting

MODES: tuple[KeyNormalize, ...] = ("auto", "raw", "basename", "stem")
"""In the order in which they are tried. If several are equally good, the first is used: it changes keys least."""

MIN_SHARE = 0.1
"""Minimum share of the keys of the smaller side that must match; fewer may match by chance."""

_FULL_SHARE = 0.5
_ANY_RULE = KeyRule("basename")


@dataclass(frozen=True)
class Meeting:
    """The result of comparing the keys of two sides.

    Attributes:
        setting: the options.
        met: number of distinct keys of the sidecar that the feature table has.
        rows: number of rows of the feature table that match.
        loaded: number of distinct keys of the sidecar.
        possible: the smaller of `loaded` and the number of rows of the feature table.
    """

    setting: Setting
    met: int
    rows: int
    loaded: int
    possible: int

    @property
    def is_likely(self) -> bool:
        """True if too many keys match for chance."""
        return self.met > 0 and self.met >= MIN_SHARE * self.possible

    @property
    def is_full(self) -> bool:
        """True if at least half of the possible keys match."""
        return self.met > 0 and self.met >= _FULL_SHARE * self.possible


def best_meeting(columns: Sequence[Keys], scores: Sequence[Keys]) -> Meeting | None:
    """The result with the most matching keys; None if the keys do not match.

    :param columns: the possible key columns, best first.
    :param scores: the keys of a sidecar, per scorer and field.
    """
    best = _first(_plain(column, scores) for column in columns)
    for mode in CUT_MODES:
        if best is not None and best.is_full:
            break
        settings = [
            (setting, column) for column in columns for setting in cut_settings(mode, column, tuple(scores))
        ]
        best = _first([best, *(meeting(setting, column, scores) for setting, column in settings)])
    return best


def meeting(setting: Setting, column: Keys, scores: Sequence[Keys]) -> Meeting | None:
    """The result under these options; None if no keys match, they match by chance, or a join would refuse them.

    A join refuses keys that become equal, and a clip that would get the score of another one.
    """
    return _meeting(setting, column, tuple(scores))


@functools.lru_cache(maxsize=64)
def _meeting(setting: Setting, column: Keys, scores: tuple[Keys, ...]) -> Meeting | None:
    scorers = _scorers(scores, setting.key_normalize, setting.score_key_regex)
    if scorers is None:
        return None
    features = KeyRule.of(setting.key_normalize, column.name, setting.key_regex).apply(column.raw)
    present = features.drop_null()
    distinct = _joined(each.comparable for each in scorers).unique()
    met = distinct.filter(pc.is_in(distinct, present))
    if any(_is_refused(features, column.raw, each) for each in scorers if len(met)):
        return None
    if all(each.name.lower() != column.name.lower() for each in scores) and not can_name_clips(
        column.name, met
    ):
        return None
    return Meeting(
        setting,
        met=len(met),
        rows=int(pc.is_in(present, distinct).true_count) if len(met) else 0,
        loaded=len(distinct),
        possible=min(len(distinct), len(features)),
    )


def _plain(column: Keys, scores: Sequence[Keys]) -> Meeting | None:
    """The best result for a column without any regex."""
    best: Meeting | None = None
    for mode in MODES:
        best = _first([best, meeting(Setting(column.name, mode), column, scores)])
        if best is not None and best.met == best.loaded:
            break  # no other mode can match more
    return best


def _first(meetings: Iterable[Meeting | None]) -> Meeting | None:
    """The best result; the first if several are equally good."""
    found = (each for each in meetings if each is not None)
    return max(found, key=lambda each: (each.met, each.rows), default=None)


@dataclass(frozen=True)
class _Scorer:
    """The keys of a scorer, raw and comparable (string)."""

    raw: pa.Array
    comparable: pa.Array


@functools.lru_cache(maxsize=16)
def _scorers(scores: tuple[Keys, ...], normalize: KeyNormalize, regex: str | None) -> list[_Scorer] | None:
    """The comparable keys of each scorer; None if two become equal or the regex does not match some."""
    by_scorer: dict[str, list[Keys]] = {}
    for each in scores:
        by_scorer.setdefault(each.scorer, []).append(each)
    found = []
    for its in by_scorer.values():
        raw = _joined(each.raw for each in its)
        comparable = _joined(KeyRule.of(normalize, each.name, regex).apply(each.raw) for each in its)
        if comparable.null_count or len(comparable.unique()) < len(raw.unique()):
            return None
        found.append(_Scorer(raw, comparable))
    return found


def _is_refused(features: pa.Array, raw: pa.Array, scorer: _Scorer) -> bool:
    """True if rows of several keys would get one score although its own key is closer to some of them.

    A join accepts keys that become equal by a regex, because a user has set it; nobody has set the one proposed here.
    """
    positions = pc.index_in(features, scorer.comparable, skip_nulls=True)
    return find_sharing(_ANY_RULE, positions, lambda: raw, lambda: scorer.raw).refused > 0


def _joined(parts: Iterable[pa.Array]) -> pa.Array:
    return pa.chunked_array(list(parts), pa.string()).combine_chunks()
