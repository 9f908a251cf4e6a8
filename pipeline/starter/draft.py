"""Writes the first manifest of a folder, with messages that explain it."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..errors import BatchError, UsageError, count, listing, show
from ..manifest.batch import default_report, failed_path
from ..manifest.entries import SidecarEntry, TableEntry
from ..manifest.options import OPTIONS
from ..manifest.shards import folder_of, may_be_many
from ..records.materialized import covered_line
from ..storage import filenames, locations, writing
from ..storage.jsontext import JsonObject
from ..storage.locations import Location
from ..storage.objects import ObjectPath
from .evidence import spelled
from .files.discovery import Found, find
from .files.names import own_name
from .proposal import Proposal, propose
from .sharding import in_shards, shown_as

MANIFEST = "second-opinion.json"
_MAX_NAMED = 3
_EXPECTED = (
    "expected at least one feature table (a key column and many others) and one sidecar (a scorer or a score for each "
    "clip) whose keys are the same, in Parquet, JSON, JSONL, CSV or TSV"
)


@dataclass(frozen=True)
class Started:
    """A first manifest.

    Attributes:
        manifest: the path of the manifest.
        messages: lines that explain what the manifest contains and what was left out.
    """

    manifest: Location
    messages: tuple[str, ...]


def write_starter(
    folder: str | os.PathLike[str] | ObjectPath, out: str | os.PathLike[str] | ObjectPath | None = None
) -> Started:
    """Write a manifest for the feature tables and sidecars below a folder.

    The first rows of a file decide whether it is a feature table or a sidecar. Its keys, read in full, decide which files
    belong together. The columns of a table decide which evidence is asked for. The manifest puts joined tables and audits
    into a folder `joined` below `folder`.

    :param out: path of the manifest. Default: `second-opinion.json` in `folder`.
    :param folder: a local folder, or the URI of one in a bucket.
    :raises UsageError: the folder does not exist, no table can be joined, or `out` exists or cannot be a file.
    :raises BatchError: the manifest cannot be written.
    """
    root = _place(folder, filenames.folder_fault)
    manifest = _place(out, filenames.output_fault) if out else root / MANIFEST
    if isinstance(root, Path) and not filenames.is_folder(root):
        raise UsageError(f"{root}: found no folder; expected one with feature tables and sidecars")
    _check_free(manifest)
    try:
        found = find(root, _reserved(manifest, root))
        proposal = in_shards(root, propose(root, found.features, found.sidecars))
    except MemoryError as exc:
        raise BatchError(f"{root}: not enough memory for the keys of its files") from exc
    left_out = [*found.left_out, *proposal.left_out]
    if not proposal.tables:
        summary = f"{root}: found {count(len(found.features), 'feature table')} and {count(len(found.sidecars), 'sidecar')}"
        summary += f" among {count(found.read, 'file')}, and nothing to join; {_EXPECTED}"
        raise UsageError(listing(summary, (line.replace("\n", "\n  ") for line in _by_reason(left_out))))
    entries = list(_placed(proposal, root))
    rooted = [_rooted(entry, root, manifest) for entry in entries]
    content = {"tables": [_spelled(entry, manifest.parent) for entry in rooted]}
    _check_free(manifest)
    writing.write_whole(manifest, json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8") + b"\n")
    return Started(manifest, tuple(_messages(found, entries, proposal, left_out, manifest)))


def _place(given: str | os.PathLike[str] | ObjectPath, fault_of: Callable[[str], str | None]) -> Location:
    """:raises UsageError: it is a URI that cannot be used."""
    place = locations.given(given)
    if locations.is_uri(place) and (fault := fault_of(str(place))) is not None:
        raise UsageError(fault)
    return place


def _check_free(manifest: Location) -> None:
    if not filenames.is_name(manifest):
        raise UsageError(
            f"found {show(str(manifest))}; expected the name of a file for the manifest, on one line"
        )
    if filenames.is_taken(manifest):
        raise UsageError(f"{manifest}: found a file; expected none, as nothing is overwritten (set --out)")


def _reserved(manifest: Location, folder: Location) -> list[str]:
    """The files that a run of the manifest writes, relative to the folder."""
    report = default_report(manifest)
    names = [manifest, report, failed_path(report), manifest.with_name(f"{manifest.stem}.run-log.jsonl")]
    return [
        filenames.relative(filenames.resolved(path.parent) / path.name, filenames.resolved(folder))
        for path in names
    ]


def _placed(proposal: Proposal, folder: Location) -> Iterator[TableEntry]:
    """The tables with ids and outputs. Their folder contains no input, and none of the outputs exists."""
    entries = [each.entry for each in proposal.tables]
    ids = _ids([entry.features.path for entry in entries], folder)
    inputs = [entry.features.path for entry in entries]
    inputs += [each.path for entry in entries for each in entry.scores]
    number = 1
    while _is_taken(folder, joined := "joined" if number == 1 else f"joined_{number}", ids, inputs):
        number += 1
    for name, entry in zip(ids, entries, strict=True):
        out = f"{joined}/{name}{'/' if entry.is_sharded else PurePosixPath(entry.out).suffix}"
        yield replace(entry, id=name, out=out, audit_json=f"{joined}/{name}.audit.json")


def _is_taken(folder: Location, joined: str, ids: Sequence[str], inputs: Sequence[str]) -> bool:
    target = folder / joined
    if filenames.is_taken(target) and not filenames.is_folder(target):
        return True
    if any(PurePosixPath(name).parts[0] == joined for name in inputs):
        return True
    ends = ("", ".parquet", ".jsonl", ".audit.json")
    return any(filenames.is_taken(target / f"{name}{end}") for name in ids for end in ends)


def _ids(features: Sequence[str], folder: Location) -> list[str]:
    """An id for each table: the name of its folder if it is the only table there, else its own name."""
    parents = [
        PurePosixPath(folder_of(name)) if may_be_many(name) else PurePosixPath(name).parent
        for name in features
    ]
    ids: list[str] = []
    for name, parent in zip(features, parents, strict=True):
        alone = parents.count(parent) == 1
        wanted = (parent.name or filenames.resolved(folder).name) if alone else own_name(name)
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", wanted).strip("._-") or "table"
        numbered = (plain if number == 1 else f"{plain}_{number}" for number in range(1, len(features) + 1))
        ids.append(next(each for each in numbered if each.lower() not in map(str.lower, ids)))
    return ids


def _rooted(entry: TableEntry, folder: Location, manifest: Location) -> TableEntry:
    """The table with the paths of its files relative to the manifest's folder."""
    base = filenames.resolved(manifest.parent)

    def name(given: str) -> str:
        end = "/" if given.endswith("/") else ""
        return filenames.relative(filenames.resolved(folder) / given, base) + end

    return replace(
        entry,
        features=replace(entry.features, path=name(entry.features.path)),
        scores=tuple(replace(each, path=name(each.path)) for each in entry.scores),
        out=name(entry.out),
        audit_json=name(entry.audit_json) if entry.audit_json else None,
    )


