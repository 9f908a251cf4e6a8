"""The section about disagreement: the rows that a second opinion is for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...documents import Disagreement, DisagreementRow, rounded
from ...statistics.correlations import both
from ...statistics.disagreement import extremes, rank_shares
from ...table import EvidenceTable, Floats
from .scores import MIN_ROWS, LabelledScores

MAX_ROWS = 10
"""Rows of one list."""

MAX_PAIRS = 20
"""Pairs of scorers that have a list; of more, those with the largest difference."""


def disagreement_section(table: EvidenceTable, scores: Sequence[LabelledScores]) -> list[Disagreement]:
    """The rows on which each scorer and the label, each scorer and the reference metric, and two scorers differ most.

    Ranks are those among the rows that have both values; a score that is better when lower is ranked the other way
    round. A pair of columns with fewer than eight rows, or without a difference, has no list.
    """
    of_reference = [
        _by_rank(table, "reference", scorer.column, table.reference_metric)
        for scorer in table.scorers
        if table.reference_metric is not None
    ]
    columns = [scorer.column for scorer in table.scorers]
    of_scorers = [_by_rank(table, "scorers", *pair) for pair in itertools.combinations(columns, 2)]
    ordered = sorted((each for each in of_scorers if each["rows"]), key=lambda each: -_largest(each))
    found = [*_by_label(table, scores), *of_reference, *ordered[:MAX_PAIRS]]
    return [each for each in found if each["rows"]]


def _by_label(table: EvidenceTable, scores: Sequence[LabelledScores]) -> Iterator[Disagreement]:
    for each in scores:
        mapped = each.mapped
        if mapped is not None and each.rows.size >= MIN_ROWS:
            columns = [each.scorer.column, table.target or ""]
            yield _list(
                table.keys, "label", columns, each.rows, (each.scores, each.labels), (mapped, each.labels)
            )


def _by_rank(table: EvidenceTable, kind: Literal["reference", "scorers"], *columns: str) -> Disagreement:
    values = [table.columns[column] for column in columns]
    rows = np.flatnonzero(both(*values)) if table.rows else np.empty(0, np.intp)
    if rows.size < MIN_ROWS:
        rows = rows[:0]
    lower = {scorer.column for scorer in table.scorers if scorer.direction == "lower"}
    x, y = (column[rows] for column in values)
    first, second = (
        rank_shares(-each if column in lower else each) for each, column in zip((x, y), columns, strict=True)
    )
    return _list(table.keys, kind, [*columns], rows, (x, y), (first, second))


def _list(
    keys: pa.Array,
    kind: Literal["label", "reference", "scorers"],
    columns: list[str],
    rows: NDArray[np.intp],
    values: tuple[Floats, Floats],
    compared: tuple[Floats, Floats],
) -> Disagreement:
    """The list of two columns, whose values are given for `rows`; the differences are those of `compared`."""
    differences = compared[1] - compared[0]
    picked = extremes(differences, MAX_ROWS)
    names = keys.take(pa.array(rows[picked])).to_pylist()
    found: list[DisagreementRow] = [
        {
            "key": name or "",
            "values": [float(each[at]) for each in values],
            "compared": [float(each[at]) for each in compared],
            "difference": float(rounded(float(differences[at]))),
        }
        for name, at in zip(names, picked.tolist(), strict=True)
    ]
    found.sort(key=lambda row: (-abs(row["difference"]), row["key"], row["values"]))
    return {"kind": kind, "columns": columns, "n": rows.size, "rows": found[:MAX_ROWS]}


def _largest(disagreement: Disagreement) -> float:
    return abs(disagreement["rows"][0]["difference"])
