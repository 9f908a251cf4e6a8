"""The audit of a joined table, and of a batch: which signals it has, and how they correlate with the label.

A table's audit holds its signals by family, their statistics, the correlation of each with the label, and the pairs that
are redundant or complementary. Of k intervals at 95 %, about k / 20 miss by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...manifest.families import Families
from ..documents import (
    BatchAudit,
    Complementary,
    Contents,
    Correlations,
    FamilyOverBatch,
    Redundant,
    ScorerCoverage,
    Signal,
    Strongest,
    TableAudit,
    WithTarget,
    ranked_signals,
    strength,
)
from ..statistics.correlations import centred_ranks, pairwise
from ..statistics.folds import effective_groups
from ..statistics.leaks import MIN_LEAK_ROWS
from ..statistics.threads import MIN_THREADED_ROWS, beside, in_order
from ..table import EvidenceTable, Floats, ScoreColumn
from . import plots
from .association import Association
from .findings import findings_of, missing_action, next_actions_of
from .leaks import leak_reasons, leaks_of, repeats_of
from .sections.build import sections_of
from .sections.scores import labelled_scores
from .signals import SignalColumn, coverage_of, signals_of

REDUNDANT = 0.95
"""Two signals are redundant from this |Spearman| on."""

COMPLEMENTARY = 0.70
"""Two signals of different families are complementary up to this |Spearman|."""

MIN_WITH_TARGET = 0.20
"""Complementary signals each reach this |Spearman| with the label."""

MIN_PAIRED_ROWS = MIN_LEAK_ROWS
"""Number of rows that two columns must share; fewer can agree by chance."""

MAX_PAIRS = 200
"""Maximum number of pairs of each kind in a document; the strongest ones are kept."""

STRONGEST = 20
"""Number of signals that the batch lists as its strongest."""


def audit_table(table: EvidenceTable, families: Families, *, workers: int = 1) -> TableAudit:
    """The audit of one table. Equal tables give equal audits; the order of rows changes only which points are sampled.

    :param workers: threads that compute, where there are enough rows; the audit does not depend on it.
    """
    with threadpool_limits(1):  # with more threads sums differ in the last bits
        return _audited(table, families, workers if table.rows >= MIN_THREADED_ROWS else 1)


def _audited(table: EvidenceTable, families: Families, workers: int) -> TableAudit:
    columns = signals_of(table, families, workers)
    association, ranked = beside(
        lambda: None if table.target is None else Association.of(table, workers),
        lambda: {each.column: centred_ranks(table.columns[each.column]) for each in columns},
        workers,
    )
    signals = _signals(association, columns, ranked, workers)
    (coefficients, rows), repeated = beside(
        lambda: pairwise([*ranked.values()]), lambda: repeats_of(table), workers
    )
    coefficients = np.where(rows >= MIN_PAIRED_ROWS, coefficients, np.nan)
    scorers = [_scorer(table, scorer) for scorer in table.scorers]
    covered = coverage_of(columns, families)
    redundant, complementary = _redundant(signals, coefficients), _complementary(signals, coefficients)
    scores = labelled_scores(table)
    reasons, sections = beside(
        lambda: leak_reasons(table, signals, repeated), lambda: sections_of(table, scores), workers
    )
    leaks, findings = leaks_of(signals, reasons), findings_of(table, signals, families, reasons, repeated)
    return {
        "id": table.id,
        "out": table.out,
        "corpus": table.corpus,
        "rows": table.rows,
        "target": table.target,
        "group": table.group,
        **_contents(table),
        "scorers": scorers,
        "families": covered,
        "signals": signals,
        "redundant": redundant,
        "complementary": complementary,
        "leaks": leaks,
        "findings": findings,
        "next_actions": next_actions_of(table, scorers, covered, signals, redundant, leaks, findings),
        **sections,
        "figures": {
            "scatter": plots.scatters(scores),
            "histograms": plots.histograms(table),
            "correlations": _correlations(signals, coefficients),
        },
    }


def _correlations(signals: Sequence[Signal], coefficients: Floats) -> Correlations:
    positions = {each["column"]: index for index, each in enumerate(signals)}
    return plots.correlations([each["column"] for each in ranked_signals(signals)], positions, coefficients)


def _signals(
    association: Association | None,
    columns: Sequence[SignalColumn],
    ranked: Mapping[str, NDArray[np.float32]],
    workers: int,
) -> list[Signal]:
    """The signals, each with its correlation with the label if the table has one."""

    def signal(column: SignalColumn) -> Signal:
        name = column.column
        return _signal(column, association.of_column(name, ranked[name]) if association else None)

    return [*in_order(signal, columns, workers)]


def audit_batch(tables: Sequence[TableAudit]) -> BatchAudit:
    """The audit over all tables. Columns that leak are not among the strongest signals."""
    coverage = [*_over_batch(tables)]
    return {
        "coverage": coverage,
        "blind_spots": [each["family"] for each in coverage if not each["covered"]],
        "strongest": _strongest(tables),
        "next_actions": [*_actions(tables), *_families_to_cover(tables, coverage)],
    }


def _actions(tables: Sequence[TableAudit]) -> Iterator[str]:
    """Each action once, with the tables that need it; those about missing families follow by family."""
    found: dict[str, list[str]] = {}
    for table in tables:
        about_missing = missing_action(table["families"])
        for action in table["next_actions"]:
            if action != about_missing:
                found.setdefault(action, []).append(table["id"])
    yield from (f"{', '.join(ids)}: {action}" for action, ids in found.items())


def _families_to_cover(tables: Sequence[TableAudit], coverage: Sequence[FamilyOverBatch]) -> Iterator[str]:
    """Each family that a table lacks, once."""
    for each in coverage:
        members = {
            table["id"]: next(known for known in table["families"] if known["name"] == each["family"])
            for table in tables
        }
        lacking = [table for table, family in members.items() if family["status"] == "missing"]
        advice = next((family["advice"] for family in members.values()), "")
        if not each["covered"]:
            yield f"No table covers {each['title']}: {advice}"
        elif lacking:
            yield f"{', '.join(lacking)}: no column of {each['title']}: {advice}"


def _contents(table: EvidenceTable) -> Contents:
    groups = None if table.groups is None else table.groups[table.groups >= 0]
    return {
        "groups": None if groups is None else int(np.unique(groups).size),
        "effective_groups": None if groups is None else effective_groups(groups),
        "nameless_rows": int(np.count_nonzero(~table.named_rows)),
    }


def _signal(column: SignalColumn, found: WithTarget | None) -> Signal:
    statistics = column.statistics
    return {
        "column": column.column,
        "family": column.family,
        "role": column.role,
        "finite_share": statistics.finite_share,
        "mean": _known(statistics.mean),
        "std": _known(statistics.std),
        "min": _known(statistics.min),
        "max": _known(statistics.max),
        "healthy": statistics.healthy,
        "target": found,
    }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _scorer(table: EvidenceTable, scorer: ScoreColumn) -> ScorerCoverage:
    counts = table.statuses[scorer.label]
    return {
        "label": scorer.label,
        "column": scorer.column,
        "direction": scorer.direction,
        "scale": None if scorer.scale is None else [*scorer.scale],
        "revision": scorer.revision,
        "trained_on": [*scorer.trained_on],
        "ok": counts["ok"],
        "bad": counts["bad"],
        "missing": counts["missing"],
        "coverage": counts["ok"] / table.rows if table.rows else 0.0,
    }


def _pairs(
    signals: Sequence[Signal], coefficients: Floats, selected: NDArray[np.bool_]
) -> Iterator[tuple[Signal, Signal, float]]:
    """The pairs of healthy signals that a matrix selects, each with its coefficient."""
    healthy = np.array([each["healthy"] for each in signals], bool)
    for first, second in np.argwhere(np.triu(selected & np.outer(healthy, healthy), 1)).tolist():
        yield signals[first], signals[second], float(coefficients[first, second])


def _redundant(signals: Sequence[Signal], coefficients: Floats) -> list[Redundant]:
    found: list[Redundant] = [
        {"columns": [a["column"], b["column"]], "spearman": value}
        for a, b, value in _pairs(signals, coefficients, np.abs(coefficients) >= REDUNDANT)
    ]
    return sorted(found, key=lambda each: -abs(each["spearman"]))[:MAX_PAIRS]


def _complementary(signals: Sequence[Signal], coefficients: Floats) -> list[Complementary]:
    """The complementary pairs, ordered by the weaker correlation with the label in each."""
    correlated = np.array([abs(strength(each)) >= MIN_WITH_TARGET for each in signals], bool)
    families = np.array([each["family"] for each in signals])
    met = (np.abs(coefficients) <= COMPLEMENTARY) & np.outer(correlated, correlated)
    met &= families[:, np.newaxis] != families
    found: list[Complementary] = [
        {
            "columns": [a["column"], b["column"]],
            "families": [a["family"], b["family"]],
            "spearman": value,
            "with_target": [strength(a), strength(b)],
        }
        for a, b, value in _pairs(signals, coefficients, met)
    ]
    return sorted(found, key=lambda each: -min(map(abs, each["with_target"])))[:MAX_PAIRS]


def _over_batch(tables: Sequence[TableAudit]) -> Iterator[FamilyOverBatch]:
    for same in zip(*(table["families"] for table in tables), strict=True):
        statuses = [each["status"] for each in same]
        yield {
            "family": same[0]["name"],
            "title": same[0]["title"],
            "covered": statuses.count("covered"),
            "weak": statuses.count("weak"),
            "missing": statuses.count("missing"),
        }


def _strongest(tables: Sequence[TableAudit]) -> list[Strongest]:
    found: list[Strongest] = [
        {
            "table": table["id"],
            "column": each["column"],
            "family": each["family"],
            "n": each["target"]["n"],
            "spearman": strength(each),
        }
        for table in tables
        for leaking in [{leak["column"] for leak in table["leaks"]}]
        for each in table["signals"]
        if each["target"] is not None and strength(each) and each["column"] not in leaking
    ]
    return sorted(found, key=lambda each: -abs(each["spearman"]))[:STRONGEST]
