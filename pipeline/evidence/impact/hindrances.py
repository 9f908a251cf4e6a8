"""Why the impact of a table cannot be measured, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...errors import count
from ...manifest.declarations import slug
from ..statistics.folds import Rows, effective_groups
from ..statistics.leaks import leak_reason
from ..statistics.repeats import MAX_REPEATED, repeated_rows
from ..table import MIN_CORPUS_CONTENTS, Codes
from .protocol import MIN_GROUPS
from .rows import Labelled, bounded


def hindrance(labelled: Labelled) -> str | None:
    """The first reason; None if the impact can be measured."""
    groups = labelled.table.groups
    if groups is None:
        return (
            "No column names the content, and clips of one content on both sides of a split would make any column "
            "that distinguishes contents look useful. Name it as evidence.group in the manifest; where every row is a "
            "content of its own, declare evidence.each_row_is_content."
        )
    return next(_of_declarations(labelled), None) or next(_of_rows(labelled, groups), None)


def _of_declarations(labelled: Labelled) -> Iterator[str]:
    table = labelled.table
    corpora = {slug(name) for name in table.corpus_names}
    if trained := [each.label for each in table.scorers if corpora.intersection(map(slug, each.trained_on))]:
        yield (
            f"Trained on this corpus ({', '.join(table.corpus_names)}): {', '.join(trained)}. Scores of a scorer's own "
            "training clips show what it remembers. Leave it out of this table, or measure it on another corpus."
        )
    if not table.baseline:
        yield "No baseline: evidence.features names no column. Name the columns that the model has without scores."
    if not table.scorers:
        yield "No scorer: no sidecar was joined to the table. Add one under scores in the manifest."
    elif not labelled.scorers:
        reasons = "; ".join(f"{each['label']}: {each['reason']}" for each in labelled.left_out)
        yield f"No scorer has scores that differ ({reasons}). Check which field of its sidecar is read as the score."


def _of_rows(labelled: Labelled, groups: Codes) -> Iterator[str]:
    nameless = ""
    if labelled.nameless:
        nameless = (
            f" {count(labelled.nameless, 'row')} with a label name none, or are of a corpus with fewer than "
            f"{MIN_CORPUS_CONTENTS} contents, and are left out."
        )
    if (text := _too_few(groups, labelled.every)) is not None:
        yield (
            f"Found {text} with a label; expected at least {MIN_GROUPS}, since a result on fewer contents does not "
            f"generalise.{nameless} Add contents, or check that evidence.group names the content and nothing coarser."
        )
    if (text := _too_few(groups, labelled.complete)) is not None:
        yield (
            f"Found {text} in which a row has a label and every score; expected at least {MIN_GROUPS}. "
            f"Rows with a label and a score: {_scored(labelled)}. Score the missing clips, or leave out the "
            "scorer that covers fewest."
        )
    label = labelled.table.columns[labelled.target]
    if np.ptp(label[labelled.complete]) == 0:
        yield f"The label {labelled.target} is the same in all complete rows. Name another one as evidence.target."
    rows = labelled.every
    repeated = repeated_rows([*labelled.baseline(rows).T], label[rows], groups[rows])
    if repeated > MAX_REPEATED * rows.size:
        yield (
            f"Rows repeat: {count(repeated, 'row')} of {rows.size} have the label and the baseline of a row of another "
            "content. A model would be tested on rows that it was trained on. Take the copies out, or name as "
            "evidence.group a column that holds copies together."
        )
    for column in labelled.table.baseline:
        values = bounded(labelled.table.columns[column])
        for rows in labelled.parts():
            if reason := leak_reason(values[rows], label[rows], groups[rows]):
                yield f"The column {column} of the baseline {reason}. Take it out of evidence.features."


def _too_few(groups: Codes, rows: Rows) -> str | None:
    """The number of contents in words if it is too small, or if it is worth too little."""
    found, effective = np.unique(groups[rows]).size, effective_groups(groups[rows])
    if found < MIN_GROUPS:
        return f"{found} groups"
    if round(effective) < MIN_GROUPS:  # a few missing rows do not make a content less
        return (
            f"{found} groups of such different sizes that they are worth {effective:.1f} equally large ones"
        )
    return None


def _scored(labelled: Labelled) -> str:
    counts = {
        each.label: int(np.isfinite(bounded(labelled.table.columns[each.column][labelled.every])).sum())
        for each in labelled.scorers
    }
    return ", ".join(f"{label} {count}" for label, count in counts.items())
