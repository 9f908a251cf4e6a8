"""One table: read, join, write, audit.

::

    features ─┐
    scores ───┴─ matching ─▶ MatchedTable ─▶ check ─▶ append ─▶ create_table ──▶ out, audit

The inputs are digested in threads beside the matching.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError, UsageError, listing, show
from ..manifest.clashes import FileClaims
from ..manifest.declarations import declaration_faults, declarations
from ..manifest.entries import FEATURES, FeaturesEntry, SidecarEntry, TableEntry
from ..manifest.options import OPTIONS, JoinOptions, option_faults
from ..records.materialized import Materialized, Remarks, TableSummary
from ..records.provenance import fingerprint, run_provenance
from ..records.snapshots import Snapshot, changed, check_unchanged, look_again, of_written
from ..records.versions import SEMANTICS_VERSION, versions
from ..storage import filenames, files, jsontext, locations, writing
from ..storage.files import FileDescription, Signature
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, located
from ..storage.schema import load_schema, schema_faults
from ..storage.writing import NewFile
from . import columns
from .matching import Joining, MatchedTable, Progress, begin, enough_memory
from .tables import Sink, create_table
from .tables.base import rows_in, take_rows
from .threads import ReadAhead

_UNUSABLE = "the table cannot be joined like this; nothing was written"

Commit = Callable[[Materialized], None]
"""Called when the outputs are written under temporary names, just before they take their own names."""


def materialize(
    features: str | os.PathLike[str] | Mapping[str, Any],
    scores: Iterable[str | Mapping[str, Any] | SidecarEntry],
    out: str | os.PathLike[str],
    *,
    audit_json: str | os.PathLike[str] | None = None,
    options: JoinOptions | None = None,
    scorers: Mapping[str, Mapping[str, Any]] | None = None,
    base_dir: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Materialized:
    """Join the scores of sidecars onto a feature table.

    :param features: the feature table: its path, or the object that a manifest may hold; paths are relative to
        `base_dir`.
    :param scores: the sidecars: `PATH`, `LABEL=PATH`, or the object that a manifest may hold.
    :param out: the joined table; its extension decides the format.
    :param audit_json: the path of the audit; None: no audit is written.
    :param options: how to join; None: the defaults.
    :param scorers: declarations of scorers by label, like a manifest's `scorers`.
    :param base_dir: the folder that paths are relative to.
    :param progress: called at each step of the join; None: nothing is called.
    :raises UsageError: the arguments cannot be used.
    :raises BatchError: an input is missing or faulty, the join would be wrong, an output cannot be written.
    """
    base, scores = locations.given(base_dir), jsontext.without_comments([*scores])
    scorers = jsontext.without_comments(scorers)
    given = jsontext.without_comments(features) if isinstance(features, Mapping) else os.fspath(features)
    _check_objects(given, [each for each in scores if isinstance(each, Mapping)], scorers or {})
    entry = TableEntry(
        features=FeaturesEntry.of(given),
        scores=tuple(
            each if isinstance(each, SidecarEntry) else SidecarEntry.of(each, base) for each in scores
        ),
        out=os.fspath(out),
        audit_json=os.fspath(audit_json or "") or None,
        options=options or JoinOptions(),
        scorers=declarations(scorers or {}),
    )
    if faults := [*_entry_faults(entry, base), *declaration_faults(scorers or {})]:
        raise UsageError(listing(_UNUSABLE, faults))
    writing.sweep(path for _, path in entry.outputs(base))
    return materialize_entry(entry, base, progress)


def _entry_faults(entry: TableEntry, base: Location) -> list[str]:
    if entry.is_sharded:
        return [
            f"features: found {show(entry.features.path)}; expected one file: tables in shards need a manifest"
        ]
    claims = FileClaims()
    entry.claim(claims, base)
    faults = [fault.removeprefix(".") for fault in entry.faults()]
    return [*faults, *option_faults(entry.options.as_json()), *claims.clashes()]


def _check_objects(
    features: str | Mapping[str, Any], scores: Sequence[Mapping[str, Any]], scorers: Mapping[str, Any]
) -> None:
    """:raises UsageError: an object does not follow the manifest's schema."""
    if isinstance(features, str) and features and not scores and not scorers:
        return  # paths alone: importing jsonschema takes a tenth of a small join
    given = {
        "features": features if isinstance(features, str) else dict(features),
        "scores": [dict(each) for each in scores],
        "scorers": scorers,
    }
    if faults := object_faults(given):
        raise UsageError(listing(_UNUSABLE, faults))


