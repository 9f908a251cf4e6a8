"""Impacts of made tables, and whole batches: report, audit and impact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.evidence.documents import (
    IMPACT_SCHEMA,
    Arm,
    ArmPrediction,
    Audit,
    Delta,
    Gain,
    Impact,
    LearningPoint,
    TableImpact,
    Transfer,
    TransferArm,
    Verdict,
    rounded,
)
from pipeline.evidence.impact.full.learning import unmeasured_learning
from pipeline.evidence.impact.full.transfer import unmeasured_transfer
from pipeline.report.build import Report
from pipeline.storage.jsontext import JsonObject
from tests.support.evidence_documents import (
    ROWS,
    SCORERS,
    around,
    bare_audit,
    batch_audit,
    batch_report,
    cited,
    failed_report,
    provenance,
    table_audit,
    table_report,
)

MEASURES = ("srcc", "krcc", "plcc", "rmse", "plcc_mapped", "rmse_mapped")


def batch_impact(tables: Sequence[TableImpact]) -> Impact:
    """The impact of these tables' scores."""
    impact: Impact = rounded(
        {
            "schema": IMPACT_SCHEMA,
            "status": "ok",
            "manifest": "manifests/corpora.json",
            "report": cited("report"),
            "audit": cited("audit"),
            "tables": list(tables),
            "learning_curves": None,
            "transfers": None,
            "run_provenance": provenance("impact"),
        }
    )
    return impact


def table_impact(
    name: str, labels: Sequence[str] = SCORERS[:3], verdict: Verdict = "improves", gain: float = 0.1
) -> TableImpact:
    """What scores are worth that bring `gain` in SRCC; nothing but the control otherwise."""
    gains = {"scores": gain - 0.02, "base+scores": gain, "base+shuffled": -0.003}
    gains |= {f"base+{label}": gain * (1 - 0.2 * at) for at, label in enumerate(labels)}
    deltas = [_delta(arm, each) for arm, each in gains.items()]
    arms = [_arm("base", 0.0), *(_arm(arm, each) for arm, each in gains.items())]
    return {
        "id": name,
        "target": "mos",
        "group": "flickr_id",
        "corpus": name,
        "rows": ROWS - 20,
        "groups": 590,
        "effective_groups": 571.3,
        "nameless_rows": 0,
        "left_out": [],
        "model": "svr-rbf",
        "protocol": {
            "folds": 5, "repeats": 4, "seed": 0, "bootstrap": 1000, "level": 0.95, "comparisons": len(labels),
            "tuning": "C and gamma by least RMSE on a fifth of the contents of each training fold.",
        },
        "arms": arms,
        "deltas": deltas,
        "against_control": _delta("base+scores", gain + 0.003),
        "corpora": [],
        "ceiling": {"rows": ROWS - 20, "reliability": 0.96, "correlation": 0.98, "rmse": 0.11},
        "predictions": [_prediction(arm["name"], at) for at, arm in enumerate(arms)],
        "verdict": verdict,
        "reason": f"SRCC changes by {gain:+.3f} with the scores; the control stays flat.",
        "all_rows": {"rows": ROWS, "groups": 600, "arms": arms, "deltas": deltas},
    }  # fmt: skip


def in_full(impact: Impact) -> Impact:
    """The impact with a learning curve of its first table, and with transfers between its first two, one not measured."""
    first, second = (table["id"] for table in impact["tables"][:2])
    points: list[LearningPoint] = [
        {"contents": 100 * 2**at, "rows": 100 * 2**at, "base": base, "with_scores": 0.7 + at / 20,
         "base_contents": 282.8 if at == 0 else None, "reason": None if at == 0 else "base does not reach it."}
        for at, base in enumerate((0.6, 0.65, 0.75))
    ]  # fmt: skip
    arms: list[TransferArm] = [
        {"name": name, "features": 60, "srcc": srcc, "plcc": srcc, "rmse": 0.8}
        for name, srcc in (("base", -0.143), ("base+scores", 0.741), ("scores", 0.768))
    ]
    measured: Transfer = {
        "trained_on": first, "tested_on": second, "model": "svr-rbf", "columns": 60, "scorers": ["dover"],
        "trained_rows": 1200, "tested_rows": 1147, "arms": arms, "outside": 0.705,
        "outside_columns": [{"column": "videval_24", "share": 0.6}],
        "warning": f"70.5 % of the rows of {second} leave the range of {first}.", "reason": None,
    }  # fmt: skip
    refused = unmeasured_transfer(second, first, f"The impact of {second} is not measurable.")
    return {
        **impact,
        "learning_curves": [
            {"id": first, "model": "svr-rbf", "seed": 0, "tested_contents": 200, "tested_rows": 200,
             "points": points, "reason": None},
            unmeasured_learning(second, f"The impact of {second} is not measurable."),
        ],
        "transfers": [measured, refused],
    }  # fmt: skip


