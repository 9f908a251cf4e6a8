"""Which sidecars of a table are read together, and which of them other tables read too; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from ...manifest.declarations import slug
from ...manifest.entries import TableEntry

ScoreGroup: TypeAlias = tuple[int, ...]
"""The positions of some sidecars of a table."""

_READING = ("key_normalize", "score_key_field", "score_key_fields", "score_field", "score_key_regex")


def score_groups(entry: TableEntry) -> list[ScoreGroup]:
    """The sidecars of a table in groups that have no scorer in common."""
    if any(each.label is None for each in entry.scores):  # it may name any scorer in its rows
        return [tuple(range(len(entry.scores)))]
    groups: list[tuple[set[str], list[int]]] = []
    for at, each in enumerate(entry.scores):
        names, group = set(map(slug, each.labels())), [at]
        for one in [one for one in groups if one[0] & names]:
            groups.remove(one)
            names, group = names | one[0], [*one[1], *group]
        groups.append((names, group))
    return sorted(tuple(sorted(group)) for _, group in groups)


def reading_of(entry: TableEntry, group: ScoreGroup) -> list[Any]:
    """All that decides what comes of some sidecars of a table, besides their content."""
    options = entry.options.as_json()
    return [[entry.scores[at].as_json() for at in group], [options.get(name) for name in _READING]]


def shared_groups(entry: TableEntry, tables: Iterable[TableEntry]) -> list[ScoreGroup]:
    """The groups of a table that another table of one file reads too, in the same way.

    :param tables: all tables of the batch.
    """
    others = (other for other in tables if other.id != entry.id and not other.is_sharded)
    theirs = [reading_of(other, group) for other in others for group in score_groups(other)]
    return [group for group in score_groups(entry) if reading_of(entry, group) in theirs]
