"""One table: read, join, write, audit.

::

    features ──open_table──▶ keys ─┐
    scores ──read_sidecar────────▶ find ─▶ match ─▶ check ─▶ append ─▶ create_table ──▶ out, audit

Sidecars are read and their rows found in threads of their own, beside the digests of all inputs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import coverage, files, join, jsontext, keys
from pipeline.crew import Crew
from pipeline.entries import FEATURES, ScoreEntry, TableEntry, option_faults
from pipeline.errors import BatchError, InputError, UsageError, listing
from pipeline.files import FileDescription, Hash, Signature
from pipeline.join import Found, Match
from pipeline.options import OPTIONS, JoinOptions, JsonObject
from pipeline.outcome import Materialized, TableSummary
from pipeline.places import Places
from pipeline.provenance import SEMANTICS_VERSION, fingerprint, run_provenance, versions
from pipeline.sidecars import read_sidecar
from pipeline.snapshots import Snapshot, check_unchanged, of_written, snapshot, snapshot_and_start
from pipeline.tables import FeatureTable, create_table, open_table
from pipeline.tables.base import rows_in, take_rows

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done of the whole table (0 to 1)."""

Commit = Callable[[Materialized], None]
"""Called once the outputs are written and before they take their names: from then on they may stand."""


def materialize(
    features: str | os.PathLike[str],
    scores: Iterable[str | Mapping[str, Any] | ScoreEntry],
    out: str | os.PathLike[str],
    *,
    audit_json: str | os.PathLike[str] | None = None,
    options: JoinOptions | None = None,
    base_dir: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Materialized:
    """Join the scores of sidecars onto a feature table.

    :param features: the feature table; paths are relative to `base_dir`.
    :param scores: the sidecars: `PATH`, `LABEL=PATH`, or the object that a manifest may hold.
    :param out: the joined table; its extension decides the format.
    :param audit_json: the table's audit; None: none is written.
    :param options: how to join; None: the defaults.
    :raises UsageError: the arguments cannot be used.
    :raises BatchError: an input is missing or faulty, the join would be wrong, an output cannot be written.
    """
    base = Path(base_dir)
    entry = TableEntry(
        features=os.fspath(features),
        scores=tuple(each if isinstance(each, ScoreEntry) else ScoreEntry.of(each, base) for each in scores),
        out=os.fspath(out),
        audit_json=None if audit_json is None else os.fspath(audit_json),
        options=options or JoinOptions(),
    )
    places = Places()
    entry.claim(places, base)
    faults = [fault.removeprefix(".") for fault in entry.faults()]
    if faults := [*faults, *option_faults(entry.options.as_json()), *places.clashes()]:
        raise UsageError(listing("the table cannot be joined like this; nothing was written", faults))
    files.sweep(path for _, path in entry.outputs(base))
    return materialize_entry(entry, base, progress)


def materialize_entry(
    entry: TableEntry, base: Path, progress: Progress | None = None, commit: Commit | None = None
) -> Materialized:
    """`materialize` for an entry that has been checked.

    :raises BatchError: as `materialize`.
    """
    tell = progress or (lambda _doing, _share: None)
    targets = dict(entry.outputs(base))
    with _enough_memory(entry):
        joined = _join(entry, base, tell)
        with files.replacing(*targets.values()) as temporaries:
            outputs = _write(temporaries, entry, base, joined, tell)
            made = joined.materialized(entry, outputs, {})
            if commit is not None:
                commit(made)
    written = {role: of_written(path, outputs[role]["sha256"]) for role, path in targets.items()}
    return joined.materialized(entry, outputs, written)


@contextlib.contextmanager
def _enough_memory(entry: TableEntry) -> Iterator[None]:
    """:raises BatchError: Python or pyarrow was refused the memory that the table needs, however much that is."""
    try:
        yield
    except MemoryError as exc:
        raise BatchError(
            f"{entry.out}: not enough memory to join this table; what it needs is not known"
        ) from exc


@dataclass(frozen=True)
class _Joined:
    """A table that is ready to be written."""

    fingerprint: str
    inputs: dict[str, Snapshot]
    signatures: dict[str, Signature]
    data: Hash | None
    described: dict[str, FileDescription]
    features: FeatureTable
    found: Match
    appended: pa.Schema
    summary: TableSummary

    def materialized(
        self, entry: TableEntry, outputs: dict[str, FileDescription], written: dict[str, Snapshot]
    ) -> Materialized:
        """What the table is, once its outputs are written."""
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


def _join(entry: TableEntry, base: Path, tell: Progress) -> _Joined:
    """Read the inputs and match them; everything that can be refused is refused here."""
    paths = dict(entry.inputs(base))
    signatures = {role: files.signature(path) for role, path in paths.items()}
    comparable: Future[pa.Array] = Future()

    def read_and_find(sidecar: ScoreEntry) -> list[Found]:
        scores = read_sidecar(sidecar, base, entry.options)
        return [join.find(comparable.result(), each) for each in scores]

    with Crew() as crew, _passing_on_errors(comparable):
        reading = [crew.begin(read_and_find, sidecar) for sidecar in entry.scores]
        digesting = {role: crew.begin(snapshot, path) for role, path in paths.items() if role != FEATURES}
        features = open_table(base / entry.features, entry.options.key_column)
        copied = crew.begin(snapshot_and_start, base / entry.features, features.data_bytes)
        checking = crew.begin(features.check_data)
        side = keys.Side(features.key_column, entry.options.key_regex, features.keys)
        comparable.set_result(side.under(entry.options.key_normalize))
        found = join.match(side, comparable.result(), _sidecars(entry, reading, tell), entry.options)
        checking.result()
        taken, data = copied.result()
        inputs = {role: taken if role == FEATURES else digesting[role].result() for role in paths}
    covered = coverage.coverage(found)
    coverage.check(found, covered)
    appended = join.appended_schema(found.scorers, entry.options)
    join.check_columns(features.columns, appended, entry.options, features.key_column)
    return _Joined(
        fingerprint=fingerprint(entry, {role: taken.sha256 for role, taken in inputs.items()}),
        inputs=inputs,
        signatures=signatures,
        data=data if found.kept is None else None,
        described={role: files.describe(paths[role], base, taken.sha256) for role, taken in inputs.items()},
        features=features,
        found=found,
        appended=appended,
        summary={
            "input_rows": found.rows,
            "output_rows": found.rows if found.kept is None else found.kept.true_count,
            "competitors": {each["competitor"]: each for each in covered},
        },
    )


@contextlib.contextmanager
def _passing_on_errors(result: Future[Any]) -> Iterator[None]:
    """Whoever waits for the result ends with the error that keeps it from coming."""
    try:
        yield
    except BaseException as exc:
        if not result.done():
            result.set_exception(exc)
        raise


def _sidecars(entry: TableEntry, reading: Iterable[Future[list[Found]]], tell: Progress) -> Iterator[Found]:
    for index, (sidecar, found) in enumerate(zip(entry.scores, reading, strict=True)):
        tell(f"reading {sidecar.path}", 0.1 + 0.3 * index / len(entry.scores))
        yield from found.result()
    tell("matching keys", 0.4)


def _write(
    temporaries: list[Path], entry: TableEntry, base: Path, joined: _Joined, tell: Progress
) -> dict[str, FileDescription]:
    """Write the outputs under temporary names; describes them under their own, as they were written."""
    sha256 = _write_table(temporaries[0], entry, joined, tell)
    paths = dict(entry.inputs(base))
    if paths.keys() != joined.inputs.keys():
        raise InputError(f"{entry.out}: files came or went below a pattern of scores; run again")
    for role, path in paths.items():
        check_unchanged(path, joined.signatures[role])
    described: dict[str, FileDescription] = {}
    for temporary, (role, path) in zip(temporaries, entry.outputs(base), strict=True):
        if role == "audit_json":
            temporary.write_bytes(jsontext.pretty(_audit(entry, base, joined, described)))
            sha256 = None
        described[role] = {**files.describe(temporary, base, sha256), "path": files.relative(path, base)}
    return described


def _write_table(path: Path, entry: TableEntry, joined: _Joined, tell: Progress) -> str | None:
    found, features = joined.found, joined.features
    start = 0
    name = Path(entry.out).name
    with create_table(path, name, features, joined.appended, joined.fingerprint, data=joined.data) as sink:
        for chunk in features.chunks(sink.form):
            length = rows_in(chunk)
            appended = join.append(found, start, length)
            if found.kept is not None:
                keep = found.kept.slice(start, length)
                chunk, appended = take_rows(chunk, keep), appended.filter(keep)
            sink.write(chunk, appended)
            start += length
            tell(f"written {start} of {found.rows} rows", 0.45 + 0.5 * start / found.rows)
    return sink.sha256


def _audit(entry: TableEntry, base: Path, joined: _Joined, outputs: dict[str, FileDescription]) -> JsonObject:
    """The audit of a table, which says what it was made of and what each scorer covers."""
    options = entry.options
    return {
        "feature_table": files.relative(base / entry.features, base),
        "output": files.relative(base / entry.out, base),
        "key_column": joined.features.key_column,
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


def join_argv(entry: TableEntry) -> list[str]:
    """The command that makes the table again, run from the base folder."""
    argv = ["second-opinion", "join", "--features", entry.features]
    for sidecar in entry.scores:
        spelled = sidecar.as_json()
        argv += [
            "--scores",
            spelled if isinstance(spelled, str) else jsontext.canonical(spelled).decode("ascii"),
        ]
    argv += ["--out", entry.out]
    if entry.audit_json is not None:
        argv += ["--audit-json", entry.audit_json]
    given = entry.options.as_json()
    for option in OPTIONS:
        value = given[option.name]
        if value is True:
            argv.append(option.flag)
        elif value != option.default:
            argv += [option.flag, str(value)]
    return argv
