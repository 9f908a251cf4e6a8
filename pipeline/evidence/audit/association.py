"""How each signal of a table correlates with its label."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..documents import Interval, WithTarget
from ..statistics.correlations import Ranked, correlation, partial, pearson, ranks, standardized
from ..statistics.resampling import Draws, Moments, interval
from ..table import MIN_CORPUS_CONTENTS, Codes, EvidenceTable, Floats
from .baseline import out_of_fold

Rows: TypeAlias = NDArray[np.intp]
_Name: TypeAlias = Literal["pearson", "spearman", "partial"]


@dataclass(frozen=True)
class Association:
    """The labels of a table, prepared for comparison of each signal with them.

    Attributes:
        table: a table with a target.
        rows: numbers of the rows that have a finite label and name their content, and their corpus if the table pools
            corpora; all arrays below have one element for each.
        label: the labels, in their own units.
        corpora: the corpus of each row, numbered from 0; None: all rows are of one.
        baseline: the labels that a model of the baseline predicts; None: the table has no baseline.
        draws: the bootstrap over contents; each row is a content of its own if none are declared.
    """

    table: EvidenceTable
    rows: Rows
    label: Floats
    corpora: Codes | None
    baseline: Floats | None
    draws: Draws

    @classmethod
    def of(cls, table: EvidenceTable, workers: int = 1) -> Association:
        """Prepare the label once for all signals of the table.

        :param workers: threads that train the baseline's models; the result does not depend on it.
        """
        whole = table.columns[table.target or ""]
        rows = table.of_large_corpora(np.flatnonzero(np.isfinite(whole) & table.named_rows))
        label = whole[rows]
        groups = np.arange(rows.size) if table.groups is None else table.groups[rows]
        return cls(
            table=table,
            rows=rows,
            label=label,
            corpora=None if table.corpora is None else table.corpora.codes[rows],
            baseline=out_of_fold(
                [table.columns[name] for name in table.baseline], rows, label, groups, workers
            ),
            draws=Draws.of_groups(groups),
        )

    @functools.cached_property
    def _whole(self) -> _Label:
        return _Label(self.label, self.draws)

    def of_column(self, column: str, ranked: NDArray[np.float32]) -> WithTarget:
        """The correlation of a column with the label, over the rows that have both values.

        Of a table that pools corpora it is the mean over corpora of each one's own, and `pooled` is Spearman's
        coefficient over all rows. A column of the baseline has no partial coefficient; the others have one, which
        controls for the baseline's prediction.

        :param ranked: the column's `centred_ranks`; they are reused if every row has both values.
        """
        values = self.table.columns[column][self.rows]
        kept = np.flatnonzero(np.isfinite(values))
        complete = kept.size == self.table.rows
        known = ranked.astype(np.float64) + (kept.size + 1) / 2 if complete else None
        if self.corpora is None:
            return _mean_of([self._agreement(column, values, kept, known)], None)
        parts = [
            self._agreement(column, values, kept[self.corpora[kept] == corpus])
            for corpus in np.unique(self.corpora)
            if np.count_nonzero(self.corpora[kept] == corpus) >= MIN_CORPUS_CONTENTS
        ]
        return _mean_of(parts, pearson(ranks(values[kept]), ranks(self.label[kept])) if kept.size else None)

    def _agreement(
        self, column: str, values: Floats, kept: Rows, x_ranks: Floats | None = None
    ) -> _Agreement:
        """The correlation over some of the rows."""
        complete = kept.size == values.size
        label = self._whole if complete else _Label(self.label[kept], self.draws.of_rows(kept))
        x, draws = standardized(values[kept]), label.draws
        x_ranks = ranks(values[kept]) if x_ranks is None else x_ranks
        found = {
            "pearson": correlation(x, label.standard),
            "spearman": correlation(standardized(x_ranks), label.standard_ranks),
            "partial": None,
        }
        drawn: dict[str, Floats] = {}
        if np.ptp(draws.bundles) if kept.size else 0:
            drawn = {
                "pearson": draws.correlation(draws.moments(x), label.moments),
                "spearman": draws.of_ranks(Ranked.of(x_ranks), label.ranked),
            }
        if self.baseline is not None and column not in self.table.baseline:
            rest = partial(x_ranks, label.ranks, ranks(self.baseline[kept]))
            if rest is not None:
                found["partial"] = pearson(*rest)
                drawn |= {"partial": draws.pearson(*rest)} if drawn else {}
        return _Agreement(kept.size, found, {name: drawn[name] for name in drawn if found[name] is not None})


@dataclass(frozen=True)
class _Label:
    """The labels of some rows, and what each signal is compared with.

    Attributes:
        values: the labels, in their own units.
        draws: the bootstrap of these rows.
    """

    values: Floats
    draws: Draws

    @functools.cached_property
    def ranks(self) -> Floats:
        return ranks(self.values)

    @functools.cached_property
    def standard(self) -> Floats | None:
        return standardized(self.values)

    @functools.cached_property
    def standard_ranks(self) -> Floats | None:
        return standardized(self.ranks)

    @functools.cached_property
    def ranked(self) -> Ranked:
        return Ranked.of(self.ranks)

    @functools.cached_property
    def moments(self) -> Moments | None:
        return self.draws.moments(self.standard)


@dataclass(frozen=True)
class _Agreement:
    """The correlation over some rows; `drawn` has the coefficients of all draws, if they are defined."""

    n: int
    found: dict[str, float | None]
    drawn: dict[str, Floats]


def _mean_of(parts: Sequence[_Agreement], pooled: float | None) -> WithTarget:
    """The mean over parts in which a coefficient is defined."""

    def mean(name: _Name) -> float | None:
        known = [value for part in parts if (value := part.found[name]) is not None]
        return float(np.mean(known)) if known else None

    def ends(name: _Name) -> Interval:
        drawn = [part.drawn[name] for part in parts if name in part.drawn]
        return interval(np.mean(drawn, axis=0)) if drawn else [None, None]

    return {
        "n": sum(part.n for part in parts),
        "pearson": mean("pearson"),
        "spearman": mean("spearman"),
        "partial": mean("partial"),
        "pooled": pooled,
        "intervals": {
            "pearson": ends("pearson"),
            "spearman": ends("spearman"),
            "partial": None if mean("partial") is None else ends("partial"),
        },
    }
