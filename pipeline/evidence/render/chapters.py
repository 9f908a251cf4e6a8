"""The page's chapter on one table: its part of the report, of the audit and of the impact, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...report.build import Report, TableReport
from ..documents import Audit, Delta, Impact, LearningCurve, ScorerCoverage, TableAudit, TableImpact
from ..impact.protocol import BASE
from . import figures
from .arms import main_delta
from .figures import Drawing


@dataclass(frozen=True)
class Chapter:
    """One table of the batch; `audit` or `impact` is None if that document does not contain the table.

    Attributes:
        anchor: id of the chapter in the page.
        scatters: score against label, per scorer.
        histograms: distribution of scores, per scorer.
        heat_map: correlations between columns.
        forests: changes against base, on complete rows and on all rows.
        learning: the learning curve; None: it was not requested.
        learning_line: its figure; None: it has too few points.
    """

    anchor: str
    report: TableReport
    audit: TableAudit | None
    impact: TableImpact | None
    scatters: list[Drawing]
    histograms: list[Drawing]
    heat_map: Drawing | None
    forests: list[Drawing]
    learning: LearningCurve | None
    learning_line: Drawing | None

    @property
    def main_delta(self) -> Delta | None:
        """The change that decides the verdict; None if it was not measured."""
        return main_delta(self.impact["deltas"]) if self.impact else None

    @property
    def scorers(self) -> dict[str, ScorerCoverage]:
        """The coverage of each scorer, by label."""
        return {scorer["label"]: scorer for scorer in self.audit["scorers"]} if self.audit else {}

    @property
    def figures(self) -> list[Drawing]:
        """All figures, in the order of the page."""
        found = [*self.forests, self.learning_line, *self.scatters, *self.histograms, self.heat_map]
        return [each for each in found if each is not None]


def chapters(report: Report, audit: Audit, impact: Impact | None) -> list[Chapter]:
    """One chapter per table, in the report's order."""
    audits = {table["id"]: table for table in audit["tables"]}
    impacts = {table["id"]: table for table in impact["tables"]} if impact else {}
    curves = {curve["id"]: curve for curve in (impact and impact["learning_curves"]) or []}
    return [
        _chapter(
            f"table-{at}",
            table,
            audits.get(table["id"]),
            impacts.get(table["id"]),
            curves.get(table["id"]),
        )
        for at, table in enumerate(report["tables"], 1)
    ]


def _chapter(
    anchor: str,
    report: TableReport,
    audit: TableAudit | None,
    impact: TableImpact | None,
    curve: LearningCurve | None,
) -> Chapter:
    return Chapter(
        anchor=anchor,
        report=report,
        audit=audit,
        impact=impact,
        scatters=list(_scatters(audit, anchor)) if audit else [],
        histograms=list(_histograms(audit, anchor)) if audit else [],
        heat_map=figures.heat_map(audit["figures"]["correlations"], f"{anchor}-correlations")
        if audit
        else None,
        forests=list(_forests(impact, anchor)) if impact else [],
        learning=curve,
        learning_line=figures.learning(curve, f"{anchor}-learning") if curve else None,
    )


def _scatters(audit: TableAudit, anchor: str) -> Iterator[Drawing]:
    marked = {each["columns"][0]: each["rows"] for each in audit["disagreements"] if each["kind"] == "label"}
    for at, points in enumerate(audit["figures"]["scatter"], 1):
        rows = marked.get(points["column"], [])
        if drawing := figures.scatter(points, rows, audit["target"] or "label", f"{anchor}-scatter-{at}"):
            yield drawing


def _histograms(audit: TableAudit, anchor: str) -> Iterator[Drawing]:
    for at, bins in enumerate(audit["figures"]["histograms"], 1):
        if drawing := figures.histogram(bins, f"{anchor}-histogram-{at}"):
            yield drawing


def _forests(impact: TableImpact, anchor: str) -> Iterator[Drawing]:
    measured = [("complete", impact["rows"], impact["deltas"])]
    if impact["all_rows"]:
        measured.append(("all", impact["all_rows"]["rows"], impact["all_rows"]["deltas"]))
    ceiling, base = (
        impact["ceiling"],
        next((arm["srcc"] for arm in impact["arms"] if arm["name"] == BASE), None),
    )
    room = ceiling["correlation"] - base if ceiling is not None and base is not None else None
    for kind, rows, deltas in measured:
        title, name = f"{kind} rows ({rows:,})", f"{anchor}-forest-{kind}"
        if drawing := figures.forest(deltas, title, name, room if kind == "complete" else None):
            yield drawing
