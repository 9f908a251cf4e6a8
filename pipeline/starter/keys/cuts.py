"""Proposes regexes that extract the name of the clip from longer keys; no I/O.

They come from examples: if a few keys of one side contain a key of the other, the text around it is removed.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.join.keys import KeyRule
from pipeline.manifest.options import KeyNormalize
from pipeline.starter.files.names import common_start, word_spans
from pipeline.starter.keys.setting import Keys, Setting, loosened, taking

CUT_MODES: tuple[KeyNormalize, ...] = ("stem", "basename", "raw")
"""The normalisations that a regex is tried with, the usual ones first."""

_SAMPLED_KEYS = 100
_SHORTEST, _LONGEST = 3, 100
_Spans: TypeAlias = tuple[list[tuple[str, int, int]], pa.Array]


def cut_settings(mode: KeyNormalize, column: Keys, scores: tuple[Keys, ...]) -> Iterator[Setting]:
    """Options that remove the text around the keys of one side."""
    for key_regex in (None, *(_without_folders(column) if mode == "raw" else ())):
        plain = Setting(column.name, mode, key_regex=key_regex)
        if key_regex is not None:
            yield plain
        for regex in _cuts(_spans(scores, mode), _distinct((column,), mode, key_regex), mode):
            setting = replace(plain, score_key_regex=regex)
            yield from (setting, loosened(setting))
    for regex in _cuts(_spans((column,), mode), _distinct(scores, mode), mode):
        yield Setting(column.name, mode, key_regex=regex)


def _without_folders(column: Keys) -> Iterator[str]:
    """Regexes that remove an extension, and the common folders or all folders, from keys."""
    keys = _distinct((column,), "raw").to_pylist()
    ends = common_start([key[::-1] for key in keys])[::-1] if keys else ""
    after = PurePosixPath(f"x{ends}").suffix
    folder, slash, _ = common_start(keys).rpartition("/") if keys else ("", "", "")
    if after or slash:
        yield taking(folder + slash, after)
    if any("/" in key for key in keys):
        yield f"^(?:.*/)?([^/]+){re.escape(after)}$"


def _cuts(longer: _Spans, shorter: pa.Array, mode: KeyNormalize) -> Iterator[str]:
    """Regexes that extract a key of `shorter` from most keys of `longer`, by the text around it."""
    around = _surroundings(longer, shorter)
    if not around:
        return
    (before, after), times = Counter(around).most_common(1)[0]
    if times * 2 > len(around):
        yield taking(before, after)
        return
    begins = common_start([after for _, after in around])
    ends = common_start([before[::-1] for before, _ in around])[::-1]
    if begins or ends:
        key = "([^/]+?)" if mode == "raw" else "(.+?)"
        yield f"^{'.*?' if ends else ''}{re.escape(ends)}{key}{re.escape(begins)}{'.*' if begins else ''}$"


def _surroundings(longer: _Spans, shorter: pa.Array) -> list[tuple[str, str]]:
    """For each key of `longer` that contains keys of `shorter`: the text before and behind the longest one."""
    spans, texts = longer
    longest: dict[str, tuple[int, int]] = {}
    for index in pc.indices_nonzero(pc.is_in(texts, shorter)).to_pylist():
        key, start, end = spans[index]
        if key not in longest or end - start > longest[key][1] - longest[key][0]:
            longest[key] = (start, end)
    return [(key[:start], key[end:]) for key, (start, end) in longest.items()]


@functools.lru_cache(maxsize=16)
def _spans(side: tuple[Keys, ...], mode: KeyNormalize) -> _Spans:
    """The parts of a few keys that may name a clip: their positions and texts."""
    keys = _distinct(side, mode)
    step = max(1, len(keys) // _SAMPLED_KEYS)
    sampled = keys.take(pa.array(range(0, len(keys), step), pa.int64())).to_pylist()
    spans = [(key, *span) for key in sampled for span in _parts(key, mode)]
    return spans, pa.array([key[start:end] for key, start, end in spans], pa.string())


def _parts(key: str, mode: KeyNormalize) -> list[tuple[int, int]]:
    """The proper parts of a key that may name a clip: whole words; in stems also any part that is long enough."""
    found = set(word_spans(key))
    if mode == "stem" and len(key) <= _LONGEST:
        starts = range(len(key))
        found.update((start, end) for start in starts for end in range(start + _SHORTEST, len(key) + 1))
    return sorted(found - {(0, len(key))})


@functools.lru_cache(maxsize=64)
def _distinct(side: tuple[Keys, ...], mode: KeyNormalize, regex: str | None = None) -> pa.Array:
    """The distinct comparable keys (string)."""
    keys = [KeyRule(mode, regex).apply(each.raw) for each in side]
    return pa.chunked_array(keys, pa.string()).combine_chunks().drop_null().unique()
