"""Proposes tables: pairs of feature tables and sidecars, with the join options for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath

import pyarrow as pa

from ..errors import BatchError, count, show
from ..join.keys import MAX_KEYS_SHOWN
from ..join.preview import TablePreview, preview_table
from ..manifest.declarations import slug
from ..manifest.entries import FeaturesEntry, SidecarEntry, TableEntry
from ..manifest.options import JoinOptions
from ..manifest.shards import is_partition
from ..storage.locations import Location
from .evidence import propose_evidence
from .files.found import Features, Sidecar
from .keys.meeting import Meeting, best_meeting, meeting
from .keys.readings import Columns, Readings, Scored
from .keys.setting import Setting, combined, loosened

NO_KEYS = "no sidecar has its keys"
"""Why a feature table is left out that no sidecar has scores for."""


@dataclass(frozen=True)
class ProposedTable:
    """A table that can be joined.

    Attributes:
        entry: the proposed entry; its outputs have no path yet.
        preview: the preview of its join.
        notes: the reasons for the proposed options.
    """

    entry: TableEntry
    preview: TablePreview
    notes: tuple[str, ...]


@dataclass
class Proposal:
    """The tables that can be joined, and the files that were left out, by name, with the reason."""

    tables: list[ProposedTable] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def propose(folder: Location, features: Sequence[Features], sidecars: Sequence[Sidecar]) -> Proposal:
    """Pair sidecars and feature tables that share keys, and try to join each table."""
    proposal = Proposal()
    paired: dict[str, list[tuple[Scored, Meeting]]] = {each.name: [] for each in features}
    tables = {each.name: Columns(folder, each) for each in features}
    for sidecar in sidecars:
        try:
            _pair(Readings(folder, sidecar), tables, paired, proposal)
        except BatchError as exc:
            _leave_out(proposal, sidecar.name, str(exc))
    for each in features:
        if paired[each.name]:
            _try(folder, tables.pop(each.name), paired[each.name], proposal)
        elif each.name not in (name for name, _ in proposal.left_out):
            tried = ", ".join(map(str, each.finding.key_columns[:MAX_KEYS_SHOWN]))
            proposal.left_out.append((each.name, f"{NO_KEYS}; tried {tried}"))
    return proposal


def _pair(
    reading: Readings,
    tables: dict[str, Columns],
    paired: dict[str, list[tuple[Scored, Meeting]]],
    proposal: Proposal,
) -> None:
    """Pair the sidecar with the feature tables that have its keys; among these with the nearest in the folders."""
    name = reading.sidecar.name
    for scored in reading.ways():
        met: dict[str, Meeting] = {}
        for table, columns in tables.items():
            try:
                found = best_meeting(columns.near(scored.keys), scored.keys)
            except BatchError as exc:
                _leave_out(proposal, table, str(exc))
                continue
            if found is not None and found.is_likely:
                met[table] = found
        if met:
            nearest = min(_distance(name, table) for table in met)
            for table, found in met.items():
                if _distance(name, table) == nearest:
                    paired[table].append((scored, found))
                else:
                    reason = (
                        f"not joined onto {table}, although {found.met} keys match: another table is nearer"
                    )
                    proposal.left_out.append((name, reason))
            return
    _leave_out(proposal, name, f"no feature table has its keys: {_some(reading.first)}")


def _leave_out(proposal: Proposal, name: str, reason: str) -> None:
    if (name, reason) not in proposal.left_out:
        proposal.left_out.append((name, reason))


def _try(
    folder: Location, columns: Columns, paired: Sequence[tuple[Scored, Meeting]], proposal: Proposal
) -> None:
    """Propose the table with all sidecars that match under one set of options and whose join succeeds."""
    setting = _common(columns, paired)
    served = _served(columns, paired, setting, proposal)
    entry, preview = _sound(_entry(columns, setting, served), folder, proposal)
    if preview.error is not None:
        proposal.left_out.append((entry.features.path, str(preview.error)))
        return
    notes = [*columns.features.notes(), *_key_notes(columns, setting, served)]
    if any(scorer.covered["missing_rows"] for scorer in preview.scorers):
        notes.append(
            "missing_policy mark (the default): some rows have no score; drop leaves them out, fail refuses them"
        )
    notes += [
        f"{scored.entry.path}: {note}"
        for scored in served
        if scored.entry in entry.scores
        for note in scored.notes()
    ]
    labels = [scorer.covered["competitor"] for scorer in preview.scorers]
    evidence = propose_evidence(columns, setting.key_column, labels, entry.options.prefix)
    entry = replace(entry, evidence=evidence.request)
    proposal.tables.append(ProposedTable(entry, preview, (*notes, *evidence.notes)))


def _served(
    columns: Columns,
    paired: Sequence[tuple[Scored, Meeting]],
    setting: Setting,
    proposal: Proposal,
) -> list[Scored]:
    """The sidecars whose keys match under these options, each with a unique label."""
    served: list[Scored] = []
    for scored, _ in paired:
        found = meeting(setting, columns.column(setting.key_column), scored.keys)
        if found is None or not found.is_likely:
            reason = f"the other sidecars of {columns.features.name} need options under which its keys do not match"
            proposal.left_out.append((scored.entry.path, reason))
            continue
        named = _unique_label(scored.entry, [each.entry for each in served])
        served.append(replace(scored, entry=named))
    return served


def _entry(columns: Columns, setting: Setting, served: Sequence[Scored]) -> TableEntry:
    return TableEntry(
        features=FeaturesEntry(columns.features.name, columns.features.text),
        scores=tuple(scored.entry for scored in served),
        out=f"joined{columns.extension(setting.key_column)}",
        audit_json=None,
        options=JoinOptions(**asdict(setting)),
    )


def _common(columns: Columns, paired: Sequence[tuple[Scored, Meeting]]) -> Setting:
    """The options under which the most keys of all sidecars match."""
    candidates: dict[Setting, int] = {}
    for _, found in paired:
        for setting in (found.setting, loosened(found.setting)):
            candidates.setdefault(setting, 0)
    candidates |= dict.fromkeys(combined([found.setting for _, found in paired]), 0)
    for setting in candidates:
        column = columns.column(setting.key_column)
        found_all = [meeting(setting, column, scored.keys) for scored, _ in paired]
        candidates[setting] = sum(found.met for found in found_all if found is not None and found.is_likely)
    return max(candidates, key=lambda setting: candidates[setting])


def _sound(entry: TableEntry, folder: Location, proposal: Proposal) -> tuple[TableEntry, TablePreview]:
    """The table with the sidecars whose join succeeds. If joining all of them fails, they are added one by one."""
    preview = preview_table(entry, folder)
    if preview.error is None or len(entry.scores) == 1:
        return entry, preview
    kept: tuple[SidecarEntry, ...] = ()
    best = (entry, preview)
    for sidecar in entry.scores:
        tried = replace(entry, scores=(*kept, sidecar))
        preview = preview_table(tried, folder)
        if preview.error is None:
            kept, best = tried.scores, (tried, preview)
        else:
            proposal.left_out.append((sidecar.path, str(preview.error)))
    return best


def _unique_label(entry: SidecarEntry, others: Sequence[SidecarEntry]) -> SidecarEntry:
    """The entry with a unique label; only a label that was taken from a file's name is changed."""
    if entry.label is None:
        return entry
    taken = {slug(label) for other in others for label in other.labels()}
    folder = PurePosixPath(entry.path).parent.name
    labels = [
        entry.label,
        f"{folder}-{entry.label}",
        *(f"{entry.label}-{number}" for number in range(2, 1000)),
    ]
    for label in labels:
        named = replace(entry, label=label)
        if taken.isdisjoint(map(slug, named.labels())) and label.isprintable():
            return named
    return entry


