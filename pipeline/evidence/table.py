"""A joined table as evidence is taken from it: its numbers in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class ScoreColumn:
    """One scorer's scores in a table, and what the manifest declares of it.

    Attributes:
        label: the scorer's name.
        column: the column of its scores.
        direction: whether higher or lower is better; None: not declared.
        scale: least and greatest score; None: not declared.
        revision: of the scorer; None: not declared.
        trained_on: names of corpora.
    """

    label: str
    column: str
    direction: Literal["higher", "lower"] | None = None
    scale: tuple[float, float] | None = None
    revision: str | None = None
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvidenceTable:
    """A joined table; all arrays have one element per row.

    Attributes:
        id: the table's id in the manifest.
        out: the joined table, as the manifest names it.
        corpus: what `trained_on` of a scorer would name.
        rows: number of rows.
        columns: every numeric column in the table's order, NaN where it has no value; scores that are not `ok` are
            none. The key and the group are not among them.
        target: the label, one of `columns`; None: none is declared.
        group: the column that names the content; None: none is declared.
        groups: the content of each row, from 0 in order of appearance; None: not declared. Where rows are declared
            to be contents of their own, `group` is None and each row has its own number.
        baseline: the columns that the baseline model is given; never the target, nor what the join appended.
        scorers: the scorers in order of label.
        statuses: per label, the number of rows by status: `ok`, `bad`, `missing`.
    """

    id: str
    out: str
    corpus: str
    rows: int
    columns: dict[str, Floats]
    target: str | None
    group: str | None
    groups: Codes | None
    baseline: tuple[str, ...]
    scorers: tuple[ScoreColumn, ...]
    statuses: dict[str, dict[str, int]]
