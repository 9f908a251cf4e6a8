"""One table: its rows with five columns per scorer, and the counts of its audit; or why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.oracle import keys
from tests.support.oracle.explanation import case_rows, low_match
from tests.support.oracle.faults import Fault, RefusedError, raise_any
from tests.support.oracle.scores import Score, slug
from tests.support.oracle.sharing import shared
from tests.support.oracle.sidecars import as_object, labels_of, read_sidecar
from tests.support.oracle.tables import Table, as_kind, as_text, key_column_of, kind_of, read_features
from tests.support.oracle.texts import format_of

DEFAULTS: dict[str, Any] = {
    "key_column": None,
    "score_key_field": None,
    "score_field": None,
    "key_normalize": "auto",
    "key_regex": None,
    "score_key_regex": None,
    "missing_policy": "mark",
    "min_coverage": 0.0,
    "prefix": "second_opinion",
    "overwrite": False,
}
Scorers = dict[str, list[Score]]


@dataclass
class Joined:
    """What comes of a batch: the rows as they stand in `out`, and what the audit counts."""

    columns: list[str]
    rows: list[dict[str, Any]]
    audit: dict[str, Any]


def joined(
    folder: Path,
    features: str | Mapping[str, Any],
    scores: Sequence[str | Mapping[str, Any]],
    out: str,
    given: Mapping[str, Any],
) -> Joined:
    """Join by nested loops.

    :raises RefusedError: the batch must not be joined; with every fault of which one may be told.
    """
    options = DEFAULTS | dict(given)
    entries = [as_object(each, folder) for each in scores]
    raise_any(Fault("UsageError", says) for says in unusable(features, entries, out, options))
    table, scorers = read_all(folder, features, entries, options)
    column = key_column_of(table, options["key_column"])
    raw = [keys.text(row.get(column)) for row in table.rows]
    wanted = [keys.comparable(key, column, options["key_normalize"], options["key_regex"]) for key in raw]
    lookups, doubled = looked_up_by_key(scorers)
    audit = {
        "key_column": column,
        "key_normalize": options["key_normalize"],
        "missing_policy": options["missing_policy"],
        "input_rows": len(table.rows),
        "competitors": {label: counted(label, lookups[label], wanted, options) for label in sorted(lookups)},
    }
    refused = 0
    for label, counts in audit["competitors"].items():
        counts["shared_rows"], conflicts = shared(
            raw, column, scorers[label], options, options["key_normalize"]
        )
        refused += conflicts
        if differing := case_rows(wanted, lookups[label]):
            counts["case_rows"] = differing
        if notes := sorted({score.note for score in scorers[label] if score.note}):
            counts["notes"] = notes
        if scorers[label] and all(score.bad for score in scorers[label]):
            counts["bad_statuses"] = most_frequent(score.status for score in scorers[label])
        if (low := low_match(raw, column, scorers[label], options)) is not None:
            counts["low_match"] = low
    kept = [row for row, key in enumerate(wanted) if stays(key, lookups, options["missing_policy"])]
    audit["output_rows"] = len(kept)
    planned = [f"{options['prefix']}_{slug(label)}_{each}" for label in sorted(lookups) for each in FIVE]
    problems = [*shared_slugs(lookups), *doubled, *taken(table, planned, column, options)]
    if refused and not doubled:
        problems.append(Fault("JoinError", "rows would get the scores of other clips"))
    elif not doubled:
        problems += uncovered(audit["competitors"].values(), len(wanted), options)
    kind = str(kind_of(out))
    try:
        rows = as_kind(table, kind, column)
    except RefusedError as refused:
        problems += refused.faults
    raise_any(problems)
    extras = [appended_to(wanted[row], lookups, options["prefix"], kind) for row in kept]
    whole = [{**rows[row], **extra} for row, extra in zip(kept, extras, strict=True)]
    # A column of objects is there only if one of them has it.
    columns = [*table.columns, *planned] if kind != "json" else [name for row in whole for name in row]
    return Joined(list(dict.fromkeys(columns)), whole, audit)


FIVE = ("score", "status", "runtime_ms", "frames", "source")


def unusable(
    features: str | Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    out: str,
    options: Mapping[str, Any],
) -> Iterator[str]:
    """What is wrong with the arguments, before any file is read."""
    if kind_of(out) is None or out == (features if isinstance(features, str) else features["path"]):
        yield out
    if not 0 <= options["min_coverage"] <= 1:
        yield "min_coverage"
    for name in ("key_regex", "score_key_regex"):
        if options[name] is not None and not keys.regex_is_usable(options[name]):
            yield name
    for entry in entries:
        if not entry["path"] or (
            "*" not in entry["path"] and not format_of(entry["path"], entry.get("format"))
        ):
            yield str(entry["path"])
        if entry.get("label") is not None and not slug(entry["label"]):
            yield "label"
        if "key_from" in entry and "key_field" in entry:
            yield "key_from"
        yield from unusable_fields(entry)
        if "score_fields" in entry and ("score_field" in entry or not all(map(slug, entry["score_fields"]))):
            yield "score_fields"


def unusable_fields(entry: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the fields that an entry sets, and with what it says of delimited text."""
    if "[]" in entry.get("key_field", ""):
        yield "key_field"
    for field in [entry.get("score_field", ""), *entry.get("score_fields", {}).values()]:
        if sum(step.endswith("[]") for step in field.split(".")) > 1:
            yield "score_field"
    is_text = format_of(entry["path"], entry.get("format")) in ("csv", "tsv", None)
    for name in ("delimiter", "decimal", "columns"):
        if entry.get(name) and not is_text:
            yield name
    if len(set(entry.get("columns", ()))) < len(entry.get("columns", ())):
        yield "columns"


