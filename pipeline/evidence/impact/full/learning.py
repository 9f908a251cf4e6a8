"""The learning curve of a table: how good a model is, without the scores and with them, after how many labelled contents.

The contents are put in an order drawn by the seed. The last third is tested; a model learns from the first eighth of the
others, the first quarter, the first half, and all. So each size contains the smaller ones, and all are tested alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from ...documents import LearningCurve, LearningPoint, rounded
from ...statistics.models import Model
from ...table import Codes, EvidenceTable, Floats
from ..arms import Inputs
from .complete import corpora_of, labelled_rows, order_agreement

TESTED_PART = 3
"""One of so many parts of the contents is tested."""

MAX_HALVINGS = 3
MIN_CONTENTS = 10
"""The fewest contents that a model is trained on."""


def measure_learning(table: EvidenceTable, model: Model, seed: int = 0) -> LearningCurve:
    """The curve of the table's complete rows.

    :param table: a table whose impact can be measured.
    """
    labelled = labelled_rows(table)
    every = labelled.complete
    inputs = labelled.inputs(every)
    place, contents = _places(inputs.groups, seed)
    trained = contents - contents // TESTED_PART
    curve = unmeasured_learning(table.id, "")
    curve |= {"model": model.name, "seed": seed, "tested_contents": contents - trained}
    curve["tested_rows"] = int((place >= trained).sum())
    sizes = [trained >> halvings for halvings in range(MAX_HALVINGS, -1, -1)]
    with threadpool_limits(1):  # with more threads sums differ in the last bits
        points = [
            _point(inputs, corpora_of(table, every), place, size, model)
            for size in sizes
            if size >= MIN_CONTENTS
        ]
    for point in points:
        point["base_contents"], point["reason"] = _needed(point["with_scores"], points)
    curve["points"] = points
    result: LearningCurve = rounded(curve)
    return result


def unmeasured_learning(table: str, reason: str) -> LearningCurve:
    """The curve of a table that has none, and why."""
    return {
        "id": table,
        "model": None,
        "seed": 0,
        "tested_contents": 0,
        "tested_rows": 0,
        "points": [],
        "reason": reason or None,
    }


def _places(groups: Codes, seed: int) -> tuple[Codes, int]:
    """The place of each row's content in an order drawn by `seed`, and the number of contents."""
    found, codes = np.unique(groups, return_inverse=True)
    place = np.argsort(np.random.default_rng(seed).permutation(found.size))
    return place[codes].astype(np.int64), int(found.size)


def _point(inputs: Inputs, corpora: Codes, place: Codes, size: int, model: Model) -> LearningPoint:
    """What models learn from the first `size` contents."""
    ordered = np.argsort(place, kind="stable")
    last = place.max() + 1
    learned = ordered[place[ordered] < size]
    tested = ordered[place[ordered] >= last - last // TESTED_PART]

    def srcc(matrix: Floats) -> float | None:
        predict = model.fit(matrix[learned], inputs.labels[learned], place[learned])
        return order_agreement(predict(matrix[tested]), inputs.labels[tested], corpora[tested])

    return {
        "contents": size,
        "rows": int(learned.size),
        "base": srcc(inputs.baseline),
        "with_scores": srcc(np.hstack([inputs.baseline, *inputs.scores.values()])),
        "base_contents": None,
        "reason": None,
    }


def _needed(wanted: float | None, points: Sequence[LearningPoint]) -> tuple[float | None, str | None]:
    """How many contents `base` needs for an SRCC, or why that is not known.

    Between two sizes SRCC is taken to grow with the logarithm of the contents, as curves of learning about do.
    """
    known = [(np.log2(each["contents"]), each["base"]) for each in points if each["base"] is not None]
    if wanted is None or not known:
        return None, "No SRCC is defined: the labels that are tested are all equal."
    reached = next((at for at, (_, base) in enumerate(known) if base >= wanted), None)
    if reached is None:
        return None, f"base does not reach {wanted:.3f} with all {points[-1]['contents']:,} contents."
    if reached == 0:
        return (
            None,
            f"base has as much with {points[0]['contents']:,} contents, the fewest that were tried.",
        )
    (left, low), (right, high) = known[reached - 1 : reached + 1]
    return float(2 ** (left + (right - left) * (wanted - low) / (high - low))), None
