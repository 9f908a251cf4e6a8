"""The section that measures scorers against labels whose uncertainty is known: ITU-T P.1401 and Krasula et al."""

from __future__ import annotations

from collections.abc import Sequence

from ...documents import RatingAgreement
from ...statistics.ratings.accuracy import Accuracy
from ...statistics.ratings.discrimination import MEASURES, RatedPairs
from ...statistics.ratings.uncertainty import rated
from ...table import Codes, EvidenceTable, Floats
from .scores import MIN_ROWS, LabelledScores, contents_of, is_turned


def rating_section(table: EvidenceTable, scores: Sequence[LabelledScores]) -> list[RatingAgreement]:
    """One entry per scorer; empty if deviation and number of ratings are not declared.

    A scorer without a fitted curve, or with fewer than eight rated rows, has no entry.
    """
    if table.target_sd is None or table.target_n is None or table.corpora is not None:
        return []
    contents = contents_of(table)
    found = (_agreement(table, each, table.target_sd, table.target_n, contents) for each in scores)
    return [each for each in found if each is not None]


def _agreement(
    table: EvidenceTable, scores: LabelledScores, sd: Floats, n: Floats, contents: Codes
) -> RatingAgreement | None:
    kept = rated(scores.labels, sd[scores.rows], n[scores.rows])
    rows, labels = scores.rows[kept], scores.labels[kept]
    if rows.size < MIN_ROWS or scores.curve is None:
        return None
    accuracy = Accuracy.of(scores.curve(scores.scores[kept]), labels, sd[rows], n[rows])
    if accuracy is None:
        return None
    pairs = RatedPairs.of(labels, sd[rows], n[rows], contents[rows])
    sign = -1.0 if is_turned(table, scores.scorer) else 1.0
    discrimination = pairs.discrimination(sign * scores.scores[kept])
    measured = dict(zip(MEASURES, discrimination.values.tolist(), strict=True))
    ends = dict(zip(MEASURES, discrimination.intervals(), strict=True))
    return {
        "label": scores.scorer.label,
        "n": accuracy.rows,
        "rmse": accuracy.rmse,
        "rmse_star": accuracy.rmse_star,
        "outlier_ratio": accuracy.outlier_ratio,
        "half_interval": accuracy.half_interval,
        "compared_rows": pairs.rows.size,
        "pairs": discrimination.pairs,
        "different_pairs": discrimination.different_pairs,
        "auc_different": measured["auc_different"],
        "auc_better": measured["auc_better"],
        "c0": measured["c0"],
        "intervals": {
            "auc_different": ends["auc_different"],
            "auc_better": ends["auc_better"],
            "c0": ends["c0"],
        },
    }