def unmeasured_impact(name: str) -> TableImpact:
    """A table of which the impact cannot be measured."""
    impact: Any = table_impact(name, verdict="not measurable")
    reason = "No column names the content: name it as evidence.group in the manifest."
    impact.update(group=None, groups=None, effective_groups=None, model=None, reason=reason)
    impact.update(arms=[], deltas=[], against_control=None, ceiling=None, predictions=[], all_rows=None)
    unmeasured: TableImpact = impact
    return unmeasured


def whole_batch(tables: int = 2, scorers: int = 3) -> tuple[Report, Audit, Impact]:
    """Report, audit and impact of a batch with a table that failed, one without a label, one not measurable."""
    labels = SCORERS[:scorers]
    names = ["konvid-1k", "youtube-ugc", *(f"corpus-{at:02}" for at in range(2, tables))][:tables]
    reports = [*(table_report(name, labels) for name in [*names, "unlabelled", "ungrouped"]),
               failed_report("lost", "features/lost.csv: found nothing\n  - expected a table\n  - make it first")]  # fmt: skip
    audits = [table_audit(name, labels, seed=at) for at, name in enumerate(names)]
    audits += [table_audit("unlabelled", labels, target=None), bare_audit("ungrouped")]
    impacts = [
        table_impact(name, labels, *(("improves", 0.1) if at % 2 == 0 else ("no evidence", 0.01)))
        for at, name in enumerate(names)
    ]
    return (
        batch_report(reports),
        batch_audit(audits),
        batch_impact([*impacts, unmeasured_impact("ungrouped")]),
    )


def _arm(name: str, gain: float) -> Arm:
    figures = {
        "srcc": 0.78,
        "krcc": 0.59,
        "plcc": 0.77,
        "rmse": 0.41,
        "plcc_mapped": 0.78,
        "rmse_mapped": 0.40,
    }
    worth = {each: value + (-gain if "rmse" in each else gain) for each, value in figures.items()}
    arm: Any = {"name": name, "features": 60, "mapping_failures": 0, **_with_intervals(worth, 0.02)}
    whole: Arm = arm
    return whole


def _delta(name: str, gain: float) -> Delta:
    worth = {each: -gain if "rmse" in each else gain for each in MEASURES}
    corrected = {each: around(value, 0.018) for each, value in worth.items()}
    delta: Any = {"name": name, **_with_intervals(worth, 0.015), "corrected_t": corrected}
    whole: Delta = delta
    return whole


def _prediction(arm: str, at: int) -> ArmPrediction:
    gain: Gain = {"difference": 0.01 * at, "interval": around(0.01 * at, 0.005), "p": 0.04}
    return {
        "arm": arm,
        "order": {
            "pairs": 1770, "contents": 590, "share": 0.8 + 0.01 * at, "srcc": 0.7 + 0.01 * at,
            "intervals": {"share": around(0.8 + 0.01 * at, 0.02), "srcc": around(0.7 + 0.01 * at, 0.03)},
        },
        "ratings": {
            "n": ROWS - 20, "rmse": 0.4, "rmse_star": 0.3, "outlier_ratio": 0.8, "auc_different": 0.66,
            "auc_better": 0.9, "c0": 0.82,
            "against_base": dict.fromkeys(("auc_different", "auc_better", "c0"), gain),
        },
        "ceiling_share": 0.85 + 0.01 * at,
    }  # fmt: skip


def _with_intervals(worth: dict[str, float], half: float) -> JsonObject:
    return {**worth, "intervals": {each: around(value, half) for each, value in worth.items()}}