def object_faults(given: JsonObject) -> list[str]:
    """Faults of a table's objects against the manifest's schema, each with its JSON path.

    :param given: `features`, `scores` (a list, or objects by label) and `scorers`, each as a manifest may hold it.
    """
    manifest = load_schema("manifest")
    score = manifest["$defs"]["score_entry"]
    properties = {
        "features": manifest["$defs"]["feature_entry"],
        "scores": {"items": score, "additionalProperties": score},
        "scorers": manifest["properties"]["scorers"],
    }
    return list(schema_faults(given, {"properties": properties, "$defs": manifest["$defs"]}))


@dataclass(frozen=True)
class ScoreSource:
    """Scores that were read before a join, which others share.

    Attributes:
        matching: the features, matched onto them.
        sidecars: what the sidecars were when they were read, by role.
    """

    matching: Joining
    sidecars: Mapping[str, Snapshot]


def materialize_entry(
    entry: TableEntry,
    base: Location,
    progress: Progress | None = None,
    commit: Commit | None = None,
    source: ScoreSource | None = None,
) -> Materialized:
    """`materialize` for an entry that has been checked.

    :param source: the scores, if they were read before; None: the sidecars are read.
    :raises BatchError: as `materialize`.
    """
    notify = progress or (lambda _doing, _share: None)
    targets = dict(entry.outputs(base))
    with enough_memory(entry), files.seen_once():
        joined = _join(entry, base, notify, source)
        with writing.replacing(*targets.values()) as created:
            joined, outputs = _write(created, entry, base, joined, notify)
            built = joined.materialized(entry, outputs, {})
            if commit is not None:
                commit(built)
    written = {role: of_written(each) for role, each in zip(targets, created, strict=True)}
    return joined.materialized(entry, outputs, written)


@dataclass(frozen=True)
class _Joined:
    """A table that is ready to be written."""

    fingerprint: str
    inputs: dict[str, Snapshot]
    signatures: dict[str, Signature]
    described: dict[str, FileDescription]
    matched: MatchedTable
    losses: Remarks

    @property
    def summary(self) -> TableSummary:
        """Rows in and out, what each scorer covers, losses in writing the features, notes on reading them."""
        remarks: Remarks = {**self.losses}
        if notes := self.matched.notes:
            remarks["notes"] = notes
        return {
            **remarks,
            "input_rows": self.matched.found.rows,
            "output_rows": self.matched.output_rows,
            "competitors": {each["competitor"]: each for each in self.matched.covered},
        }

    def materialized(
        self, entry: TableEntry, outputs: dict[str, FileDescription], written: dict[str, Snapshot]
    ) -> Materialized:
        """The record of the table after its outputs are written."""
        return Materialized(
            fingerprint=self.fingerprint,
            semantics=SEMANTICS_VERSION,
            entry=entry.as_json(),
            summary=self.summary,
            inputs=self.described,
            outputs=outputs,
            versions=versions(),
            seen={role: taken.as_record() for role, taken in (self.inputs | written).items()},
        )


def _join(entry: TableEntry, base: Location, notify: Progress, source: ScoreSource | None) -> _Joined:
    """Read the inputs, match them, and refuse a join that would be wrong."""
    paths = dict(entry.inputs(base))
    signatures = {role: files.signature(path) for role, path in paths.items()}
    with ReadAhead() as ahead:
        matching = begin(entry, base, ahead) if source is None else source.matching
        known = {} if source is None else source.sidecars
        sidecars = {role: path for role, path in paths.items() if role != FEATURES}
        digesting = {role: ahead.begin(look_again, path, known.get(role)) for role, path in sidecars.items()}
        features = matching.features
        digesting[FEATURES] = ahead.begin(features.snapshot)
        checking = ahead.begin(features.check_data)
        matched = matching.result(notify)
        checking.result()
        inputs = {role: digesting[role].result() for role in paths}
    for role, seen in known.items():
        if role in inputs and inputs[role].sha256 != seen.sha256:  # the scores are those of another file
            raise changed(paths[role])
    if matched.found.is_part:  # whether scores cover enough is judged for the whole table
        matched.check_columns()
    else:
        matched.check()
    return _Joined(
        fingerprint=fingerprint(entry, {role: taken.sha256 for role, taken in inputs.items()}),
        inputs=inputs,
        signatures=signatures,
        described={role: files.describe(paths[role], base, taken.sha256) for role, taken in inputs.items()},
        matched=matched,
        losses={},
    )


