"""Feature tables that are shards of one table: their names differ in numbers or hive partitions, and their clips differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import pyarrow as pa

from ..errors import count
from ..join.preview import preview_table
from ..join.tables import open_table
from ..manifest.entries import TableEntry
from ..manifest.shards import folder_of, holds, is_partition
from ..storage.locations import Location
from .files.names import extension
from .proposal import NO_KEYS, Proposal, ProposedTable

_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[a-f-]*[0-9])[0-9a-f][0-9a-f-]*(?![A-Za-z0-9])|[0-9]+")
"""A number, or a longer one in hexadecimal digits, such as those that Spark gives to the files of a folder."""

_OWN = 0.9
"""Share of keys that no other shard has: the frames of a few clips may be in two shards."""


def in_shards(folder: Location, proposal: Proposal) -> Proposal:
    """The proposal, in which tables that are shards of one table are that table, if its join succeeds."""
    families: dict[object, list[ProposedTable]] = defaultdict(list)
    for each in proposal.tables:
        families[_family(each.entry)].append(each)
    kept = Proposal(left_out=proposal.left_out)
    for shards in families.values():
        whole = _whole(folder, shards, proposal) if len(shards) > 1 else None
        kept.tables += shards if whole is None else [whole]
        if whole is not None:
            features = whole.entry.features.path
            kept.left_out = [each for each in kept.left_out if not holds(features, each[0])]
    return kept


def shown_as(name: str, tables: Iterable[TableEntry]) -> str:
    """The name of a table's features if that file is a shard of it, else its own."""
    sharded = (each.features.path for each in tables if each.is_sharded)
    return next((features for features in sharded if holds(features, name)), name)


def _family(entry: TableEntry) -> tuple[object, ...]:
    """What shards of one table have in common."""
    evidence = entry.evidence
    asked = None if evidence is None else (evidence.target, evidence.group, evidence.each_row_is_content)
    return (starred(entry.features.path), entry.features.text, entry.scores, entry.options, asked)


def starred(name: str) -> str:
    """The name of a file with a star for each number in it, and for the value of each hive partition."""
    *folders, last = name.split("/")
    end = extension(last)
    folders = [f"{each.partition('=')[0]}=*" if is_partition(each) else each for each in folders]
    return "/".join((*folders, _NUMBER.sub("*", last.removesuffix(end)) + end))


def _whole(folder: Location, shards: Sequence[ProposedTable], proposal: Proposal) -> ProposedTable | None:
    """The table in these shards; None if its files are not known to be its own, or its join fails."""
    first = shards[0].entry
    if not _have_clips_of_their_own(folder, [each.entry for each in shards]):
        return None
    names = {each.entry.features.path for each in shards}
    reasons = dict(proposal.left_out)
    for features in _candidates(first.features.path):
        entry = replace(
            first,
            features=replace(first.features, path=features),
            out="joined/",
            out_format=_out_format(shards),
        )
        others = {shard.features for shard in entry.shards(folder)} - names
        if not all(reasons.get(other, "").startswith(NO_KEYS) for other in others):
            continue
        preview = preview_table(entry, folder)
        if preview.error is None:
            files = count(len(names | others), "file")
            note = (
                f"features {features}: {files} with the same columns are its shards; the rest is of the first"
            )
            return ProposedTable(entry, preview, (note, *shards[0].notes))
    return None


def _have_clips_of_their_own(folder: Location, entries: Sequence[TableEntry]) -> bool:
    """Whether hardly a key is in two of the tables; in versions of one table most are."""
    held = pa.chunked_array([_unique_keys(folder, each) for each in entries], pa.string())
    return len(held.unique()) >= _OWN * len(held)


def _unique_keys(folder: Location, entry: TableEntry) -> pa.Array:
    features = entry.features
    return open_table(folder / features.path, entry.options.key_column, features.text).keys().unique()


def _candidates(name: str) -> Iterator[str]:
    """The names for a family of files: their folder, if it has hive partitions, else a pattern."""
    pattern = starred(name)
    if "=*/" in pattern and folder_of(pattern):
        yield folder_of(pattern)
    yield pattern


def _out_format(shards: Sequence[ProposedTable]) -> str | None:
    """The extension that every shard can be joined as, unless it is that of the features."""
    suffixes = {PurePosixPath(each.entry.out).suffix for each in shards}
    form = "parquet" if suffixes == {".parquet"} else "jsonl"
    same = all(extension(each.entry.features.path).lower() == f".{form}" for each in shards)
    return None if same else form
