"""What changed between two batches: tables, options, inputs, versions, coverage, statuses, and the drift of scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import BatchError, UsageError
from ..join import keys
from ..records.materialized import Coverage
from ..storage.jsontext import JsonObject
from ..storage.locations import Location
from .build import TableReport
from .drift import Drift, drift
from .opened import OpenedBatch, OpenedTable
from .reading import ReportFile, read_report

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIDES = (" old", " new")
_COUNTS = ("matched_rows", "missing_rows", "bad_rows", "unused_scores", "shared_rows")


@dataclass(frozen=True)
class Change:
    """A value in the old batch and in the new one; None: the batch does not have it."""

    old: Any
    new: Any


@dataclass(frozen=True)
class ScorerChange:
    """What changed of one scorer in one table.

    Attributes:
        coverage: the changed counts and the changed declarations, by name.
        statuses: number of rows per change of status, such as `ok to bad`.
        drift: how the scores moved; None: only one of the two tables has the scorer, or the tables are equal byte for
            byte.
    """

    coverage: dict[str, Change] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    drift: Drift | None = None

    @property
    def is_equal(self) -> bool:
        """True if nothing changed."""
        return not (self.coverage or self.statuses or (self.drift is not None and self.drift.moved))


@dataclass(frozen=True)
class TableChange:
    """What changed of one table.

    Attributes:
        options: the join options that changed, by name.
        inputs: the digests of the inputs that changed, by role; None: the batch has no such input.
        versions: the versions that changed, by package.
        rows: the number of rows; None: it is the same.
        rows_in_both: number of rows that both tables have, paired by key, and among equal keys by order; None: not
            counted, because the tables are equal byte for byte.
        scorers: the scorers that changed, by label.
    """

    options: dict[str, Change] = field(default_factory=dict)
    inputs: dict[str, Change] = field(default_factory=dict)
    versions: dict[str, Change] = field(default_factory=dict)
    rows: Change | None = None
    rows_in_both: int | None = None
    scorers: dict[str, ScorerChange] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """True if nothing changed."""
        changed = self.options or self.inputs or self.versions or self.rows
        return not changed and all(each.is_equal for each in self.scorers.values())


@dataclass(frozen=True)
class Difference:
    """What changed from one batch to another.

    Attributes:
        old: the digest of the old report.
        new: the digest of the new report.
        added: tables that only the new batch has.
        removed: tables that only the old batch has.
        renamed: new names by old names. Such tables have the same features, and the same output or sidecars.
        tables: the tables that changed, by their new names.
    """

    old: str
    new: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: dict[str, str]
    tables: dict[str, TableChange]

    @property
    def is_equal(self) -> bool:
        """True if nothing changed."""
        return not (self.added or self.removed or self.renamed or self.tables)

    def as_json(self) -> JsonObject:
        """All of it as a JSON object."""
        return {"equal": self.is_equal, **asdict(self)}


def diff(old: str | Location, new: str | Location) -> Difference:
    """Compare two reports and their joined tables.

    :raises UsageError: a report or a joined table cannot be read, a joined table is not the one that its report
        describes, or a batch is not complete.
    """
    try:
        return _diff(read_report(old), read_report(new))
    except BatchError as exc:
        raise UsageError(str(exc)) from exc


def _diff(old: ReportFile, new: ReportFile) -> Difference:
    old.check()
    new.check()
    before, after = ({table["id"]: table for table in each.document["tables"]} for each in (old, new))
    removed, added = (
        [name for name in before if name not in after],
        [name for name in after if name not in before],
    )
    renamed = _renamed({name: before[name] for name in removed}, {name: after[name] for name in added})
    pairs = {name: name for name in before if name in after} | renamed
    old_batch, new_batch = OpenedBatch(old), OpenedBatch(new)
    changes = {
        now: _table_change(before[then], after[now], old_batch.table(then), new_batch.table(now))
        for then, now in pairs.items()
    }
    return Difference(
        old=old.sha256,
        new=new.sha256,
        added=tuple(name for name in added if name not in renamed.values()),
        removed=tuple(name for name in removed if name not in renamed),
        renamed=renamed,
        tables={name: change for name, change in changes.items() if not change.is_equal},
    )


def _renamed(removed: Mapping[str, TableReport], added: Mapping[str, TableReport]) -> dict[str, str]:
    """New names by old names, of tables with the same features and output, or else with the same features and sidecars."""
    identities: tuple[Callable[[TableReport], Hashable], ...] = (
        lambda table: (str(table["features"]), table["out"]),
        lambda table: (str(table["features"]), str(table["scores"])),
    )
    found: dict[str, str] = {}
    for identity in identities:
        free: dict[Hashable, list[str]] = {}
        for name, table in added.items():
            if name not in found.values():
                free.setdefault(identity(table), []).append(name)
        for name, table in removed.items():
            if name not in found and free.get(identity(table)):
                found[name] = free[identity(table)].pop(0)
    return found


def _table_change(old: TableReport, new: TableReport, before: OpenedTable, after: OpenedTable) -> TableChange:
    rows = Change(old["summary"]["output_rows"], new["summary"]["output_rows"])
    covered = old["summary"]["competitors"], new["summary"]["competitors"]
    merged = None if before.sha256 == after.sha256 else _merged(before, after, *covered)
    scorers = {
        label: _scorer_change(label, covered[0].get(label), covered[1].get(label), merged)
        for label in sorted({*covered[0], *covered[1]})
    }
    return TableChange(
        options=_changes(old["config"], new["config"]),
        inputs=_changes(_digests(old), _digests(new)),
        versions=_changes(old["versions"], new["versions"]),
        rows=None if rows.old == rows.new else rows,
        rows_in_both=None if merged is None else len(merged),
        scorers={label: change for label, change in scorers.items() if not change.is_equal},
    )


def _digests(table: TableReport) -> dict[str, str | None]:
    return {role: described.get("sha256") for role, described in table["inputs"].items()}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    names = sorted({*old, *new})
    return {name: Change(old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _scorer_change(
    label: str, old: Coverage | None, new: Coverage | None, merged: pd.DataFrame | None
) -> ScorerChange:
    coverage = _changes(_counted(old), _counted(new))
    if old is None or new is None or merged is None:
        return ScorerChange(coverage)
    before, after = (merged[f"status {label}{side}"] for side in _SIDES)
    changed = (before + " to " + after)[before != after]
    both_ok = ((before == "ok") & (after == "ok")).to_numpy(bool)
    scores = [merged[f"score {label}{side}"].to_numpy(np.float64)[both_ok] for side in _SIDES]
    statuses = {str(name): int(rows) for name, rows in changed.value_counts().sort_index().items()}
    return ScorerChange(coverage, statuses, drift(merged["key"][both_ok], scores[0], scores[1]))


def _counted(covered: Coverage | None) -> dict[str, Any]:
    if covered is None:
        return {}
    names = (*_COUNTS, "direction", "scale", "revision")
    return {name: covered[name] for name in names if name in covered}  # type: ignore[literal-required]  # its fields


def _merged(
    before: OpenedTable, after: OpenedTable, old: Mapping[str, Coverage], new: Mapping[str, Coverage]
) -> pd.DataFrame:
    """Statuses and `ok` scores of the rows that both tables have, paired by key and, among equal keys, by order."""
    both = [label for label in old if label in new]
    sides = [
        _narrow(table, {label: covered[label]["column_prefix"] for label in both})
        for table, covered in ((before, old), (after, new))
    ]
    return sides[0].merge(sides[1], on=["key", "again"], how="inner", suffixes=_SIDES)


def _narrow(table: OpenedTable, prefixes: Mapping[str, str]) -> pd.DataFrame:
    """Keys, scores and statuses of the rows that have a key."""
    columns = {
        f"{part} {label}": f"{prefix}_{part}"
        for label, prefix in prefixes.items()
        for part in ("score", "status")
    }
    found = table.to_arrow([*table.key_columns, *columns.values()])
    key = keys.composite([keys.texts(found.column(name).combine_chunks()) for name in table.key_columns])
    named = {name: found.column(column) for name, column in columns.items()}
    frame = pa.table({"key": key, **named}).filter(key.is_valid()).to_pandas()
    return frame.assign(again=frame.groupby("key", sort=False).cumcount())


def change_lines(change: TableChange) -> Iterator[str]:
    """What changed of a table apart from its scorers, one line per change."""
    for kind, changes in (("option", change.options), ("input", change.inputs), ("version", change.versions)):
        for name, each in changes.items():
            yield f"{kind} {name}: {_shown(each.old)} -> {_shown(each.new)}"
    if change.rows is not None:
        yield f"rows: {change.rows.old} -> {change.rows.new}"


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return f"{text[:12]}..." if _DIGEST.fullmatch(text) else text
