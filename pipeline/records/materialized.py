"""The record of one joined table: its inputs, outputs and coverage."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import NotRequired, TypedDict

from pipeline.errors import count, show
from pipeline.records.snapshots import Record, Snapshot
from pipeline.storage.files import FileDescription
from pipeline.storage.jsontext import JsonObject


class LowMatch(TypedDict, total=False):
    """Details of a low match: up to five unmatched keys of each side, and the rule that would match more rows."""

    unmatched_feature_keys: list[str]
    unmatched_score_keys: list[str]
    better_key_normalize: str
    better_matched_rows: int


class OutsideScore(TypedDict):
    """A score outside the declared scale of its scorer; `key` is the comparable key."""

    key: str
    score: float


class OutsideScale(TypedDict):
    """The number of `ok` scores outside the declared scale of their scorer, and up to five of them."""

    scores: int
    examples: list[OutsideScore]


class BadStatus(TypedDict):
    """A status other than ok, and the number of rows of the scorer that have it."""

    status: str
    rows: int


class Coverage(TypedDict, total=False):
    """The coverage of a table by one scorer. Each row of the feature table is matched, missing or bad.

    `scores_loaded` counts the keys of the scorer, `unused_scores` those that no row has. `shared_rows` counts rows that
    share a score with a row of another key. `case_rows` counts missing rows that would match if letter case were
    ignored; it is left out if there are none. `direction`, `scale` and `revision` are as declared, or left out.
    `bad_statuses` holds up to five statuses, the most frequent first; it is left out unless all rows of the scorer are
    bad. `notes` names what was recognised in its files; it is left out if nothing was.
    """

    competitor: str
    column_prefix: str
    scores_loaded: int
    matched_rows: int
    missing_rows: int
    bad_rows: int
    unused_scores: int
    shared_rows: int
    case_rows: int
    bad_statuses: list[BadStatus]
    notes: list[str]
    low_match: LowMatch
    direction: str
    scale: list[float]
    revision: str
    outside_scale: OutsideScale


class ChangedType(TypedDict):
    """A column whose logical type in Parquet changes in the joined table, because Arrow does not know it."""

    column: str
    before: str
    after: str


class Remarks(TypedDict):
    """Remarks on a table in addition to its counts; empty members are left out.

    Attributes:
        notes: settings of its feature table that were recognised rather than set.
        dropped_metadata: keys of Parquet metadata entries that describe columns in an unknown form.
        changed_types: columns whose type changes in the joined Parquet table.
    """

    notes: NotRequired[list[str]]
    dropped_metadata: NotRequired[list[str]]
    changed_types: NotRequired[list[ChangedType]]


class TableSummary(Remarks):
    """The counts of one joined table."""

    input_rows: int
    output_rows: int
    competitors: dict[str, Coverage]


@dataclass(frozen=True)
class Materialized:
    """One joined table and what it was built from.

    Attributes:
        fingerprint: the identity of the table, see `provenance.fingerprint`.
        semantics: version of the join's semantics that built it.
        entry: what was requested, see `TableEntry.as_json`.
        summary: rows in and out and the coverage per scorer.
        inputs: the files that were read, by role, with their digests.
        outputs: the files that were written, by role, with their digests.
        versions: the versions that built it.
        seen: the snapshot of each input and output, by role; not part of the table's identity, and in no report.
    """

    fingerprint: str
    semantics: int
    entry: JsonObject
    summary: TableSummary
    inputs: dict[str, FileDescription]
    outputs: dict[str, FileDescription]
    versions: dict[str, str]
    seen: dict[str, Record] = field(compare=False)

    def snapshot(self, role: str) -> Snapshot | None:
        """The last snapshot of the file of that role."""
        return Snapshot.from_record(self.seen[role]) if role in self.seen else None

    def as_json(self) -> JsonObject:
        """The record as a JSON object."""
        return asdict(self)


def covered_line(covered: Coverage) -> str:
    """The coverage of one scorer in one line, in rows of the table; `unused` counts its keys that no row has.

    `shared`, if not 0, counts rows that share a score with a row of another key.
    """
    line = (
        f"{covered['competitor']}: {covered['matched_rows']} matched, {covered['missing_rows']} missing, "
        f"{covered['bad_rows']} bad, {covered['unused_scores']} unused"
    )
    return f"{line}, {covered['shared_rows']} shared" if covered["shared_rows"] else line


def explain(covered: Coverage) -> list[str]:
    """Explanations of the counts: why few rows match, and which scores are outside the scale."""
    return [
        *_explain_low_match(covered),
        *_explain_case(covered),
        *explain_scale(covered),
        *explain_files(covered),
    ]


def explain_scale(covered: Coverage) -> list[str]:
    """Scores outside the declared scale in words; nothing if there are none."""
    outside = covered.get("outside_scale")
    if not outside or not outside["scores"]:
        return []
    low, high = covered["scale"]
    shown = ", ".join(f"{show(each['key'])} {each['score']:g}" for each in outside["examples"])
    return [f"{count(outside['scores'], 'score')} outside the declared scale {low:g} to {high:g}: {shown}"]


def explain_files(covered: Coverage) -> list[str]:
    """What was recognised in a scorer's files, and why all of its rows are bad if they are."""
    notes = covered.get("notes", [])
    statuses = covered.get("bad_statuses")
    if not statuses:
        return notes
    shown = ", ".join(f"{show(each['status'])} ({count(each['rows'], 'row')})" for each in statuses)
    return [
        *notes,
        f"every row is bad: found the status {shown}; a scorer that did not fail says ok, pass, success or nothing",
    ]


def _explain_case(covered: Coverage) -> list[str]:
    rows = covered.get("case_rows", 0)
    if not rows:
        return []
    return [
        f"{count(rows, 'row')} more would match if letter case were ignored; spell the keys of both sides alike"
    ]


def explain_losses(summary: Remarks) -> list[str]:
    """What the table does not keep unchanged, in words."""
    return [
        *(
            f"metadata entry {show(key)} left out: it described the columns without the new ones"
            for key in summary.get("dropped_metadata", ())
        ),
        *(
            f"column {show(each['column'])}: its Parquet type {each['before']} has become {each['after']}"
            for each in summary.get("changed_types", ())
        ),
    ]


def _explain_low_match(covered: Coverage) -> list[str]:
    low = covered.get("low_match")
    if low is None:
        return []
    explained = [
        f"unmatched keys of the feature table: {', '.join(map(show, low['unmatched_feature_keys'])) or 'none'}",
        f"unmatched keys of the sidecar: {', '.join(map(show, low['unmatched_score_keys'])) or 'none'}",
    ]
    if "better_key_normalize" in low:
        better = f"key_normalize {low['better_key_normalize']} would match {low['better_matched_rows']} rows"
    else:
        better = (
            "no other key_normalize matches more; key_regex or score_key_regex can take a common part out"
        )
    return [*explained, better]
