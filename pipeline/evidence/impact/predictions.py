"""What the models' predictions are worth beyond correlations: order within contents, ratings, the ceiling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..documents import ArmPrediction, Gain, OrderedPrediction, RatedPrediction
from ..statistics.folds import Rows
from ..statistics.order import LabelledContents
from ..statistics.ratings.accuracy import Accuracy
from ..statistics.ratings.ceiling import LabelCeiling, ceiling_of
from ..statistics.ratings.discrimination import MEASURES, RatedPairs, gains
from ..statistics.ratings.uncertainty import rated
from ..table import Codes, EvidenceTable, Floats
from .arms import Inputs
from .comparison import Comparison
from .protocol import BASE

_MIN_RATED = 8


def arm_predictions(
    table: EvidenceTable, rows: Rows, inputs: Inputs, found: Comparison
) -> list[ArmPrediction]:
    """Each arm's predictions of the first repeat.

    :param rows: the rows of the table that `inputs` and the predictions are of.
    """
    contents = LabelledContents.of(inputs.labels, inputs.groups)
    ratings = _Ratings.of(table, rows, inputs)
    ceiling = ceiling_of(table, rows)
    return [
        {
            "arm": name,
            "order": None if contents is None else _ordered(contents, raw),
            "ratings": None if ratings is None else ratings.of_arm(raw, mapped, found.predicted[BASE][0]),
            "ceiling_share": _share(ceiling, float(found.measured[name].figures[4])),
        }
        for name, (raw, mapped) in found.predicted.items()
    ]


@dataclass(frozen=True)
class _Ratings:
    """Rows with known ratings, and their pairs; arrays have one element per such row."""

    rows: Rows
    labels: Floats
    sd: Floats
    n: Floats
    pairs: RatedPairs

    @classmethod
    def of(cls, table: EvidenceTable, rows: Rows, inputs: Inputs) -> _Ratings | None:
        if table.target_sd is None or table.target_n is None or table.corpora is not None:
            return None
        sd, n = table.target_sd[rows], table.target_n[rows]
        kept = np.flatnonzero(rated(inputs.labels, sd, n))
        if kept.size < _MIN_RATED:
            return None
        groups: Codes = inputs.groups[kept]
        pairs = RatedPairs.of(inputs.labels[kept], sd[kept], n[kept], groups)
        return cls(kept, inputs.labels[kept], sd[kept], n[kept], pairs)

    def of_arm(self, raw: Floats, mapped: Floats, base: Floats) -> RatedPrediction | None:
        """The errors of mapped predictions, how raw ones tell pairs apart, and whether better than the base's do."""
        accuracy = Accuracy.of(mapped[self.rows], self.labels, self.sd, self.n)
        if accuracy is None:
            return None
        own, others = (self.pairs.discrimination(each[self.rows]) for each in (raw, base))
        values = dict(zip(MEASURES, own.values.tolist(), strict=True))
        better = {
            name: Gain(difference=each.difference, interval=each.interval, p=each.p)
            for name, each in gains(others, own).items()
        }
        return {
            "n": accuracy.rows,
            "rmse": accuracy.rmse,
            "rmse_star": accuracy.rmse_star,
            "outlier_ratio": accuracy.outlier_ratio,
            "auc_different": values["auc_different"],
            "auc_better": values["auc_better"],
            "c0": values["c0"],
            "against_base": better,
        }


def _ordered(contents: LabelledContents, raw: Floats) -> OrderedPrediction:
    order = contents.order(raw)
    return {
        "pairs": order.pairs,
        "contents": order.contents,
        "share": order.share,
        "srcc": order.srcc,
        "intervals": {"share": order.share_interval, "srcc": order.srcc_interval},
    }


def _share(ceiling: LabelCeiling | None, plcc: float) -> float | None:
    return None if ceiling is None or np.isnan(plcc) else ceiling.share(plcc)
