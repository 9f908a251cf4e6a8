"""Which rows and scorers of a table the impact is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..documents import LeftOut
from ..statistics.folds import Rows
from ..table import MAX_MAGNITUDE, EvidenceTable, Floats, ScoreColumn
from .arms import Inputs


@dataclass(frozen=True)
class Labelled:
    """The rows of a table that can be measured, and the scorers that can.

    Attributes:
        table: a table with a target.
        target: its label.
        every: the rows with a label that name their content, and their corpus if the table pools corpora.
        complete: those of them with a score of every scorer that is not left out.
        nameless: the number of rows with a label that name no content or no corpus, or whose corpus is too small.
        scorers: the scorers that are measured.
        left_out: the other scorers, with the reason.
    """

    table: EvidenceTable
    target: str
    every: Rows
    complete: Rows
    nameless: int
    scorers: tuple[ScoreColumn, ...]
    left_out: list[LeftOut]

    @classmethod
    def of(cls, table: EvidenceTable, target: str) -> Labelled:
        """Choose the rows and the scorers."""
        has_label = np.isfinite(bounded(table.columns[target]))
        known = has_label & table.named_rows
        left_out = [
            LeftOut(label=each.label, reason=reason)
            for each in table.scorers
            if (reason := _useless(bounded(table.columns[each.column])[known]))
        ]
        labels = {each["label"] for each in left_out}
        scorers = tuple(each for each in table.scorers if each.label not in labels)
        every = table.of_large_corpora(np.flatnonzero(known))
        complete = known.copy()
        for scorer in scorers:
            complete &= np.isfinite(bounded(table.columns[scorer.column]))
        return cls(
            table=table,
            target=target,
            every=every,
            complete=table.of_large_corpora(np.flatnonzero(complete)),
            nameless=int(np.count_nonzero(has_label)) - every.size,
            scorers=scorers,
            left_out=left_out,
        )

    def inputs(self, rows: Rows) -> Inputs:
        """What models are given of these rows.

        :raises ValueError: the table declares no contents.
        """
        table = self.table
        if table.groups is None:
            raise ValueError(f"{table.id}: no column names the content")
        return Inputs(
            table.labels[rows],
            table.groups[rows],
            self.baseline(rows),
            {each.label: _with_gaps(bounded(table.columns[each.column][rows])) for each in self.scorers},
            None if table.corpora is None else np.unique(table.corpora.codes[rows], return_inverse=True)[1],
        )

    def parts(self) -> list[Rows]:
        """The rows with a label, corpus by corpus."""
        if self.table.corpora is None:
            return [self.every]
        codes = self.table.corpora.codes[self.every]
        return [self.every[codes == code] for code in np.unique(codes)]

    def baseline(self, rows: Rows) -> Floats:
        """The columns of the baseline, rows x columns; finite or NaN."""
        return np.column_stack([bounded(self.table.columns[name][rows]) for name in self.table.baseline])


def bounded(values: Floats) -> Floats:
    """The values, with NaN in place of those above `MAX_MAGNITUDE`."""
    return np.where(np.abs(values) <= MAX_MAGNITUDE, values, np.nan)


def _useless(scores: Floats) -> str | None:
    """Why nothing can be learned from scores; None if something may."""
    known = scores[np.isfinite(scores)]
    if not scores.size:
        return None
    if not known.size:
        return "no row with a label has a score"
    return f"every score is {known[0]:.6g}" if np.ptp(known) == 0 else None


def _with_gaps(scores: Floats) -> Floats:
    """Scores as one column, and a second column that marks missing scores, if there are any."""
    gaps = np.isnan(scores)
    return np.column_stack([scores, gaps.astype(np.float64)]) if gaps.any() else scores[:, None]
