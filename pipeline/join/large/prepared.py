"""The scores of sidecars, read once for all shards and tables that share them, and kept in files that are mapped.

::

    KEY.0.arrow     one scorer: its records, the part of each, and the index of its keys; one batch of Arrow's IPC format
    KEY.json        its parts, and the sidecars that were read; written with the others, last
    KEY.lock        held by the process that prepares them, while others wait

KEY depends on the sidecars as they are in the file system, and on all that decides how they are read. Sidecars that can
have no scorer in common are groups of their own, so that several workers read them at once.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...errors import BatchError, InputMissingError
from ...manifest.declarations import slug
from ...manifest.entries import TableEntry
from ...records.snapshots import Snapshot, changed, check_unchanged, snapshot
from ...records.versions import SEMANTICS_VERSION
from ...storage import filenames, files, jsontext, writing
from ...storage.jsontext import JsonObject
from ...storage.locations import Location, located
from ...storage.shared.lock import one_at_a_time
from ..columns import Scorer, check_slugs
from ..sidecars.read import read_sidecar
from ..sidecars.record import RECORD, Scores
from .groups import ScoreGroup, reading_of, score_groups
from .index import KeyIndex
from .pieces import IndexedScorer, indexed
from .spool import SpooledTable

_VERSION = 2

# It is not there, or damaged.
_UNUSABLE = (BatchError, pa.ArrowException, ValueError, LookupError, TypeError)


@dataclass(frozen=True)
class Prepared:
    """The scores of a table's sidecars.

    Attributes:
        scorers: in order of label.
        sidecars: what the sidecars were when they were read, by role.
    """

    scorers: list[IndexedScorer]
    sidecars: dict[str, Snapshot]


def is_prepared(entry: TableEntry, group: ScoreGroup, base: Location, folder: Path) -> bool:
    """Whether the scores of these sidecars as they are now have been prepared.

    :raises BatchError: a sidecar is not there, or cannot be read.
    """
    return filenames.exists(folder / f"{_key(entry, group, base)}.json")


def prepared(
    entry: TableEntry, base: Location, folder: Path, shared: Collection[ScoreGroup] | None = None
) -> Prepared:
    """The scores of the table's sidecars, which are prepared if they are not yet.

    :param shared: the groups that are prepared; others are read for this table alone. None: all.
    :raises BatchError: a sidecar is missing or faulty, or the disk is full.
    """
    writing.make_folder(folder)
    scorers: list[IndexedScorer] = []
    sidecars: dict[str, Snapshot] = {}
    for group in score_groups(entry):
        is_shared = shared is None or group in shared
        found = (_loaded_or_prepared if is_shared else _read)(entry, group, base, folder)
        scorers += found.scorers
        sidecars |= found.sidecars
    check_slugs([each.scorer.label for each in scorers])
    return Prepared(sorted(scorers, key=lambda each: each.scorer.label), sidecars)


def _loaded_or_prepared(entry: TableEntry, group: ScoreGroup, base: Location, folder: Path) -> Prepared:
    key = _key(entry, group, base)
    try:
        return _loaded(entry, group, base, folder, key)
    except _UNUSABLE:
        return _loaded(entry, group, base, folder, prepare(entry, group, base, folder))


def prepare(entry: TableEntry, group: ScoreGroup, base: Location, folder: Path) -> str:
    """Read some of the table's sidecars, and write their scores, unless another process of this host has just done so.

    :returns: the key of what was written.
    :raises BatchError: as `prepared`.
    """
    writing.make_folder(folder)
    key = _key(entry, group, base)
    with one_at_a_time(folder / f"{key}.lock"):
        try:
            _loaded(entry, group, base, folder, key)
        except _UNUSABLE:
            found = _read(entry, group, base, folder)
            if _key(entry, group, base) != key:
                raise changed(located(base, entry.scores[group[0]].path)) from None
            _write(found, group, folder, key)
    return key


def _read(entry: TableEntry, group: ScoreGroup, base: Location, folder: Path) -> Prepared:
    paths = dict(_sidecars(entry, group, base))
    taken = {role: snapshot(path) for role, path in paths.items()}
    read = (
        read_sidecar(entry.scores[at], base, entry.options, functools.partial(SpooledTable, folder))
        for at in group
    )
    scorers = indexed([scores for found in read for scores in found], folder)
    for role, path in paths.items():
        check_unchanged(path, taken[role].signature)
    return Prepared(scorers, taken)


def _write(found: Prepared, group: ScoreGroup, folder: Path, key: str) -> None:
    names = [folder / f"{key}.{number}.arrow" for number in range(len(found.scorers))]
    places = {f"scores[{index}]": str(place) for place, index in enumerate(group)}
    document = {
        "sidecars": {_renamed(role, places): each.as_record() for role, each in found.sidecars.items()},
        "scorers": [[_described(part) for part in each.scorer.parts] for each in found.scorers],
    }
    with writing.replacing(*names, folder / f"{key}.json") as created:
        for new, each in zip(created, found.scorers, strict=False):
            batch = _batch(each)
            with pa.ipc.new_file(new, batch.schema) as writer:
                writer.write_batch(batch)
        created[-1].write(jsontext.canonical(document))


def _loaded(entry: TableEntry, group: ScoreGroup, base: Location, folder: Path, key: str) -> Prepared:
    """What was prepared of some sidecars.

    :raises InputMissingError: it was not.
    """
    found: JsonObject = jsontext.parse(files.read_bytes(folder / f"{key}.json"))
    scorers = [
        _scorer(entry, base, folder, folder / f"{key}.{number}.arrow", parts)
        for number, parts in enumerate(found["scorers"])
    ]
    roles = {str(place): f"scores[{index}]" for place, index in enumerate(group)}
    taken = found["sidecars"].items()
    return Prepared(
        scorers, {_renamed(place, roles): Snapshot.from_record(record) for place, record in taken}
    )


def _renamed(role: str, names: Mapping[str, str]) -> str:
    """A role with another name of its sidecar: tables that share one may have it in other positions."""
    sidecar, slash, name = role.partition("/")
    return f"{names[sidecar]}{slash}{name}"


def _key(entry: TableEntry, group: ScoreGroup, base: Location) -> str:
    places = {f"scores[{index}]": str(place) for place, index in enumerate(group)}
    seen = [
        [_renamed(role, places), *map(str, astuple(files.signature(path)))]
        for role, path in _sidecars(entry, group, base)
    ]
    identity = [_VERSION, SEMANTICS_VERSION, *reading_of(entry, group), seen]
    return hashlib.sha256(jsontext.canonical(identity)).hexdigest()[:32]


def _sidecars(entry: TableEntry, group: ScoreGroup, base: Location) -> Iterator[tuple[str, Location]]:
    """The files of some sidecars with their roles.

    :raises InputMissingError: a pattern matches none.
    """
    for index in group:
        sidecar = entry.scores[index]
        named = sidecar.files(base)
        if not named:
            raise InputMissingError(f"{sidecar.path}: no file matches yet, below {base}")
        for name, path in named:
            yield f"scores[{index}]" + (f"/{name}" if sidecar.is_pattern else ""), path


def _described(part: Scores) -> JsonObject:
    return {
        "label": part.label,
        "source": part.source,
        "location": part.location,
        "key_field": part.key_field,
        "key_regex": part.key_regex,
        "note": part.note,
        "rows": len(part.keys),
    }


def _batch(of: IndexedScorer) -> pa.RecordBatch:
    columns = dict(zip(RECORD.names, of.scorer.records.columns, strict=True))
    columns |= {
        "source": of.scorer.source,
        "hash": pa.array(of.index.hashes),
        "row": pa.array(of.index.rows),
    }
    return pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])


def _scorer(
    entry: TableEntry, base: Location, folder: Path, path: Path, parts: list[dict[str, Any]]
) -> IndexedScorer:
    batch = pa.ipc.open_file(pa.py_buffer(files.mapped(path))).get_batch(0)
    records = batch.select(RECORD.names)
    keys, start, scores = records["key"], 0, []
    for part in parts:
        scores.append(_part(entry, base, folder, part, records.slice(start, part["rows"])))
        start += part["rows"]
    label = parts[0]["label"]
    scorer = Scorer(label, slug(label), tuple(scores), records, batch["source"])
    hashes, rows = batch["hash"].to_numpy(), batch["row"].to_numpy().astype(np.int32, copy=False)
    return IndexedScorer(scorer, KeyIndex(keys, hashes, rows))


def _part(
    entry: TableEntry, base: Location, folder: Path, described: dict[str, Any], records: pa.RecordBatch
) -> Scores:
    """A part as it was read. What only messages need is read again."""

    def again() -> Scores:
        for sidecar in entry.scores:
            if sidecar.path == described["source"]:
                for each in read_sidecar(
                    sidecar, base, entry.options, functools.partial(SpooledTable, folder)
                ):
                    if _described(each) == described:
                        return each
        raise BatchError(f"{described['source']}: the sidecar changed while it was being read; run again")

    return Scores(
        label=described["label"],
        source=described["source"],
        location=described["location"],
        key_field=described["key_field"],
        key_regex=described["key_regex"],
        records=records,
        recall=lambda: again().recall(),
        bad_statuses=lambda: again().bad_statuses(),
        note=described["note"],
    )
