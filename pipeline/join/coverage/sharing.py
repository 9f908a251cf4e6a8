"""Rows of different keys that share one score, and scores that belong to some of those rows only; no I/O.

`key_normalize` makes `b1/747.mp4` and `b24/747.mp4` equal, so both rows match the same score. If the score's own key fits
both equally (`747.mp4`, `elsewhere/747.mp4`), they may share it. If it is closer to one of them (`b1/747.mp4`), the other
row would get the score of another clip, and the join is refused. Keys that a regex makes equal are meant to be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...errors import MAX_FAULTS_SHOWN
from ..keys import MAX_KEYS_SHOWN, KeyRule, basenames

_MAX_FOLDERS = 64  # compared per key; no corpus is nested deeper, and each folder takes a pass over the keys
_CASELESS = 2 * _MAX_FOLDERS + 2  # more than any number of steps
_Numbers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Conflict:
    """A score that rows of several clips would get, though its own key is closer to some of them.

    Attributes:
        score_key: the score's own key.
        closer: up to five feature keys that share more of their trailing path with it than the others.
        others: up to five of those others.
    """

    score_key: str
    closer: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Sharing:
    """How the rows of a feature table share the scores of one scorer.

    Attributes:
        rows: number of feature rows that share a score with a row of another key.
        refused: number of scores whose own key is closer to some of their rows than to others.
        conflicts: the first ten of those.
    """

    rows: int = 0
    refused: int = 0
    conflicts: tuple[Conflict, ...] = ()


def find_sharing(
    rule: KeyRule,
    positions: pa.Array,
    features: Callable[[], pa.Array],
    scores: Callable[[], pa.Array],
) -> Sharing:
    """How the rows share the scores.

    :param rule: how the feature keys became comparable.
    :param positions: per feature row, the position of its score; null: it has none.
    :param features: reads the feature keys, unnormalised (string); called only if two rows have the same score.
    :param scores: reads the keys of the scores, unnormalised (string).
    """
    rows = _rows_in_company(positions)
    if rule.mode == "raw" or not len(rows):
        return Sharing()
    where = positions.take(pa.array(rows)).to_numpy().astype(np.int64)
    return sharing_of(rule, where, features().take(pa.array(rows)), np.ones(len(rows), np.int64), scores)


def sharing_of(
    rule: KeyRule, where: _Numbers, features: pa.Array, rows: _Numbers, scores: Callable[[], pa.Array]
) -> Sharing:
    """How rows share scores that several of them have.

    :param where: the position of each row's score.
    :param features: the keys of the rows, unnormalised (string).
    :param rows: how many rows each of them stands for: rows of one key and score may be given once.
    """
    keys = rule.spelled.apply(features)
    members = _members(_groups(rule, keys, where), keys, rows)
    if not len(members.first):
        return Sharing()
    own = rule.spelled.apply(scores().take(pa.array(where[members.first])))
    return _judged(members, keys.take(pa.array(members.first)), own)


@dataclass(frozen=True)
class _Members:
    """The distinct keys of each group that has at least two, sorted by group.

    Attributes:
        first: the position of each key's first row among the rows that were compared.
        group: the group of each key.
        rows: the number of rows with each key.
    """

    first: _Numbers
    group: _Numbers
    rows: _Numbers


def _rows_in_company(positions: pa.Array) -> _Numbers:
    """The rows whose score another row has too."""
    found = positions.drop_null().to_numpy()
    times = np.bincount(found) if len(found) else np.zeros(0, np.int64)
    if not len(times) or times.max() < 2:
        return np.zeros(0, np.int64)
    filled = positions.fill_null(-1).to_numpy()
    return np.flatnonzero((filled >= 0) & (times[filled] > 1))


def _groups(rule: KeyRule, keys: pa.Array, where: _Numbers) -> _Numbers:
    """The group of each row. Rows of a group have the same score and the same normalised key, before any regex."""
    if rule.regex is None:
        return where
    normal = rule.plain.apply(keys).dictionary_encode()
    groups: _Numbers = where * len(normal.dictionary) + normal.indices.to_numpy()
    return groups


def _members(groups: _Numbers, keys: pa.Array, counted: _Numbers) -> _Members:
    encoded = keys.dictionary_encode()
    _, group = np.unique(groups, return_inverse=True)
    pairs = group * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, pair = np.unique(pairs, return_index=True, return_inverse=True)
    rows = np.bincount(pair, counted).astype(np.int64)
    of = group[first]
    several = np.bincount(of)[of] > 1
    return _Members(first[several], of[several], rows[several])


def _judged(members: _Members, keys: pa.Array, own: pa.Array) -> Sharing:
    """Count the rows that share scores, and the groups in which the score's own key is closer to some keys."""
    near = _nearness(keys, own)
    starts = np.flatnonzero(np.diff(members.group, prepend=-1))
    refused = np.flatnonzero(np.minimum.reduceat(near, starts) < np.maximum.reduceat(near, starts))
    ends = [*starts[1:], len(near)]
    spans = [slice(starts[index], ends[index]) for index in refused[:MAX_FAULTS_SHOWN]]
    conflicts = (_conflict(keys[span].to_pylist(), own[span.start].as_py(), near[span]) for span in spans)
    return Sharing(int(members.rows.sum()), len(refused), tuple(conflicts))


def _conflict(keys: list[str], own: str, near: _Numbers) -> Conflict:
    def some(wanted: NDArray[np.bool_]) -> Iterator[str]:
        return (keys[index] for index in np.flatnonzero(wanted)[:MAX_KEYS_SHOWN])

    closest = near == near.max()
    return Conflict(own, tuple(some(closest)), tuple(some(~closest)))


def _nearness(keys: pa.Array, others: pa.Array) -> _Numbers:
    """How much of its trailing path each key shares with the other; more is closer.

    Letter case counts only among keys that are equally close without it.
    """
    keys, others = _plain_path(keys), _plain_path(others)
    return _steps(pc.utf8_lower(keys), pc.utf8_lower(others)) * _CASELESS + _steps(keys, others)


def _steps(keys: pa.Array, others: pa.Array) -> _Numbers:
    """Two for each folder that the ends of both paths share, one for the name with extension."""
    near: _Numbers = pc.equal(basenames(keys), basenames(others)).cast(pa.int64()).to_numpy().copy()
    rows = np.arange(len(near))
    for _ in range(_MAX_FOLDERS):
        keys, others = _folder(keys), _folder(others)
        same = pc.fill_null(pc.equal(basenames(keys), basenames(others)), False)
        if not same.true_count:
            break
        keys, others = keys.filter(same), others.filter(same)
        rows = rows[same.to_numpy(zero_copy_only=False)]
        near[rows] += 2
    return near


def _plain_path(keys: pa.Array) -> pa.Array:
    """The keys without a leading `/`, and without folders of no name or the name `.`."""
    return pc.replace_substring_regex(keys, r"(^|/)(?:\.?/)+", r"\1")


def _folder(keys: pa.Array) -> pa.Array:
    """The part of each key before its last `/`; null where there is none."""
    folders = pc.replace_substring_regex(keys, r"/?[^/]*\z", "")
    return pc.if_else(pc.equal(folders, ""), pa.scalar(None, pa.string()), folders)
