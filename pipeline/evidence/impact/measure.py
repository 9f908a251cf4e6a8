"""The impact of a table's scores on a model that predicts its label, or the reason why it cannot be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evidence.documents import AllRows, Arm, Delta, TableImpact, Verdict, rounded
from pipeline.evidence.impact.arms import Inputs, Progress, compare
from pipeline.evidence.impact.protocol import (
    CONTROL,
    DEFAULTS,
    MIN_GROUPS,
    WITH_SCORES,
    ImpactSettings,
    corrected,
)
from pipeline.evidence.statistics.folds import Rows
from pipeline.evidence.statistics.models import BoostedTrees, Model, SupportVectors
from pipeline.evidence.table import MAX_MAGNITUDE, Codes, EvidenceTable, Floats
from pipeline.manifest.entries import slug


@dataclass(frozen=True)
class _Labelled:
    """The rows of a table that have a label (`every`), and those of them with a score of every scorer (`complete`)."""

    target: str
    every: Rows
    complete: Rows


def measure_impact(
    table: EvidenceTable,
    settings: ImpactSettings = DEFAULTS,
    *,
    workers: int = 1,
    progress: Progress = lambda _done, _total: None,
) -> TableImpact:
    """The arms on complete rows and on all rows, and the verdict, which follows from the complete rows.

    :param table: a table with a target.
    :param workers: threads that train; the result does not depend on it.
    :param progress: called with the number of models tested so far and the number of all, per set of rows.
    :raises ValueError: the table has no target.
    """
    if table.target is None:
        raise ValueError(
            f"{table.id}: the impact of scores is measured on a label, and the table names no target"
        )
    labelled = _labelled(table, table.target)
    model = _model(labelled.every.size, settings)
    impact = _unmeasured(table, labelled, settings, model)
    if table.groups is not None and not impact["reason"]:
        measured = _Measured(table, labelled, table.groups, model, settings, workers, progress)
        impact["model"] = model.name
        impact["arms"], impact["deltas"] = measured.on(labelled.complete)
        impact["verdict"], impact["reason"] = verdict(impact["deltas"], settings.level, len(table.scorers))
        impact["all_rows"] = measured.all_rows()
    result: TableImpact = rounded(impact)
    return result


@dataclass(frozen=True)
class _Measured:
    """A table whose impact can be measured, with everything that the measurement needs."""

    table: EvidenceTable
    labelled: _Labelled
    groups: Codes
    model: Model
    settings: ImpactSettings
    workers: int
    progress: Progress

    def on(self, rows: Rows) -> tuple[list[Arm], list[Delta]]:
        """The arms and their differences from `base`, on the given rows."""
        inputs = _inputs(self.table, self.labelled.target, rows, self.groups)
        return compare(inputs, self.model, self.settings, self.workers, self.progress)

    def all_rows(self) -> AllRows | None:
        """The arms on all labelled rows; None if every labelled row is complete."""
        every = self.labelled.every
        if every.size == self.labelled.complete.size:
            return None
        arms, deltas = self.on(every)
        return {
            "rows": int(every.size),
            "groups": _distinct(self.groups, every),
            "arms": arms,
            "deltas": deltas,
        }


def _unmeasured(
    table: EvidenceTable, labelled: _Labelled, settings: ImpactSettings, model: Model
) -> TableImpact:
    """The impact before any model is trained. Its reason is empty if the impact can be measured."""
    return {
        "id": table.id,
        "target": labelled.target,
        "group": table.group,
        "corpus": table.corpus,
        "rows": int(labelled.complete.size),
        "groups": None if table.groups is None else _distinct(table.groups, labelled.complete),
        "model": None,
        "protocol": {
            "folds": settings.folds,
            "repeats": settings.repeats,
            "seed": settings.seed,
            "bootstrap": settings.bootstrap,
            "level": settings.level,
            "comparisons": len(table.scorers),
            "tuning": model.tuning,
        },
        "arms": [],
        "deltas": [],
        "verdict": "not measurable",
        "reason": _hindrance(table, labelled) or "",
        "all_rows": None,
    }


def _model(rows: int, settings: ImpactSettings) -> Model:
    chosen = settings.model or ("svr-rbf" if rows <= settings.max_svr_rows else "hist-gradient-boosting")
    return SupportVectors(settings.seed) if chosen == "svr-rbf" else BoostedTrees(settings.seed)


def _labelled(table: EvidenceTable, target: str) -> _Labelled:
    has_label = np.isfinite(_bounded(table.columns[target]))
    complete = has_label.copy()
    for scorer in table.scorers:
        complete &= np.isfinite(_bounded(table.columns[scorer.column]))
    return _Labelled(target, np.flatnonzero(has_label), np.flatnonzero(complete))


def _hindrance(table: EvidenceTable, labelled: _Labelled) -> str | None:
    """Why the impact cannot be measured, and what to do; None if it can be measured."""
    if table.groups is None:
        return (
            "No column names the content, and clips of one content on both sides of a split would make any column "
            "that distinguishes contents look useful. Name it as evidence.group in the manifest; where every row is a "
            "content of its own, declare evidence.each_row_is_content."
        )
    if trained := [each.label for each in table.scorers if slug(table.corpus) in map(slug, each.trained_on)]:
        return (
            f"Trained on this corpus ({table.corpus}): {', '.join(trained)}. Scores of a scorer's own training clips "
            "show what it remembers. Leave it out of this table, or measure it on another corpus."
        )
    if not table.baseline:
        return "No baseline: evidence.features names no column. Name the columns that the model has without scores."
    if (found := _distinct(table.groups, labelled.every)) < MIN_GROUPS:
        return (
            f"Found {found} groups with a label; expected at least {MIN_GROUPS}, since a result on fewer contents "
            "does not generalise. Add contents, or check that evidence.group names the content and nothing coarser."
        )
    if (found := _distinct(table.groups, labelled.complete)) < MIN_GROUPS:
        return (
            f"Found {found} groups in which a row has a label and every score; expected at least {MIN_GROUPS}. "
            f"Rows with a label and a score: {_scored(table, labelled)}. Score the missing clips, or leave out the "
            "scorer that covers fewest."
        )
    if np.ptp(table.columns[labelled.target][labelled.complete]) == 0:
        return f"The label {labelled.target} is the same in all complete rows. Name another one as evidence.target."
    return None


def _scored(table: EvidenceTable, labelled: _Labelled) -> str:
    counts = {
        each.label: int(np.isfinite(_bounded(table.columns[each.column][labelled.every])).sum())
        for each in table.scorers
    }
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def verdict(deltas: Sequence[Delta], level: float, scorers: int) -> tuple[Verdict, str]:
    """The verdict on the scores, and the reason.

    :param deltas: the changes of `base+scores` and of the control, with their intervals.
    :param level: the level of the control's interval; the other interval is corrected for the number of scorers.
    """
    by_name = {each["name"]: each for each in deltas}
    control, found = by_name[CONTROL], by_name[WITH_SCORES]
    held, ends = _ends(control), _ends(found)
    if held is None or ends is None:
        return (
            "not measurable",
            "No SRCC is defined: the labels of each fold are all equal. Check evidence.target.",
        )
    if held[0] > 0:
        return "not measurable", (
            f"The control gains: with the scores of other rows {_change(control, level)}. These cannot help, so the "
            "gain has another cause. Check for rows that repeat."
        )
    change = f"With the scores {_change(found, corrected(level, scorers))}; the interval"
    if ends[0] > 0:
        return "improves", f"{change} lies above 0."
    if ends[1] < 0:
        return "worse", f"{change} lies below 0."
    return "no evidence", f"{change} holds 0."


def _change(delta: Delta, level: float) -> str:
    low, high = delta["intervals"]["srcc"]
    return f"SRCC changes by {delta['srcc']:+.3f}, {100 * level:.4g} % interval {low:+.3f} to {high:+.3f}"


def _ends(delta: Delta) -> tuple[float, float] | None:
    low, high = delta["intervals"]["srcc"]
    return None if low is None or high is None else (low, high)


def _inputs(table: EvidenceTable, target: str, rows: Rows, groups: Codes) -> Inputs:
    return Inputs(
        table.columns[target][rows],
        groups[rows],
        np.column_stack([_bounded(table.columns[name][rows]) for name in table.baseline]),
        {each.label: _with_gaps(_bounded(table.columns[each.column][rows])) for each in table.scorers},
    )


def _with_gaps(scores: Floats) -> Floats:
    """Scores as one column, and a second column that marks missing scores, if there are any."""
    gaps = np.isnan(scores)
    return np.column_stack([scores, gaps.astype(np.float64)]) if gaps.any() else scores[:, None]


def _bounded(values: Floats) -> Floats:
    """The values, with NaN in place of those above `MAX_MAGNITUDE`."""
    return np.where(np.abs(values) <= MAX_MAGNITUDE, values, np.nan)


def _distinct(groups: Codes, rows: Rows) -> int:
    return int(np.unique(groups[rows]).size)