def _distance(name: str, other: str) -> int:
    """The number of steps from the folder of one file to that of another; hive partitions are no steps."""
    folders, others = _folders(name), _folders(other)
    shared = 0
    while shared < min(len(folders), len(others)) and folders[shared] == others[shared]:
        shared += 1
    return len(folders) + len(others) - 2 * shared


def _folders(name: str) -> list[str]:
    return [folder for folder in PurePosixPath(name).parent.parts if not is_partition(folder)]


def _some(scored: Scored) -> str:
    keys = pa.chunked_array([each.raw for each in scored.keys], pa.string()).combine_chunks()
    return ", ".join(map(show, keys[:MAX_KEYS_SHOWN].to_pylist()))


def _key_notes(columns: Columns, setting: Setting, served: Sequence[Scored]) -> list[str]:
    """Notes on the options that compare the keys."""
    column = columns.column(setting.key_column)
    found = [each for scored in served if (each := meeting(setting, column, scored.keys)) is not None]
    best = max(found, key=lambda each: each.met)
    notes = [
        f"key_column {setting.key_column}: it has {best.met} of the {count(best.loaded, 'key')} of a sidecar"
    ]
    if setting.key_normalize != "auto":
        notes.append(f"key_normalize {setting.key_normalize}: most keys match with it")
    if setting.score_key_regex is not None:
        notes.append(
            f"score_key_regex {setting.score_key_regex}: removes what the sidecars' keys contain besides the clip"
        )
    if setting.key_regex is not None:
        notes.append(f"key_regex {setting.key_regex}: removes what the table's keys contain besides the clip")
    return notes
