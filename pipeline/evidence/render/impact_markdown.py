"""The impact as Markdown, for people; it contains nothing that the JSON does not."""

from __future__ import annotations

from ..documents import Impact, Protocol, TableImpact
from ..impact.protocol import BASE, WITH_SCORES, corrected
from .arms import main_delta, matrices
from .markdown import render_markdown

_MEASURES = {
    "srcc": "SRCC",
    "krcc": "KRCC",
    "plcc": "PLCC",
    "rmse": "RMSE",
    "plcc_mapped": "PLCC mapped",
    "rmse_mapped": "RMSE mapped",
}


def impact_markdown(document: Impact) -> bytes:
    """The impact as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    return render_markdown(
        "impact.md.j2",
        document["run_provenance"],
        impact=document,
        verdicts=[_verdict(table) for table in document["tables"]],
        measures=_MEASURES,
        level_of_changes=_level_of_changes,
        curves={curve["id"]: curve for curve in document["learning_curves"] or []},
        matrices=matrices(document["transfers"]),
    )


def _verdict(table: TableImpact) -> dict[str, object]:
    """The values of one row of the table of verdicts; None for those that were not measured."""
    srcc = {arm["name"]: arm["srcc"] for arm in table["arms"]}
    return {
        "table": table,
        "base": srcc.get(BASE),
        "with_scores": srcc.get(WITH_SCORES),
        "delta": main_delta(table["deltas"]),
    }


def _level_of_changes(protocol: Protocol) -> float:
    return corrected(protocol["level"], protocol["comparisons"])