def _spelled(entry: TableEntry, base: Location) -> JsonObject:
    """The table as the manifest spells it, without options that equal their defaults."""
    given = entry.options.as_json()
    options = {
        option.name: given[option.name] for option in OPTIONS if given.get(option.name) != option.default
    }
    return {
        "id": entry.id,
        "features": entry.features.as_json(),
        "scores": [_spelled_sidecar(each, base) for each in entry.scores],
        **options,
        "out": entry.out,
        **({} if entry.out_format is None else {"out_format": entry.out_format}),
        "audit_json": entry.audit_json,
        **({} if entry.evidence is None else {"evidence": spelled(entry.evidence)}),
    }


def _spelled_sidecar(entry: SidecarEntry, base: Location) -> str | JsonObject:
    """The sidecar in the shortest form that is read correctly."""
    short = entry.as_json()
    if not isinstance(short, str) or SidecarEntry.of(short, base) == entry:
        return short
    return {"path": entry.path} | ({} if entry.label is None else {"label": entry.label})


def _messages(
    found: Found,
    entries: Sequence[TableEntry],
    proposal: Proposal,
    left_out: Sequence[tuple[str, str]],
    manifest: Location,
) -> Iterator[str]:
    for kind, held in (("feature table", found.features), ("sidecar", found.sidecars)):
        shown = set()
        for each in held:
            name = shown_as(each.name, entries)
            if name not in shown:
                shown.add(name)
                yield f"{kind} {_shown(name)}: {each.finding.why}"
    for entry, proposed in zip(entries, proposal.tables, strict=True):
        yield ""
        yield f"table {entry.id}: {_shown(entry.features.path)}, {count(proposed.preview.rows or 0, 'row')}"
        covered = (covered_line(scorer.covered) for scorer in proposed.preview.scorers)
        yield from (f"    {line}" for line in [*covered, *proposed.notes])
    if left_out:
        yield ""
        yield from (f"left out: {line}" for line in _by_reason(left_out))
    yield ""
    yield f"written: {manifest}"
    yield f"review it, then: second-opinion check {manifest} --preview"


def _by_reason(left_out: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The files that were left out, grouped by reason."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, reason in left_out:
        names[reason].append(_shown(name))
    for reason, its in names.items():
        more = f" and {len(its) - _MAX_NAMED} more" if len(its) > _MAX_NAMED else ""
        yield f"{', '.join(its[:_MAX_NAMED])}{more}: {reason}"


def _shown(name: str) -> str:
    return name if name.isprintable() else show(name)
