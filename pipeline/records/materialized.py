"""One joined table: what it was built from, what each scorer covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import NotRequired, TypedDict

from pipeline.errors import count, show
from pipeline.records.snapshots import Record, Snapshot
from pipeline.storage.files import FileDescription
from pipeline.storage.jsontext import JsonObject


class LowMatch(TypedDict, total=False):
    """Why few rows match: up to five unmatched keys of each side, and the rule that would match more rows."""

    unmatched_feature_keys: list[str]
    unmatched_score_keys: list[str]
    better_key_normalize: str
    better_matched_rows: int


class OutsideScore(TypedDict):
    """A score outside the declared scale of its scorer; `key` is the comparable key."""

    key: str
    score: float


class OutsideScale(TypedDict):
    """How many `ok` scores of a scorer are outside its declared scale, and up to five of them."""

    scores: int
    examples: list[OutsideScore]


class BadStatus(TypedDict):
    """A status that is not ok, and how many rows of the scorer have it."""

    status: str
    rows: int


class Coverage(TypedDict, total=False):
    """What one scorer covers, in rows of the feature table: matched, missing and bad rows together are all of them.

    `scores_loaded` and `unused_scores` count keys of the scorer, the latter those that no row has. `shared_rows` share
    a score with a row of another key. `case_rows` are missing rows that would match if letter case were ignored; left out
    if there are none. `direction`, `scale`, `revision` are as declared, or left out. `bad_statuses` are up to five
    statuses, the most frequent first; left out unless all rows of the scorer are bad. `notes` are what was recognised
    in its files; left out if nothing was.
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
    """Remarks on a table beside its counts; empty members are left out.

    Attributes:
        notes: how its features were read, where that was recognised and not set.
        dropped_metadata: keys of Parquet metadata entries that described the columns, in a form that is not known.
        changed_types: columns that the joined Parquet table does not keep as they were.
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
        seen: per role of an input or output, the snapshot of its file; not part of the table's identity, and in no report.
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
        """How the file of that role was last seen."""
        return Snapshot.from_record(self.seen[role]) if role in self.seen else None

    def as_json(self) -> JsonObject:
        """Everything, as JSON takes it."""
        return asdict(self)


def covered_line(covered: Coverage) -> str:
    """What one scorer covers, in rows of the table; `unused` counts its keys that no row has.

    `shared` rows, if there are any, have a score that a row of another key has as well.
    """
    line = (
        f"{covered['competitor']}: {covered['matched_rows']} matched, {covered['missing_rows']} missing, "
        f"{covered['bad_rows']} bad, {covered['unused_scores']} unused"
    )
    return f"{line}, {covered['shared_rows']} shared" if covered["shared_rows"] else line


def explain(covered: Coverage) -> list[str]:
    """Explanations beyond the counts: why few rows match, which scores are outside the scale."""
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
    """What was recognised in a scorer's files, and why all of its rows are bad, if they are."""
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
