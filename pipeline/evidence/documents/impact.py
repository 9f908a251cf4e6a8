"""The impact of a batch's scores as JSON."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from ...records.provenance import RunProvenance
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
    """The difference of an arm from `base`, on the same folds and the same draws."""

    name: str
    intervals: dict[str, Interval]


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
    model: str | None
    protocol: Protocol
    arms: list[Arm]
    deltas: list[Delta]
    verdict: Verdict
    reason: str
    all_rows: AllRows | None


class Impact(TypedDict):
    """`second-opinion-retrain-impact-v1`."""

    schema: str
    status: Literal["ok"]
    manifest: str
    report: Cited
    audit: Cited
    tables: list[TableImpact]
    run_provenance: RunProvenance
