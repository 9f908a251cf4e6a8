"""Which keys of a feature table and of a sidecar mean the same, and under which options; no I/O.

Options are compared by how many of the sidecar's distinct keys the feature table has, then by how many of its rows
match: a column that holds one number everywhere matches every row, but meets one key.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.keys import KeyRule
from pipeline.options import KeyNormalize

MODES: tuple[KeyNormalize, ...] = ("auto", "raw", "basename", "stem")
"""In the order in which they are tried: of equals the first is taken, which takes least away."""

LEAST_SHARE = 0.1
"""The least share of the keys of the smaller side that must meet: fewer meet by chance."""

_FULL_SHARE = 0.5
_SAMPLED_KEYS = 100
_SHORTEST, _LONGEST = 3, 100


@dataclass(frozen=True, eq=False)  # told apart by identity, so that what is made of them can be kept
class Keys:
    """The keys of one side as they came.

    Attributes:
        name: the column or field they stand under.
        raw: their texts (string).
    """

    name: str
    raw: pa.Array


@dataclass(frozen=True)
class Setting:
    """The join options of a table that decide which keys meet, as in `JoinOptions`."""

    key_column: str
    key_normalize: KeyNormalize = "auto"
    key_regex: str | None = None
    score_key_regex: str | None = None


@dataclass(frozen=True)
class Meeting:
    """How well two sides meet.

    Attributes:
        setting: under these options.
        met: distinct keys of the sidecar that the feature table has.
        rows: rows of the feature table that match.
        loaded: distinct keys of the sidecar.
        possible: those, or the rows of the feature table if they are fewer.
    """

    setting: Setting
    met: int
    rows: int
    loaded: int
    possible: int

    @property
    def is_likely(self) -> bool:
        """Whether so many keys meet that it is no chance."""
        return self.met > 0 and self.met >= LEAST_SHARE * self.possible

    @property
    def is_full(self) -> bool:
        """Whether at least half of what could meet does."""
        return self.met > 0 and self.met >= _FULL_SHARE * self.possible


def best_meeting(columns: Sequence[Keys], scores: Sequence[Keys]) -> Meeting | None:
    """The options under which most keys meet.

    :param columns: what may be the key column, best first.
    :param scores: the keys of a sidecar, per scorer and field.
    """
    best = _first(_plain(column, scores) for column in columns)
    if best is None or not best.is_full:
        cut = [
            meeting(setting, column, scores)
            for column in columns
            for setting in _cut_settings(column, scores)
        ]
        best = _first([best, *cut])
    return best


def meeting(setting: Setting, column: Keys, scores: Sequence[Keys]) -> Meeting | None:
    """How the sides meet under these options; None: the sidecar's keys collide, or are not matched, under them."""
    return _meeting(setting, column, tuple(scores))


@functools.lru_cache(maxsize=64)
def _meeting(setting: Setting, column: Keys, scores: tuple[Keys, ...]) -> Meeting | None:
    distinct = _distinct(scores, setting.key_normalize, setting.score_key_regex)
    if distinct is None:
        return None
    features = KeyRule.of(setting.key_normalize, column.name, setting.key_regex).apply(column.raw)
    present = features.drop_null()
    met = _count_in(distinct, present)
    return Meeting(
        setting,
        met=met,
        rows=_count_in(present, distinct) if met else 0,
        loaded=len(distinct),
        possible=min(len(distinct), len(features)),
    )


def loosened(setting: Setting) -> Setting:
    """The same options with what the sidecar's regex takes away made optional, for sidecars without it."""
    parts = re.fullmatch(
        r"\^(?P<before>.*)\(\.\+\?\)(?P<after>.*)\$", setting.score_key_regex or "", re.DOTALL
    )
    if parts is None:
        return setting
    before, after = (f"(?:{part})?" if part else "" for part in parts.groups())
    return replace(setting, score_key_regex=f"^{before}(.+?){after}$")


def common_start(texts: Sequence[str]) -> str:
    """What all the texts begin with."""
    first, last = min(texts), max(texts)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(character for character, _ in same)


