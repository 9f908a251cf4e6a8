"""How each signal of a table correlates with its label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evidence.audit.baseline import out_of_fold
from pipeline.evidence.documents import Interval, WithTarget
from pipeline.evidence.statistics.correlations import partial, pearson, ranks
from pipeline.evidence.statistics.resampling import Draws, interval
from pipeline.evidence.table import EvidenceTable, Floats

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Association:
    """The label of a table, prepared for comparing signals with it.

    Attributes:
        table: a table with a target.
        rows: numbers of the rows that have a finite label; all arrays below have one element for each.
        label: the labels, in their own units.
        label_ranks: the ranks of the labels.
        baseline: the labels that a model of the baseline predicts; None: the table has no baseline.
        draws: the bootstrap over contents; each row is a content of its own if none are declared.
    """

    table: EvidenceTable
    rows: Rows
    label: Floats
    label_ranks: Floats
    baseline: Floats | None
    draws: Draws

    @classmethod
    def of(cls, table: EvidenceTable) -> Association:
        """Prepare the label once for all signals of the table."""
        whole = table.columns[table.target or ""]
        rows = np.flatnonzero(np.isfinite(whole))
        label = whole[rows]
        groups = np.arange(rows.size) if table.groups is None else table.groups[rows]
        return cls(
            table=table,
            rows=rows,
            label=label,
            label_ranks=ranks(label),
            baseline=out_of_fold([table.columns[name] for name in table.baseline], rows, label, groups),
            draws=Draws.of_groups(groups),
        )

    def of_column(self, column: str, ranked: NDArray[np.float32]) -> WithTarget:
        """The correlation of a column with the label, over the rows that have both values.

        A column of the baseline has no partial coefficient; the others have one, which controls for the baseline's
        prediction.

        :param ranked: the column's `centred_ranks`; they are reused if every row has both values.
        """
        values = self.table.columns[column][self.rows]
        kept = np.flatnonzero(np.isfinite(values))
        complete = kept.size == values.size
        x, y = values[kept], self.label[kept]
        x_ranks = ranked.astype(np.float64) if kept.size == self.table.rows else ranks(x)
        y_ranks = self.label_ranks if complete else ranks(y)
        draws = self.draws if complete else self.draws.of_rows(kept)
        rest = None if column in self.table.baseline else self._beyond(kept, x_ranks, y_ranks)
        return {
            "n": x.size,
            "pearson": pearson(x, y),
            "spearman": pearson(x_ranks, y_ranks),
            "partial": rest and pearson(*rest),
            "intervals": {
                "pearson": _interval(draws, x, y),
                "spearman": _interval(draws, x_ranks, y_ranks),
                "partial": rest and _interval(draws, *rest),
            },
        }

    def _beyond(self, kept: Rows, x: Floats, y: Floats) -> tuple[Floats, Floats] | None:
        return None if self.baseline is None else partial(x, y, ranks(self.baseline[kept]))


def _interval(draws: Draws, x: Floats, y: Floats) -> Interval:
    """The interval over the draws; null if there are fewer than two groups or the coefficient is not defined."""
    if pearson(x, y) is None or not np.ptp(draws.bundles):
        return [None, None]
    return interval(draws.pearson(x, y))