def read_all(
    folder: Path,
    features: str | Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
) -> tuple[Table, Scorers]:
    """The table, and the scores by label in the order of the sidecars.

    :raises RefusedError: with the faults of every input.
    """
    problems: list[Fault] = []
    scorers: Scorers = {}
    table = Table("json", [], [])
    try:
        table = read_features(folder, features)
        key_column_of(table, options["key_column"])
    except RefusedError as refused:
        problems += refused.faults
    for entry in entries:
        try:
            read = read_sidecar(entry, folder, options)
        except RefusedError as refused:
            problems += refused.faults
            continue
        for score in read:
            scorers.setdefault(score.label, []).append(score)
        for label in labels_of(entry):
            # A row may spell the label in other letters; without a row the label is all that is known.
            if not any(slug(score.label) == slug(label) for score in read):
                scorers.setdefault(label, [])
    raise_any(problems)
    return table, scorers


def most_frequent(statuses: Iterable[str]) -> list[dict[str, Any]]:
    """Up to five statuses with the numbers of their rows."""
    counts = Counter(statuses)
    ranked = sorted(counts, key=lambda status: (-counts[status], status))
    return [{"status": status, "rows": counts[status]} for status in ranked[:5]]


def looked_up_by_key(scorers: Scorers) -> tuple[dict[str, dict[str, Score]], list[Fault]]:
    """The scores of each scorer by key, and the scorers that have two for one."""
    lookups = {label: {score.key: score for score in scores} for label, scores in scorers.items()}
    doubled = []
    for label, scores in scorers.items():
        again = len(scores) - len(lookups[label])
        if again:
            doubled.append(Fault("SidecarError", f"{label!r}: {again} rows for keys that already have one"))
    return lookups, doubled


def counted(
    label: str, lookup: Mapping[str, Score], wanted: Sequence[str | None], options: Mapping[str, Any]
) -> dict[str, Any]:
    """What the audit says of a scorer."""
    matched = [key for key in wanted if key in lookup]
    bad = sum(lookup[key].bad for key in matched if key is not None)
    return {
        "competitor": label,
        "column_prefix": f"{options['prefix']}_{slug(label)}",
        "scores_loaded": len(lookup),
        "matched_rows": len(matched) - bad,
        "missing_rows": len(wanted) - len(matched),
        "bad_rows": bad,
        "unused_scores": len(set(lookup) - set(matched)),
    }


def stays(key: str | None, lookups: Mapping[str, Mapping[str, Score]], policy: str) -> bool:
    """Whether a row is part of the joined table."""
    return policy != "drop" or all(key in lookup for lookup in lookups.values())


def shared_slugs(labels: Iterable[str]) -> list[Fault]:
    """Scorers whose columns would have the same names."""
    times = Counter(slug(label) for label in labels)
    return [Fault("JoinError", f"the columns of {name}") for name, met in times.items() if met > 1]


def taken(table: Table, planned: Sequence[str], column: str, options: Mapping[str, Any]) -> list[Fault]:
    """Planned columns that the feature table has already."""
    if column in planned:
        return [Fault("JoinError", "is the key and would be overwritten")]
    already = [name for name in table.columns if name in planned]
    if not already or options["overwrite"]:
        return []
    return [Fault("JoinError", f"the feature table has {len(already)} of the columns")]


def uncovered(counts: Iterable[Mapping[str, Any]], rows: int, options: Mapping[str, Any]) -> list[Fault]:
    """Scorers that match too little of a table that has rows."""
    counts = list(counts)
    low = 0
    for each in counts:
        matched = rows - each["missing_rows"]
        too_few = matched == 0 or matched / rows < options["min_coverage"] if rows else False
        low += too_few or (matched < rows and options["missing_policy"] == "fail")
    return [Fault("JoinError", f"{low} of {len(counts)} scorers do not cover")] if low else []


def appended_to(
    key: str | None, lookups: Mapping[str, Mapping[str, Score]], prefix: str, kind: str
) -> dict[str, Any]:
    """The columns that a row receives, as they stand in a file of that kind."""
    extra: dict[str, Any] = {}
    for label in sorted(lookups):
        found = None if key is None else lookups[label].get(key)
        values = (
            (None, "missing", None, 0, "")
            if found is None
            else (found.score, "bad" if found.bad else "ok", found.runtime_ms, found.frames, found.source)
        )
        for name, value in zip(FIVE, values, strict=True):
            extra[f"{prefix}_{slug(label)}_{name}"] = as_text(value) if kind == "text" else value
    return extra
