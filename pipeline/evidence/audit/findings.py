"""Leaks and findings of a table, and the actions that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...errors import count
from ...manifest.declarations import slug
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
from ..table import MIN_CORPUS_CONTENTS, EvidenceTable, ScoreColumn
from .signals import MIN_FINITE_SHARE, MIN_STD, excluded_of

_MIN_COVERAGE = 0.80
_MAX_NAMED = 5
_APART = 0.2
"""Spearman over all rows and within corpora differ by more: the signal tells corpora apart."""


def findings_of(
    table: EvidenceTable,
    signals: Sequence[Signal],
    families: Families,
    reasons: Mapping[str, str],
    repeated: int,
) -> list[Finding]:
    """The findings about contents, about the scorers, about the baseline, and about each signal.

    :param reasons: the columns that are the label, and why.
    :param repeated: the number of rows that are copies of rows of another content.
    """
    by_column = {each["column"]: each for each in signals}
    of_scorers = (
        (kind, scorer.column, text)
        for scorer in table.scorers
        for kind, text in _of_scorer(table, scorer, by_column[scorer.column])
    )
    of_values = ((kind, each["column"], text) for each in signals for kind, text in _of_values(table, each))
    found = (
        *_of_contents(table),
        *_of_repeats(table, repeated),
        *of_scorers,
        *_of_baseline(table, families, reasons),
        *of_values,
    )
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
        *_about_leaks(leaks),
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
    "nameless": "Name the content of every row in {column}: rows without one are left out.",
    "repeats": "Take rows out that are copies of others, or name as evidence.group what holds them together.",
    "pooled": "Compare {column} within corpora only: over all rows its correlation is another one.",
    "sign": "Check the declared direction of {column}, and that its rows were joined onto their own clips.",
    "outside_scale": "Check which version of the scorer wrote {column}, and its declared scale.",
    "trained_on": "Do not count {column} as evidence here: measure it on a corpus that it was not trained on.",
    "label_in_baseline": "Take {column} out of the baseline: a model that is given the label learns nothing.",
}


def _of_contents(table: EvidenceTable) -> Iterator[tuple[str, str, str]]:
    named = [(table.group, table.groups)]
    if table.corpora is not None:
        named.append((table.corpora.column, table.corpora.codes))
    yield from _of_small_corpora(table)
    for column, codes in named:
        if column is not None and codes is not None and (nameless := int(np.count_nonzero(codes < 0))):
            yield (
                "nameless",
                column,
                f"{count(nameless, 'row')} without a value; left out of all that concerns the label",
            )


def _of_small_corpora(table: EvidenceTable) -> Iterator[tuple[str, str, str]]:
    if table.corpora is None or table.target is None:
        return
    labelled = np.flatnonzero(np.isfinite(table.columns[table.target]) & table.named_rows)
    kept = {*table.corpora.codes[table.of_large_corpora(labelled)].tolist()}
    small = [name for at, name in enumerate(table.corpora.values) if at not in kept]
    if small:
        shown = ", ".join(small[:_MAX_NAMED]) + (", ..." if len(small) > _MAX_NAMED else "")
        found = f"fewer than {MIN_CORPUS_CONTENTS} labelled contents, left out of all that concerns the label: {shown}"
        yield "small_corpus", table.corpora.column, found


def _of_repeats(table: EvidenceTable, repeated: int) -> Iterator[tuple[str, str, str]]:
    if table.target is not None and repeated:
        found = f"{count(repeated, 'row')} with the label and the baseline of a row of another content"
        yield "repeats", table.target, found


def _of_scorer(table: EvidenceTable, scorer: ScoreColumn, signal: Signal) -> Iterator[tuple[str, str]]:
    if (corpus := _corpus_of_training(table, scorer)) is not None:
        yield "trained_on", f"declared as trained on {corpus}: on this table it shows what it remembers"
    if signal["target"] is not None:
        yield from _of_pooling(signal["target"])
        if scorer.direction is not None:
            yield from _of_sign(scorer.direction, table.target_direction, signal["target"])
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
    corpora = {slug(name) for name in table.corpus_names}
    return next((each for each in scorer.trained_on if slug(each) in corpora), None)


def _of_pooling(found: WithTarget) -> Iterator[tuple[str, str]]:
    within, pooled = found["spearman"], found["pooled"]
    if within is not None and pooled is not None and abs(pooled - within) > _APART:
        yield (
            "pooled",
            f"Spearman with the label is {pooled:.3f} over all rows, yet {within:.3f} within corpora: "
            + (
                "it tells corpora apart"
                if abs(pooled) > abs(within)
                else "the labels of the corpora lie apart"
            ),
        )


def _of_sign(direction: str, label_direction: str, found: WithTarget) -> Iterator[tuple[str, str]]:
    value = found["spearman"]
    expected = 1 if direction == label_direction else -1
    if value is not None and value * expected < 0:
        low, high = found["intervals"]["spearman"]
        unsure = low is None or high is None or low <= 0 <= high
        yield (
            "sign",
            f"declared {direction} is better, as is a {label_direction} label, yet Spearman with the label is {value:.3f} over {found['n']} rows"
            + ("; the interval holds 0" if unsure else ""),
        )


def _of_baseline(
    table: EvidenceTable, families: Families, reasons: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    kinds = dict(excluded_of(table, families))
    for column in table.baseline:
        if kinds.get(column) == LABEL:
            yield "label_in_baseline", column, f"a column of the baseline, and {families.reason(LABEL)}"
        elif column in reasons:
            yield "label_in_baseline", column, f"a column of the baseline that {reasons[column]}"


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


def _about_leaks(leaks: Sequence[Leak]) -> Iterator[str]:
    for each in leaks:
        yield f"Take {each['column']} out: it {each['reason']}. Check which field of its sidecar is read as the score."


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


def missing_action(families: Sequence[FamilyCoverage]) -> str | None:
    """What to do about the families without a column; None: each has one."""
    missing = [each["title"] for each in families if each["status"] == "missing"]
    return f"Consider the families without a column: {'; '.join(missing)}." if missing else None


def _about_families(families: Sequence[FamilyCoverage], signals: Sequence[Signal]) -> Iterator[str]:
    for each in families:
        if each["status"] == "weak":
            yield f"Improve {each['title']}: it has columns, but none with enough values that differ. {each['advice']}"
    if (action := missing_action(families)) is not None:
        yield action
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
