"""Tables of made data, as evidence is taken from them: labels follow a quality that features see dimly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.evidence.table import EvidenceTable, Floats, ScoreColumn


def column(label: str) -> str:
    """The column of a scorer's scores."""
    return f"second_opinion_{label}_score"


def quality(contents: int = 60, rows_each: int = 2, seed: int = 0) -> Floats:
    """What the rows of a table look like to people; rows of one content are alike."""
    random = np.random.default_rng([seed, 1])
    rows = contents * rows_each
    return np.repeat(random.normal(size=contents), rows_each) + 0.5 * random.normal(size=rows)


def made_table(contents: int = 60, rows_each: int = 2, seed: int = 0, **scores: Floats) -> EvidenceTable:
    """A table of `contents`, each with several rows, four features, of which one sees the quality, and scorers.

    :param scores: by label, one score per row; none: one scorer `dover` that sees the quality well.
    """
    truth = quality(contents, rows_each, seed)
    random = np.random.default_rng([seed, 2])
    scores = scores or {"dover": truth + 0.3 * np.random.default_rng([seed, 4]).normal(size=truth.size)}
    columns = {
        "mos": 3 + truth + 0.2 * random.normal(size=truth.size),
        "blur": truth + random.normal(size=truth.size),
    }
    columns |= {f"other_{at}": random.normal(size=truth.size) for at in range(3)}
    columns |= {column(label): values for label, values in scores.items()}
    return EvidenceTable(
        id="made",
        out="joined/made.parquet",
        corpus="made",
        rows=truth.size,
        keys=pa.array([f"clip_{at}" for at in range(truth.size)]),
        columns=columns,
        target="mos",
        group="content",
        groups=np.repeat(np.arange(contents), rows_each),
        baseline=("blur", "other_0", "other_1", "other_2"),
        scorers=tuple(ScoreColumn(label, column(label)) for label in sorted(scores)),
        statuses={
            label: {
                "ok": int(np.isfinite(values).sum()),
                "bad": 0,
                "missing": int(np.isnan(values).sum()),
            }
            for label, values in scores.items()
        },
    )


def noise(seed: int, rows: int = 120) -> Floats:
    """Scores that say nothing."""
    return np.random.default_rng([seed, 3]).normal(size=rows)


def changed(table: EvidenceTable, columns: dict[str, Floats] | None = None, **changes: Any) -> EvidenceTable:
    """The table with other columns or attributes."""
    return replace(table, columns=table.columns | (columns or {}), **changes)
