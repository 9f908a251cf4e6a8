"""Reports and audits of made tables, and what documents of evidence share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.evidence.documents import (
    AUDIT_SCHEMA,
    Audit,
    AuditFigures,
    Cited,
    FamilyCoverage,
    FamilyStatus,
    Interval,
    ScorerCoverage,
    Signal,
    TableAudit,
    rounded,
)
from pipeline.records.materialized import Coverage
from pipeline.records.provenance import RunProvenance
from pipeline.report.build import REPORT_SCHEMA, Report, TableReport
from pipeline.storage.jsontext import JsonObject
from tests.support.evidence_sections import made_sections, no_sections

SCORERS = ("dover_technical", "dover_aesthetic", "fast_vqa", "maxvqa", "q_align", "niqe", "brisque", "vsfa")
FAMILIES: dict[str, tuple[str, FamilyStatus]] = {
    "full_reference": ("Full-reference detail and motion baseline", "covered"),
    "structure": ("Structural similarity", "weak"),
    "banding": ("Banding and tone mapping", "missing"),
    "flicker": ("Temporal flicker", "missing"),
    "no_reference": ("No-reference and subjective context", "covered"),
}
ROWS = 1200


def cited(name: str) -> Cited:
    """A document by a digest of its own."""
    return {"path": f"manifests/corpora.{name}.json", "sha256": f"{len(name):x}" * 64}


CITED = {"Batch report": cited("report"), "Audit": cited("audit"), "Impact": cited("impact")}


def batch_report(tables: Sequence[TableReport]) -> Report:
    """The report of a batch of these tables."""
    return {
        "schema": REPORT_SCHEMA,
        "status": "ok" if all(table["status"] == "ok" for table in tables) else "failed",
        "manifest": "manifests/corpora.json",
        "summary": {
            "tables": len(tables),
            "failed_tables": sum(table["status"] == "failed" for table in tables),
            "waiting_tables": sum(table["status"] == "waiting" for table in tables),
            "input_rows": sum(table["summary"]["input_rows"] for table in tables if "summary" in table),
            "output_rows": sum(table["summary"]["output_rows"] for table in tables if "summary" in table),
        },
        "tables": list(tables),
        "run_provenance": provenance("run"),
    }


def table_report(name: str, labels: Sequence[str] = SCORERS[:3]) -> TableReport:
    """A table that was joined."""
    sidecars: list[str | JsonObject] = [f"scores/{label}.jsonl" for label in labels]
    covered: dict[str, Coverage] = {
        label: {"competitor": label, "column_prefix": f"second_opinion_{label}", "scores_loaded": ROWS,
                "matched_rows": ROWS - 25, "missing_rows": 20, "bad_rows": 5, "unused_scores": 20, "shared_rows": 0}
        for label in labels
    }  # fmt: skip
    return {
        "id": name,
        "features": f"features/{name}.csv",
        "scores": sidecars,
        "out": f"joined/{name}.parquet",
        "audit_json": None,
        "config": {},
        "status": "ok",
        "summary": {"input_rows": ROWS, "output_rows": ROWS, "competitors": covered},
        "fingerprint": "f" * 64,
        "versions": {"luigi": "3.8.1"},
        "inputs": {
            "features": {"path": f"features/{name}.csv", "exists": True, "kind": "file", "sha256": "1a" * 32},
            **{
                f"scores.{label}": {"path": f"scores/{label}.jsonl", "exists": True, "kind": "file", "sha256": "2b" * 32}
                for label in labels
            },
        },
        "outputs": {
            "out": {"path": f"joined/{name}.parquet", "exists": True, "kind": "file", "sha256": "3c" * 32}
        },
    }  # fmt: skip


def failed_report(name: str, error: str) -> TableReport:
    """A table that could not be made."""
    return {
        "id": name,
        "features": f"features/{name}.csv",
        "scores": [],
        "out": f"joined/{name}.parquet",
        "audit_json": None,
        "config": {},
        "status": "failed",
        "error": error,
    }


def batch_audit(tables: Sequence[TableAudit]) -> Audit:
    """The audit of these tables."""
    audit: Audit = rounded(
        {
            "schema": AUDIT_SCHEMA,
            "status": "failed" if any(table["leaks"] for table in tables) else "ok",
            "manifest": "manifests/corpora.json",
            "report": cited("report"),
            "families": {"source": "package", "sha256": "4d" * 32},
            "tables": list(tables),
            "batch": {
                "coverage": [
                    {"family": family, "title": title}
                    | {each: len(tables) * (each == status) for each in ("covered", "weak", "missing")}
                    for family, (title, status) in FAMILIES.items()
                ],
                "blind_spots": ["banding", "flicker"],
                "strongest": [
                    {"table": table["id"], "column": signal["column"], "family": signal["family"],
                     "n": signal["target"]["n"], "spearman": signal["target"]["spearman"]}
                    for table in tables for signal in table["signals"] if signal["target"]
                ][:12],
                "next_actions": ["Add a banding metric, such as CAMBI: no table covers that family."],
            },
            "run_provenance": provenance("audit"),
        }
    )  # fmt: skip
    return audit


def table_audit(
    name: str, labels: Sequence[str] = SCORERS[:3], target: str | None = "mos", seed: int = 0
) -> TableAudit:
    """The audit of a table whose first scorers tell the label best."""
    random = np.random.default_rng(seed)
    label = np.clip(random.normal(3.2, 0.7, ROWS), 1, 5)
    scores = [
        0.5 + 0.12 * (label - 3) + random.normal(0, 0.05 + 0.03 * at, ROWS) for at in range(len(labels))
    ]
    baseline = [label * (at % 3) / 2 + random.normal(0, 1, ROWS) for at in range(6)]
    columns = [_column(label) for label in labels] + [f"videval_{at:02}" for at in range(6)]
    correlations = np.corrcoef([*scores, *baseline])
    with_label = [float(np.corrcoef(values, label)[0, 1]) for values in [*scores, *baseline]]
    audit: TableAudit = rounded(
        {
            "id": name,
            "out": f"joined/{name}.parquet",
            "corpus": name,
            "rows": ROWS,
            "target": target,
            "group": "flickr_id",
            "groups": 600, "effective_groups": 600.0, "nameless_rows": 0,
            "scorers": [_scorer(each, at) for at, each in enumerate(labels)],
            "families": [_family(*each) for each in FAMILIES.items()],
            "signals": [
                _signal(column, at < len(labels), values, with_label[at] if target else None)
                for at, (column, values) in enumerate(zip(columns, [*scores, *baseline], strict=True))
            ],
            "redundant": [{"columns": columns[-2:], "spearman": 0.973}],
            "complementary": [
                {"columns": [columns[0], columns[-1]], "families": ["no_reference", "full_reference"],
                 "spearman": 0.41, "with_target": [0.85, -0.32]}
            ],
            "leaks": [],
            "findings": [
                {"kind": "outside_scale", "column": columns[0], "text": "3 scores lie outside the declared scale 0 to 1."}
            ],
            "next_actions": ["Score the 20 rows that no scorer knows."],
            **(made_sections(labels, columns[: len(labels)], target) if target else no_sections()),
            "figures": {
                "scatter": [_scatter(each, values, label) for each, values in zip(labels, scores, strict=True) if target],
                "histograms": [_histogram(each, values) for each, values in zip(labels, scores, strict=True)],
                "correlations": {"columns": columns, "spearman": correlations.tolist()},
            },
        }
    )  # fmt: skip
    return audit


def bare_audit(name: str) -> TableAudit:
    """The audit of a table of which nothing can be told: every value that may be missing is missing."""
    audit = table_audit(name, SCORERS[:2])
    audit["group"] = audit["groups"] = audit["effective_groups"] = None
    audit.update(no_sections())  # type: ignore[typeddict-item]  # mypy expects a whole audit
    scorers: list[Any] = [*audit["scorers"]]
    for scorer in scorers:
        scorer.update(direction=None, scale=None, revision=None, trained_on=[], ok=0, coverage=0.0)
    signals: list[Any] = [*audit["signals"]]
    for signal in signals:
        signal.update(mean=None, std=None, min=None, max=None, finite_share=0.0, healthy=False, target=None)
    signals[0]["target"] = {
        "n": 0, "pearson": None, "spearman": None, "partial": None, "pooled": None,
        "intervals": {"pearson": [None, None], "spearman": [None, None], "partial": None},
    }  # fmt: skip
    reason = "is the label, or nearly: Pearson 1, Spearman 1"
    audit["leaks"] = [
        {"column": "second_opinion_x_score", "reason": reason, "pearson": None, "spearman": None, "n": 0}
    ]
    audit["figures"] = _bare_figures(audit)
    return audit


def _column(label: str) -> str:
    return f"second_opinion_{label}_score"


def _scorer(label: str, at: int) -> ScorerCoverage:
    ok = ROWS - 25 - 150 * at
    return {
        "label": label, "column": _column(label), "direction": "higher", "scale": [0.0, 1.0], "revision": "1.0",
        "trained_on": ["lsvq"], "ok": ok, "bad": 5, "missing": ROWS - 5 - ok, "coverage": ok / ROWS,
    }  # fmt: skip


def _family(name: str, stated: tuple[str, FamilyStatus]) -> FamilyCoverage:
    title, status = stated
    return {
        "name": name, "title": title, "question": "Does detail survive the encoder?", "status": status,
        "columns": [] if status == "missing" else [f"{name}_a", f"{name}_b"],
        "healthy": [f"{name}_a"] if status == "covered" else [],
        "candidates": ["CAMBI"], "advice": "Add one of the candidates.",
    }  # fmt: skip


def _signal(column: str, is_score: bool, values: np.ndarray, with_label: float | None) -> Signal:
    return {
        "column": column,
        "family": "no_reference" if is_score else "full_reference",
        "role": "score" if is_score else "baseline",
        "finite_share": 0.98,
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
        "healthy": True,
        "target": None if with_label is None else {
            "n": ROWS, "pearson": with_label, "spearman": with_label - 0.01,
            "partial": with_label / 2 if is_score else None, "pooled": None,
            "intervals": {
                "pearson": around(with_label, 0.02), "spearman": around(with_label - 0.01, 0.02),
                "partial": around(with_label / 2, 0.03) if is_score else None,
            },
        },
    }  # fmt: skip


def _scatter(label: str, scores: np.ndarray, target: np.ndarray) -> JsonObject:
    x = np.linspace(scores.min(), scores.max(), 60)
    curve = 1 + 4 / (1 + np.exp(-(x - scores.mean()) / 0.12))
    return {
        "label": label, "column": _column(label), "x": scores[:400].tolist(), "y": target[:400].tolist(),
        "curve": {"x": x.tolist(), "y": curve.tolist()},
    }  # fmt: skip


def _histogram(label: str, scores: np.ndarray) -> JsonObject:
    counts, edges = np.histogram(scores, 30)
    return {"label": label, "column": _column(label), "edges": edges.tolist(), "counts": counts.tolist()}


def _bare_figures(audit: TableAudit) -> AuditFigures:
    columns = [signal["column"] for signal in audit["signals"]]
    return {
        "scatter": [{"label": "x", "column": "second_opinion_x_score", "x": [], "y": [], "curve": None}],
        "histograms": [{"label": "x", "column": "second_opinion_x_score", "edges": [], "counts": []}],
        "correlations": {"columns": columns, "spearman": [[None] * len(columns) for _ in columns]},
    }


def around(value: float, half: float) -> Interval:
    """An interval with a value in its middle."""
    return [value - half, value + half]


def provenance(command: str) -> RunProvenance:
    """The provenance of a document, as if a command had written it."""
    return {
        "schema": "ai-run-provenance-v1",
        "entrypoint": {"path": "pipeline/cli/main.py", "exists": True, "kind": "file", "sha256": "5e" * 32},
        "argv": ["second-opinion", command, "manifests/corpora.json"],
        "args": {"manifest": "manifests/corpora.json"},
        "inputs": {},
        "outputs": {},
        "versions": {"luigi": "3.8.1", "pandas": "3.1.1", "pyarrow": "26.0.1", "second-opinion": "0.1.0"},
        "code_sha256": "6f" * 32,
    }
