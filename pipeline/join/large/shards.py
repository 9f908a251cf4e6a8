"""A table in shards: each shard is joined by itself, and the whole is judged before its index is written.

::

    join_shard      features of one shard, prepared scores ──▶ one joined file
    index_shards    keys of all shards, prepared scores ──▶ the table's coverage and policies ──▶ index, audit
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...manifest.entries import FEATURES, TableEntry
from ...manifest.shards import Shard
from ...records.materialized import Materialized, Remarks, TableSummary
from ...records.provenance import fingerprint, run_provenance
from ...records.snapshots import of_written
from ...records.versions import SEMANTICS_VERSION, versions
from ...storage import filenames, files, jsontext, writing
from ...storage.files import FileDescription
from ...storage.jsontext import JsonObject
from ...storage.locations import Location, located
from ..matching import MatchedTable, Progress
from ..materialize import Commit, ScoreSource, materialize_entry
from ..sidecars.read import read_sidecar
from .features import ShardedFeatures, open_shard
from .matching import PreparedMatching
from .pieces import indexed, match_in_pieces
from .prepared import Prepared
from .spool import SpooledTable

SCHEMA = "second-opinion-shards-v1"


def join_shard(
    entry: TableEntry,
    shard: Shard,
    base: Location,
    scores: Prepared,
    folder: Path,
    progress: Progress,
    commit: Commit,
) -> Materialized:
    """Join one shard of a table.

    :param folder: where positions are kept.
    :raises BatchError: the features are missing or faulty, or the file cannot be written.
    """
    own = entry.of_shard(shard)
    read = functools.partial(open_shard, entry, shard, base)
    matching = PreparedMatching(own, own.features.path, read, scores, folder, is_part=True)
    return materialize_entry(own, base, progress, commit, ScoreSource(matching, scores.sidecars))


def index_shards(
    entry: TableEntry,
    base: Location,
    scores: Prepared,
    built: Mapping[str, Materialized],
    folder: Path,
    progress: Progress,
    commit: Commit,
    argv: Sequence[str],
) -> Materialized:
    """Judge a table whose shards are joined, and write its index and its audit.

    :param built: the record of each shard, by its name.
    :param commit: called before the index takes its name; it raises if a shard is not up to date any more.
    :param folder: where positions are kept.
    :param argv: the command that makes the table, for its audit.
    :raises JoinError: the scores do not cover the table as its options demand, or belong to other clips.
    :raises TableError: the columns of two shards differ.
    """
    features = ShardedFeatures(entry, base)
    rows = sum(shard.summary["input_rows"] for shard in built.values())
    side = features.side(entry.options.key_regex)
    found = match_in_pieces(
        side,
        scores.scorers,
        entry.options,
        folder,
        lambda done: progress(f"matched {done} of {rows} rows", 0.9 * done / max(1, rows)),
    )
    matched = MatchedTable(features, found, entry.scorers, entry.features.path)
    matched.check()
    return _Index(entry, base, scores, built, matched, argv).written(commit)


def match_shards(entry: TableEntry, base: Location) -> MatchedTable:
    """The scores matched onto all shards, without writing anything that lasts and without judging them.

    :raises BatchError: an input is missing or faulty, keys collide, or the shards' columns differ.
    """
    folder = filenames.scratch_folder(f"preview {base}")
    writing.make_folder(folder)
    features = ShardedFeatures(entry, base)
    spool = functools.partial(SpooledTable, folder)
    scores = [found for each in entry.scores for found in read_sidecar(each, base, entry.options, spool)]
    side = features.side(entry.options.key_regex)
    found = match_in_pieces(side, indexed(scores, folder), entry.options, folder)
    return MatchedTable(features, found, entry.scorers, entry.features.path)


class _Index:
    """The index of a table whose shards are joined and judged."""

    def __init__(
        self,
        entry: TableEntry,
        base: Location,
        scores: Prepared,
        built: Mapping[str, Materialized],
        matched: MatchedTable,
        argv: Sequence[str],
    ) -> None:
        self._entry, self._base, self._matched, self._built = entry, base, matched, built
        self._argv = [*argv]
        self._inputs: dict[str, FileDescription] = {}
        self._outputs: dict[str, FileDescription] = {}
        self._seen = {role: taken.as_record() for role, taken in scores.sidecars.items()}
        for name, shard in built.items():
            self._inputs[f"{FEATURES}/{name}"] = shard.inputs[FEATURES]
            self._outputs[f"out/{name}"] = shard.outputs["out"]
            roles = {FEATURES: f"{FEATURES}/{name}", "out": f"out/{name}"}
            # a run that was killed before a file took its name has recorded nothing of it
            self._seen |= {roles[role]: taken for role, taken in shard.seen.items() if role in roles}
        for role, path in entry.inputs(base):
            if role in scores.sidecars:
                self._inputs[role] = files.describe(path, base, scores.sidecars[role].sha256)

    def written(self, commit: Commit) -> Materialized:
        """Write the index and the audit; gives the table's record."""
        targets = {
            role: path for role, path in self._entry.outputs(self._base) if role in ("out", "audit_json")
        }
        with writing.replacing(*targets.values()) as created:
            for new, (role, path) in zip(created, targets.items(), strict=True):
                new.write(jsontext.pretty(self._index() if role == "out" else self._audit()))
                name = filenames.relative(path, self._base)
                self._outputs[role] = {"path": name, "exists": True, "kind": "file", "sha256": new.sha256}
            commit(self._materialized())
        for new, role in zip(created, targets, strict=True):
            self._seen[role] = of_written(new).as_record()
        return self._materialized()

    def _materialized(self) -> Materialized:
        order = ["out", *(role for role in self._outputs if role != "out")]
        return Materialized(
            fingerprint=self._fingerprint,
            semantics=SEMANTICS_VERSION,
            entry=self._entry.as_json(),
            summary=self._summary,
            inputs=self._inputs,
            outputs={role: self._outputs[role] for role in order if role in self._outputs},
            versions=versions(),
            seen=self._seen,
        )

    @functools.cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self._entry, {role: each["sha256"] for role, each in self._inputs.items()})

    @functools.cached_property
    def _summary(self) -> TableSummary:
        found = self._matched.found
        return {
            **self._remarks(),
            "input_rows": found.rows,
            "output_rows": self._matched.output_rows,
            "competitors": {each["competitor"]: each for each in self._matched.covered},
        }

    def _remarks(self) -> Remarks:
        """What the shards say of themselves, each thing once."""
        together: Remarks = {}
        for shard in self._built.values():
            for name in ("notes", "dropped_metadata", "changed_types"):
                for each in shard.summary.get(name, []):  # type: ignore[attr-defined]  # lists
                    held = together.setdefault(name, [])  # type: ignore[misc]  # its fields
                    if each not in held:
                        held.append(each)
        return together

    def _index(self) -> JsonObject:
        return {
            "schema": SCHEMA,
            "fingerprint": self._fingerprint,
            **self._summary,
            "shards": {
                name: {
                    "input_rows": shard.summary["input_rows"],
                    "output_rows": shard.summary["output_rows"],
                    "out": shard.outputs["out"]["path"],
                    "features": shard.inputs[FEATURES]["sha256"],
                    "sha256": shard.outputs["out"]["sha256"],
                }
                for name, shard in self._built.items()
            },
        }

    def _audit(self) -> JsonObject:
        entry, options = self._entry, self._entry.options
        return {
            "feature_table": entry.features.path,
            "output": filenames.relative(located(self._base, entry.target), self._base),
            **self._matched.features.described_key,
            "key_normalize": options.key_normalize,
            "missing_policy": options.missing_policy,
            **self._summary,
            "run_provenance": run_provenance(
                argv=self._argv, args=entry.as_json(), inputs=self._inputs, outputs=dict(self._outputs)
            ),
        }
