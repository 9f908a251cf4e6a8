"""Rows of different keys that share a score, and scores that belong to some of their rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.oracle import keys
from tests.support.oracle.scores import Score


def shared(
    raw: Sequence[str | None],
    column: str,
    scores: Sequence[Score],
    options: Mapping[str, Any],
    normalize: str,
) -> tuple[int, int]:
    """How many rows share a score with a row of another key, and how many scores are closer to some of their rows.

    :param raw: the rows' keys as they came.
    """
    rows = refused = 0
    wanted = [keys.comparable(key, column, normalize, options["key_regex"]) for key in raw]
    for score in scores:
        key = keys.comparable(score.raw, score.field, normalize, options["score_key_regex"])
        groups: dict[str | None, list[str]] = {}
        for own, normal in zip(raw, wanted, strict=True):
            if own is not None and key is not None and normal == key:
                # what a regular expression makes equal is meant to be
                groups.setdefault(keys.comparable(own, column, normalize, None), []).append(keys.spelled(own))
        clashes = [group for group in groups.values() if len(set(group)) > 1]
        rows += sum(len(group) for group in clashes)
        refused += sum(
            len({closeness(own, keys.spelled(score.raw)) for own in group}) > 1 for group in clashes
        )
    return rows, refused


def closeness(one: str, other: str) -> tuple[tuple[int, bool], tuple[int, bool]]:
    """How much of their trailing paths two keys share: without letter case, then with it."""
    return trailing(one.lower(), other.lower()), trailing(one, other)


def trailing(one: str, other: str) -> tuple[int, bool]:
    """How many folders the ends of two paths share, and whether their names are the same."""
    first, second = ([part for part in key.split("/") if part not in ("", ".")] for key in (one, other))
    folders = 0
    while folders + 1 < min(len(first), len(second)) and first[-2 - folders] == second[-2 - folders]:
        folders += 1
    return folders, first[-1:] == second[-1:]
