"""Scores and columns of the baseline that are the label, and rows that are copies of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..documents import Leak, Signal
from ..statistics.leaks import leak_reason
from ..statistics.repeats import first_of_each, repeated_rows
from ..table import EvidenceTable, Floats


def leak_reasons(table: EvidenceTable, signals: Sequence[Signal], repeated: int) -> dict[str, str]:
    """The scores and the columns of the baseline that are the label, in all rows of a corpus or in some, and why.

    :param repeated: the number of rows that are copies of others, as `repeats_of` counts them.
    """
    if table.target is None:
        return {}
    label, found = table.columns[table.target], {}
    parts = [*_parts(table, repeated)]
    for column in [each["column"] for each in signals if each["role"] != "other"]:
        for rows in parts:
            groups = None if table.groups is None else table.groups[rows]
            if column not in found and (
                reason := leak_reason(table.columns[column][rows], label[rows], groups)
            ):
                found[column] = reason
    return found


def _parts(table: EvidenceTable, repeated: int) -> Iterator[NDArray[np.intp]]:
    """The rows that are no copy of an earlier one, corpus by corpus: over several, a score that names the corpus is none."""
    rows = first_of_each(*_compared(table)) if repeated else np.arange(table.rows)
    if table.corpora is None:
        yield rows
    else:
        yield from (rows[table.corpora.codes[rows] == at] for at in range(len(table.corpora.values)))


def repeats_of(table: EvidenceTable) -> int:
    """The number of labelled rows that have the baseline and the label of a row of another content."""
    if table.target is None or not table.baseline:
        return 0
    features, label = _compared(table)
    rows = np.flatnonzero(np.isfinite(label) & table.named_rows)
    groups = np.arange(rows.size) if table.groups is None else table.groups[rows]
    return repeated_rows((column[rows] for column in features), label[rows], groups)


def _compared(table: EvidenceTable) -> tuple[list[Floats], Floats]:
    return [table.columns[name] for name in table.baseline], table.columns[table.target or ""]


def leaks_of(signals: Sequence[Signal], reasons: Mapping[str, str]) -> list[Leak]:
    """The scores that are the label."""
    return [
        {
            "column": each["column"],
            "reason": reasons[each["column"]],
            "pearson": each["target"]["pearson"],
            "spearman": each["target"]["spearman"],
            "n": each["target"]["n"],
        }
        for each in signals
        if each["role"] == "score" and each["target"] is not None and each["column"] in reasons
    ]
