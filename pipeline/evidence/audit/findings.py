"""Leaks and findings of a table, and the actions that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...errors import count
from ...manifest.entries import slug
from ...manifest.families import LABEL, UNASSIGNED, Families
from ..documents import (
    FamilyCoverage,
    Finding,
    Leak,
    Redundant,
    ScorerCoverage,
    Signal,
    WithTarget,
)
from ..table import EvidenceTable, ScoreColumn
from .signals import MIN_FINITE_SHARE, MIN_STD, excluded_of

LEAK = 0.999
"""A column with a larger |Pearson| or |Spearman| with the label is the label, or nearly."""

MIN_LEAK_ROWS = 8
"""Minimum number of rows of a leak; fewer can agree by chance."""

_MIN_COVERAGE = 0.80


def leaks_of(signals: Sequence[Signal]) -> list[Leak]:
    """The scores that are the label, or nearly."""
    return [
        {
            "column": each["column"],
            "pearson": each["target"]["pearson"],
            "spearman": each["target"]["spearman"],
            "n": each["target"]["n"],
        }
        for each in signals
        if each["role"] == "score" and each["target"] is not None and follows(each["target"])
    ]


def follows(found: WithTarget) -> bool:
    """True if a column with this correlation is the label, or nearly."""
    strengths = (abs(each) for each in (found["pearson"], found["spearman"]) if each is not None)
    return found["n"] >= MIN_LEAK_ROWS and max(strengths, default=0.0) > LEAK


def findings_of(table: EvidenceTable, signals: Sequence[Signal], families: Families) -> list[Finding]:
    """The findings about the scorers, then about the baseline, then about each signal."""
    by_column = {each["column"]: each for each in signals}
    of_scorers = (
        (kind, scorer.column, text)
        for scorer in table.scorers
        for kind, text in _of_scorer(table, scorer, by_column[scorer.column])
    )
    of_values = ((kind, each["column"], text) for each in signals for kind, text in _of_values(table, each))
    found = (*of_scorers, *_of_baseline(table, signals, families), *of_values)
    return [{"kind": kind, "column": column, "text": text} for kind, column, text in found]


def next_actions_of(
    table: EvidenceTable,
    scorers: Sequence[ScorerCoverage],
    families: Sequence[FamilyCoverage],
    signals: Sequence[Signal],
    redundant: Sequence[Redundant],
    leaks: Sequence[Leak],
    findings: Sequence[Finding],
) -> list[str]:
    """The actions for a table, the most urgent first."""
    return [
        *_about_leaks(table, leaks),
        *_about_declarations(table),
        *(
            _ACTIONS[each["kind"]].format(column=each["column"])
            for each in findings
            if each["kind"] in _ACTIONS
        ),
        *_about_coverage(table, scorers),
        *_about_families(families, signals),
        *_about_redundancy(signals, redundant),
    ]


_ACTIONS = {
    "sign": "Check the declared direction of {column}, and that its rows were joined onto their own clips.",
    "outside_scale": "Check which version of the scorer wrote {column}, and its declared scale.",
    "trained_on": "Do not count {column} as evidence here: measure it on a corpus that it was not trained on.",
    "label_in_baseline": "Take {column} out of the baseline: a model that is given the label learns nothing.",
}


def _of_scorer(table: EvidenceTable, scorer: ScoreColumn, signal: Signal) -> Iterator[tuple[str, str]]:
    if (corpus := _corpus_of_training(table, scorer)) is not None:
        yield "trained_on", f"declared as trained on {corpus}: on this table it shows what it remembers"
    if scorer.direction is not None and signal["target"] is not None:
        yield from _of_sign(scorer.direction, signal["target"])
    if scorer.scale is not None:
        values = table.columns[scorer.column]
        low, high = scorer.scale
        outside = int(np.count_nonzero((values < low) | (values > high)))
        if outside:
            yield (
                "outside_scale",
                f"{count(outside, 'score')} outside the declared scale from {low:g} to {high:g}; "
                f"found {signal['min']:.6g} to {signal['max']:.6g}",
            )


def _corpus_of_training(table: EvidenceTable, scorer: ScoreColumn) -> str | None:
    return next((each for each in scorer.trained_on if slug(each) == slug(table.corpus)), None)


def _of_sign(direction: str, found: WithTarget) -> Iterator[tuple[str, str]]:
    value = found["spearman"]
    expected = 1 if direction == "higher" else -1
    if value is not None and value * expected < 0:
        low, high = found["intervals"]["spearman"]
        unsure = low is None or high is None or low <= 0 <= high
        yield (
            "sign",
            f"declared {direction} is better, yet Spearman with the label is {value:.3f} over {found['n']} rows"
            + ("; the interval holds 0" if unsure else ""),
        )


def _of_baseline(
    table: EvidenceTable, signals: Sequence[Signal], families: Families
) -> Iterator[tuple[str, str, str]]:
    kinds = dict(excluded_of(table, families))
    following = {
        each["column"]: each["target"] for each in signals if each["target"] and follows(each["target"])
    }
    for column in table.baseline:
        found = following.get(column)
        if kinds.get(column) == LABEL:
            text = f"a column of the baseline, and {families.reason(LABEL)}"
        elif found is not None:
            text = f"a column of the baseline that is the label, or nearly: Spearman {found['spearman']:.6g}"
        else:
            continue
        yield "label_in_baseline", column, text


def _of_values(table: EvidenceTable, signal: Signal) -> Iterator[tuple[str, str]]:
    infinite = int(np.count_nonzero(np.isinf(table.columns[signal["column"]])))
    if infinite:
        yield "infinite", f"{count(infinite, 'infinite value')}; treated as missing"
    if signal["std"] is None:
        if table.rows:
            yield "no_values", "no row has a finite value"
    elif signal["std"] <= MIN_STD:
        yield "constant", f"every value is {signal['mean']:.6g}: it does not distinguish rows"
    elif signal["finite_share"] < MIN_FINITE_SHARE:
        yield (
            "sparse",
            f"{signal['finite_share']:.1%} of the rows have a finite value, fewer than {MIN_FINITE_SHARE:.0%}",
        )


def _about_leaks(table: EvidenceTable, leaks: Sequence[Leak]) -> Iterator[str]:
    for each in leaks:
        yield f"Take {each['column']} out: it is {table.target}, or nearly. Check which field of its sidecar is read as the score."


def _about_declarations(table: EvidenceTable) -> Iterator[str]:
    if table.target is None:
        yield "Declare evidence.target, the column of the label: no signal was compared with it."
    elif table.groups is None:
        yield (
            "Declare evidence.group, the column that names the content: without it every row counts as a content "
            "of its own, and intervals are too narrow."
        )
    silent = [each.label for each in table.scorers if each.direction is None]
    if silent and table.target is not None:
        yield f"Declare the direction of {', '.join(silent)}, so that a wrong sign can be detected."


def _about_coverage(table: EvidenceTable, scorers: Sequence[ScorerCoverage]) -> Iterator[str]:
    for each in scorers:
        if table.rows and each["coverage"] < _MIN_COVERAGE:
            lacking = each["missing"] + each["bad"]
            yield f"Score {lacking} of {count(table.rows, 'row')} again with {each['label']}: {each['missing']} are missing, {each['bad']} are bad."


def _about_families(families: Sequence[FamilyCoverage], signals: Sequence[Signal]) -> Iterator[str]:
    for each in families:
        if each["status"] == "weak":
            yield f"Improve {each['title']}: it has columns, but none with enough values that differ. {each['advice']}"
    missing = [each["title"] for each in families if each["status"] == "missing"]
    if missing:
        yield f"Consider the families without a column: {'; '.join(missing)}."
    unclaimed = sum(each["family"] == UNASSIGNED for each in signals)
    if unclaimed:
        yield f"Claim {count(unclaimed, 'column')} for a family, by patterns in a file of your own: no family claims them."


def _about_redundancy(signals: Sequence[Signal], redundant: Sequence[Redundant]) -> Iterator[str]:
    scores = {each["column"] for each in signals if each["role"] == "score"}
    for each in redundant:
        if scores.intersection(each["columns"]):
            first, second = each["columns"]
            yield f"Keep one of {first} and {second}: they are redundant (Spearman {each['spearman']:.3f})."
    others = sum(scores.isdisjoint(each["columns"]) for each in redundant)
    if others:
        yield f"Thin out the features: {count(others, 'pair')} of them are redundant."
