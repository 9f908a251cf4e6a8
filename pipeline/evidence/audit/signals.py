"""The signals of a joined table, and statistics of their values.

A signal may say something about quality. These are not signals: the label, values derived from ratings, names, splits,
and facts about the scoring itself, since a scorer's runtime depends on the size of the clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...manifest.families import UNASSIGNED, Families, Family, tokens_of
from ..documents import FamilyCoverage, FamilyStatus
from ..statistics.threads import in_order
from ..table import EvidenceTable, Floats

MIN_FINITE_SHARE = 0.80
MIN_STD = 1e-12
_JOINED = ("second", "opinion")


@dataclass(frozen=True)
class Statistics:
    """Statistics of a column's finite values; all but the share are NaN if there are no such values.

    Attributes:
        finite_share: share of rows with a finite value, 0 to 1; 0 if there are no rows.
        mean: in the column's own units, like the following ones.
        std: population standard deviation (ddof 0).
        min: the smallest value.
        max: the largest value.
    """

    finite_share: float
    mean: float
    std: float
    min: float
    max: float

    @property
    def healthy(self) -> bool:
        """True if the column has enough values and they differ."""
        return self.finite_share >= MIN_FINITE_SHARE and self.std > MIN_STD


@dataclass(frozen=True)
class SignalColumn:
    """One signal of a table.

    Attributes:
        column: its name.
        family: name of its family, or `families.UNASSIGNED`.
        role: `score` if the join appended it, `baseline` if the baseline model is given it.
        statistics: those of its finite values.
    """

    column: str
    family: str
    role: Literal["score", "baseline", "other"]
    statistics: Statistics


def signals_of(table: EvidenceTable, families: Families, workers: int = 1) -> tuple[SignalColumn, ...]:
    """The signals of a table, in the order of its columns.

    :param workers: threads that compute; the result does not depend on it.
    """
    found = {
        column: family
        for column in table.columns
        if column != table.target and (family := _family(table, families, column)) is not None
    }
    statistics = in_order(lambda column: statistics_of(table.columns[column]), [*found], workers)
    return tuple(
        SignalColumn(column, family, _role(table, column), each)
        for (column, family), each in zip(found.items(), statistics, strict=True)
    )


def excluded_of(table: EvidenceTable, families: Families) -> Iterator[tuple[str, str]]:
    """The columns that are not signals because of their names, each with its excluded kind; the target is left out."""
    scores = {scorer.column for scorer in table.scorers}
    for column in table.columns:
        claimed = families.claims(column)
        if column not in scores and column != table.target and claimed and families.reason(claimed):
            yield column, claimed


def statistics_of(values: Floats) -> Statistics:
    """The statistics of one column. They are computed on values scaled to at most 1, so that nothing overflows."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Statistics(0.0, np.nan, np.nan, np.nan, np.nan)
    scale = float(np.abs(finite).max()) or 1.0
    scaled = finite / scale
    return Statistics(
        finite_share=finite.size / values.size,
        mean=scale * float(scaled.mean()),
        std=scale * float(scaled.std()),
        min=float(finite.min()),
        max=float(finite.max()),
    )


def coverage_of(signals: Sequence[SignalColumn], families: Families) -> list[FamilyCoverage]:
    """Each family, in the order of the file, with its columns among the signals."""
    return [
        _coverage(family, [each for each in signals if each.family == family.name])
        for family in families.members
    ]


def _coverage(family: Family, members: Sequence[SignalColumn]) -> FamilyCoverage:
    healthy = [each.column for each in members if each.statistics.healthy]
    status: FamilyStatus = "covered" if healthy else "weak" if members else "missing"
    return {
        "name": family.name,
        "title": family.title,
        "question": family.question,
        "status": status,
        "columns": [each.column for each in members],
        "healthy": healthy,
        "candidates": list(family.candidates),
        "advice": family.advice,
    }


def _family(table: EvidenceTable, families: Families, column: str) -> str | None:
    """The family of a column; None if it is not a signal."""
    claimed, tokens = families.claims(column), tokens_of(column)
    if any(scorer.column == column for scorer in table.scorers):
        return families.scores
    if claimed is not None and families.reason(claimed) is not None:
        return None
    if tokens[:2] == _JOINED:  # appended by an earlier join
        return families.scores if tokens[-1] == "score" else None
    return claimed or UNASSIGNED


def _role(table: EvidenceTable, column: str) -> Literal["score", "baseline", "other"]:
    if any(scorer.column == column for scorer in table.scorers):
        return "score"
    return "baseline" if column in table.baseline else "other"
