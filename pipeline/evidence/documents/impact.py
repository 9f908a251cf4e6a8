"""The impact of a batch's scores as JSON."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from ...records.provenance import RunProvenance
from .full import LearningCurve, Transfer
from .sections import OrderIntervals
from .values import Cited, Interval

IMPACT_SCHEMA = "second-opinion-retrain-impact-v1"

Verdict: TypeAlias = Literal["improves", "no evidence", "worse", "not measurable"]


class Figures(TypedDict):
    """Six figures of merit. srcc, krcc, plcc: higher is better; rmse: lower is better, in units of the label."""

    srcc: float | None
    krcc: float | None
    plcc: float | None
    rmse: float | None
    plcc_mapped: float | None
    rmse_mapped: float | None


class Arm(Figures):
    """How well a model predicts the label from certain columns; each figure is the mean over folds."""

    name: str
    features: int
    intervals: dict[str, Interval]
    mapping_failures: int


class Delta(Figures):
    """The difference of an arm from another one, mostly `base`, on the same folds and the same draws.

    `intervals` hold the choice of contents and the training; `corrected_t` is the corrected resampled t interval of
    Nadeau and Bengio, at the same level.
    """

    name: str
    intervals: dict[str, Interval]
    corrected_t: dict[str, Interval]


class LeftOut(TypedDict):
    """A scorer that is not measured, and the reason."""

    label: str
    reason: str


class CorpusImpact(TypedDict):
    """SRCC without and with the scores within one corpus of a table that pools several."""

    corpus: str
    rows: int
    groups: int
    base: float | None
    with_scores: float | None
    change: float | None
    interval: Interval


class OrderedPrediction(TypedDict):
    """How predictions order the rows of one content; as in `OrderedColumn`."""

    pairs: int
    contents: int
    share: float | None
    srcc: float | None
    intervals: OrderIntervals


class Gain(TypedDict):
    """How much better than the base's predictions; `p`: probability of a difference as large by chance, two-sided."""

    difference: float | None
    interval: Interval
    p: float | None


class RatedPrediction(TypedDict):
    """Predictions against labels whose uncertainty is known; as in `RatingAgreement`."""

    n: int
    rmse: float | None
    rmse_star: float | None
    outlier_ratio: float | None
    auc_different: float | None
    auc_better: float | None
    c0: float | None
    against_base: dict[str, Gain]


class ArmPrediction(TypedDict):
    """The predictions of one arm in the first repeat; `ceiling_share` is its PLCC by the highest that labels allow."""

    arm: str
    order: OrderedPrediction | None
    ratings: RatedPrediction | None
    ceiling_share: float | None


class ImpactCeiling(TypedDict):
    """What the labels of the measured rows allow a perfect predictor."""

    rows: int
    reliability: float
    correlation: float
    rmse: float


class Protocol(TypedDict):
    """How the arms were compared."""

    folds: int
    repeats: int
    seed: int
    bootstrap: int
    level: float
    comparisons: int
    tuning: str


class AllRows(TypedDict):
    """The arms on all rows with a label; missing scores are imputed."""

    rows: int
    groups: int
    arms: list[Arm]
    deltas: list[Delta]


class TableImpact(TypedDict):
    """How much the scores of one table help a model to predict its label."""

    id: str
    target: str
    group: str | None
    corpus: str
    rows: int
    groups: int | None
    effective_groups: float | None
    nameless_rows: int
    left_out: list[LeftOut]
    model: str | None
    protocol: Protocol
    arms: list[Arm]
    deltas: list[Delta]
    against_control: Delta | None
    corpora: list[CorpusImpact]
    ceiling: ImpactCeiling | None
    predictions: list[ArmPrediction]
    verdict: Verdict
    reason: str
    all_rows: AllRows | None


class Impact(TypedDict):
    """`second-opinion-retrain-impact-v1`; curves and transfers are null if they were not requested."""

    schema: str
    status: Literal["ok"]
    manifest: str
    report: Cited
    audit: Cited
    tables: list[TableImpact]
    learning_curves: list[LearningCurve] | None
    transfers: list[Transfer] | None
    run_provenance: RunProvenance
