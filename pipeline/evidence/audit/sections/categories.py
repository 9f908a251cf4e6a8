"""The section about corpora and categories: how each scorer correlates with the label in the rows of each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...documents import CategoryFigures, CategoryValue, Interval, ScorerOfValue
from ...statistics.correlations import pearson, spearman
from ...statistics.resampling import Draws, interval
from ...table import Category, Codes, EvidenceTable, Floats, ScoreColumn
from .scores import MIN_ROWS, contents_of

MAX_VALUES = 30
"""Values of a column that are shown; of more, those with most rows."""


def category_section(table: EvidenceTable) -> list[CategoryFigures]:
    """Figures per corpus, then per value of each declared category; empty if the table has no label, or none is declared."""
    if table.target is None:
        return []
    declared: list[tuple[Literal["corpus", "category"], Category]] = []
    if table.corpora is not None:
        declared.append(("corpus", table.corpora))
    declared += [("category", each) for each in table.categories]
    contents = contents_of(table)
    return [_figures(table, kind, category, contents) for kind, category in declared]


def _figures(
    table: EvidenceTable, kind: Literal["corpus", "category"], category: Category, contents: Codes
) -> CategoryFigures:
    label = table.columns[table.target or ""]
    labelled = np.flatnonzero(np.isfinite(label) & table.named_rows)
    codes = category.codes[labelled]
    named = codes >= 0
    sizes = np.bincount(codes[named], minlength=len(category.values))
    values = [(-int(sizes[code]), category.values[code], code) for code in np.flatnonzero(sizes).tolist()]
    shown = sorted(values)[:MAX_VALUES]
    return {
        "column": category.column,
        "kind": kind,
        "values": len(values),
        "shown": [_value(table, name, labelled[codes == code], contents) for _, name, code in shown],
        "omitted_rows": int(sizes.sum()) + sum(size for size, _, _ in shown),
        "unnamed_rows": int(np.count_nonzero(~named)),
    }


def _value(table: EvidenceTable, name: str, rows: NDArray[np.intp], contents: Codes) -> CategoryValue:
    draws = Draws.of_groups(contents[rows]) if rows.size >= MIN_ROWS else None
    label = table.columns[table.target or ""][rows]
    return {
        "value": name,
        "n": rows.size,
        "scorers": [_scorer(each, table.columns[each.column][rows], label, draws) for each in table.scorers],
    }


def _scorer(scorer: ScoreColumn, scores: Floats, label: Floats, draws: Draws | None) -> ScorerOfValue:
    there = np.isfinite(scores)
    x, y = scores[there], label[there]
    found: ScorerOfValue = {
        "label": scorer.label,
        "n": x.size,
        "srcc": None,
        "plcc": None,
        "intervals": {"srcc": [None, None], "plcc": [None, None]},
    }
    if draws is None or x.size < MIN_ROWS:
        return found
    kept = draws.of_rows(there)
    srcc, plcc = spearman(x, y), pearson(x, y)
    found["srcc"], found["plcc"] = srcc, plcc
    if srcc is not None and np.ptp(kept.bundles):
        found["intervals"]["srcc"] = _ends(kept.spearman(x, y))
    if plcc is not None and np.ptp(kept.bundles):
        found["intervals"]["plcc"] = _ends(kept.pearson(x, y))
    return found


def _ends(drawn: Floats) -> Interval:
    ends: Sequence[float | None] = interval(drawn)
    return [*ends]