def _write(
    created: list[NewFile], entry: TableEntry, base: Location, joined: _Joined, notify: Progress
) -> tuple[_Joined, dict[str, FileDescription]]:
    """Write the outputs, and describe them under their names."""
    joined = replace(joined, losses=_write_table(created[0], joined, notify).losses)
    paths = dict(entry.inputs(base))
    if paths.keys() != joined.inputs.keys():
        raise InputError(f"{entry.out}: files came or went below a pattern of scores; run again")
    for role, path in paths.items():
        check_unchanged(path, joined.signatures[role])
    described: dict[str, FileDescription] = {}
    for each, (role, path) in zip(created, entry.outputs(base), strict=True):
        if role == "audit_json":
            each.write(jsontext.pretty(_audit(entry, base, joined, described)))
        name = filenames.relative(path, base)
        described[role] = {"path": name, "exists": True, "kind": "file", "sha256": each.sha256}
    return joined, described


def _write_table(created: NewFile, joined: _Joined, notify: Progress) -> Sink:
    found, features = joined.matched.found, joined.matched.features
    start = 0
    appended, kept = joined.matched.appended, found.kept
    with create_table(created, features, appended, joined.fingerprint, kept) as sink:
        for chunk in features.chunks(sink.form):
            length = rows_in(chunk)
            if start + length > found.rows:
                raise changed(features.path)
            appended = columns.append(found, start, length)
            if found.kept is not None:
                keep = found.kept.slice(start, length)
                chunk, appended = take_rows(chunk, keep), appended.filter(keep)
            sink.write(chunk, appended)
            start += length
            notify(f"written {start} of {found.rows} rows", 0.45 + 0.5 * start / max(1, found.rows))
    return sink


def _audit(
    entry: TableEntry, base: Location, joined: _Joined, outputs: dict[str, FileDescription]
) -> JsonObject:
    """The audit of a table: its inputs, its options, and what each scorer covers."""
    options = entry.options
    return {
        "feature_table": filenames.relative(located(base, entry.features.path), base),
        "output": filenames.relative(located(base, entry.out), base),
        **joined.matched.features.described_key,
        "key_normalize": options.key_normalize,
        "missing_policy": options.missing_policy,
        **joined.summary,
        "run_provenance": run_provenance(
            argv=join_argv(entry),
            args=entry.as_json(),
            inputs=joined.described,
            outputs=outputs,
        ),
    }


def _argument(spelled: str | JsonObject) -> str:
    """An entry as the value of a flag."""
    return spelled if isinstance(spelled, str) else jsontext.canonical(spelled).decode("ascii")


def join_argv(entry: TableEntry) -> list[str]:
    """The command that rebuilds the table when it is run from the base folder."""
    argv = ["second-opinion", "join", "--features", _argument(entry.features.as_json())]
    for sidecar in entry.scores:
        argv += ["--scores", _argument(sidecar.as_json())]
    argv += ["--out", entry.out]
    if entry.audit_json is not None:
        argv += ["--audit-json", entry.audit_json]
    given = entry.options.as_json()
    for option in OPTIONS:
        value = given.get(option.name)
        if value is True:
            argv.append(option.flag)
        elif isinstance(value, list):
            for each in value:
                argv += [option.flag, each]
        elif value != option.default:
            argv += [option.flag, str(value)]
    if declared := entry.as_json().get("scorers"):
        argv += ["--declare", jsontext.canonical(declared).decode("ascii")]
    return argv
