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
        table: has a target.
        rows: numbers of the rows that have a finite label; all arrays below have one element for each.
        label: in its own units.
        label_ranks: its ranks.
        baseline: what a model of the baseline predicts; None: there is none.
        draws: the bootstrap over contents; where none are declared, each row is one of its own.
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
        """Pearson and Spearman over the rows that have both, and, unless it is one of the baseline, Spearman's partial
        coefficient given the baseline's prediction; intervals for all three.

        :param ranked: the column's `centred_ranks`; where no row is left out they spare ranking anew.
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
    """Over the draws; null where there are no two groups to draw from, or the figure is not defined."""
    if pearson(x, y) is None or not np.ptp(draws.bundles):
        return [None, None]
    return interval(draws.pearson(x, y))