def _plain(column: Keys, scores: Sequence[Keys]) -> Meeting | None:
    """The best meeting of a column without any regex."""
    best: Meeting | None = None
    for mode in MODES:
        best = _first([best, meeting(Setting(column.name, mode), column, scores)])
        if best is not None and best.met == best.loaded:
            break  # no other mode can meet more
    return best


def _first(meetings: Iterable[Meeting | None]) -> Meeting | None:
    """The best one; of equals the first."""
    found = (each for each in meetings if each is not None)
    return max(found, key=lambda each: (each.met, each.rows), default=None)


@functools.lru_cache(maxsize=16)
def _distinct(scores: tuple[Keys, ...], normalize: KeyNormalize, regex: str | None) -> pa.Array | None:
    """The distinct comparable keys of a sidecar; None: some collide, or the regex does not match them."""
    parts = []
    for each in scores:
        comparable = KeyRule.of(normalize, each.name, regex).apply(each.raw)
        if comparable.null_count or len(comparable.unique()) < _unique(each):
            return None
        parts.append(comparable)
    return pa.chunked_array(parts, pa.string()).combine_chunks().unique()


def _cut_settings(column: Keys, scores: Sequence[Keys]) -> Iterator[Setting]:
    """Options that take what stands around the keys of one side away."""
    theirs, ours = tuple(scores), (column,)
    for regex in _cuts(theirs, ours):
        setting = Setting(column.name, "stem", score_key_regex=regex)
        yield from (setting, loosened(setting))
    for regex in _cuts(ours, theirs):
        yield Setting(column.name, "stem", key_regex=regex)


def _cuts(longer: tuple[Keys, ...], shorter: tuple[Keys, ...]) -> Iterator[str]:
    """Regexes that take a key of `shorter` out of most keys of `longer`, by what stands around it there."""
    around = _surroundings(longer, shorter)
    if not around:
        return
    (before, after), times = Counter(around).most_common(1)[0]
    if times * 2 > len(around):
        yield f"^{re.escape(before)}(.+?){re.escape(after)}$"
        return
    begins = common_start([after for _, after in around])
    ends = common_start([before[::-1] for before, _ in around])[::-1]
    if begins or ends:
        yield f"^{'.*?' if ends else ''}{re.escape(ends)}(.+?){re.escape(begins)}{'.*' if begins else ''}$"


def _surroundings(longer: tuple[Keys, ...], shorter: tuple[Keys, ...]) -> list[tuple[str, str]]:
    """Of a few keys of `longer` that hold one of `shorter`: what stands before the longest such, and behind it."""
    spans, texts = _spans(longer)
    longest: dict[str, tuple[int, int]] = {}
    for index in pc.indices_nonzero(pc.is_in(texts, _stems(shorter))).to_pylist():
        key, start, end = spans[index]
        if key not in longest or end - start > longest[key][1] - longest[key][0]:
            longest[key] = (start, end)
    return [(key[:start], key[end:]) for key, (start, end) in longest.items()]


@functools.lru_cache(maxsize=64)
def _unique(keys: Keys) -> int:
    return len(keys.raw.unique())


@functools.lru_cache(maxsize=16)
def _spans(side: tuple[Keys, ...]) -> tuple[list[tuple[str, int, int]], pa.Array]:
    """The proper parts of a few keys: where each stands, and its text."""
    stems = _stems(side)
    step = max(1, len(stems) // _SAMPLED_KEYS)
    sampled = stems.take(pa.array(range(0, len(stems), step), pa.int64()))
    spans = [
        (key, start, end)
        for key in sampled.to_pylist()
        if len(key) <= _LONGEST
        for start in range(len(key))
        for end in range(start + _SHORTEST, len(key) + 1)
        if end - start < len(key)
    ]
    return spans, pa.array([key[start:end] for key, start, end in spans], pa.string())


@functools.lru_cache(maxsize=16)
def _stems(side: tuple[Keys, ...]) -> pa.Array:
    """The distinct keys as stems."""
    stems = [KeyRule("stem").apply(each.raw) for each in side]
    return pa.chunked_array(stems, pa.string()).combine_chunks().drop_null().unique()


def _count_in(texts: pa.Array, others: pa.Array) -> int:
    return int(pc.is_in(texts, others).true_count)
