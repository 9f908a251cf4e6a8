"""The page of a batch: report, audit and impact as one self-contained HTML file.

The page sends no request: style, script and figures are in the file, and its Content-Security-Policy forbids all others.
Everything from inputs is text: the template engine escapes it and shows control characters as escapes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

import jinja2
from markupsafe import Markup

from ...errors import printable
from ...report.build import Report
from ...report.comparison import Difference, change_lines
from ..documents import Audit, Cited, Impact
from .arms import arm_title, beside_control, matrices
from .chapters import chapters
from .engine import environment
from .figures import old_and_new
from .numbers import NONE

VERDICTS = {
    "improves": "The scores improve the prediction of the label.",
    "no evidence": "There is no evidence that the scores improve the prediction of the label.",
    "worse": "The scores make the prediction of the label worse.",
    "not measurable": "What the scores are worth cannot be measured here.",
}


def render_page(report: Report, audit: Audit, impact: Impact | None, documents: Mapping[str, Cited]) -> bytes:
    """The page as UTF-8; equal documents give equal bytes.

    :param impact: None: not measured yet.
    :param documents: their files, by the names that the page shows: "Batch report", "Audit", "Impact".
    """
    script, shown = _resource("page.js"), chapters(report, audit, impact)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            audit=audit,
            impact=impact,
            documents=documents,
            chapters=shown,
            matrices=matrices(impact["transfers"] if impact else None),
            labels=list(dict.fromkeys(label for chapter in shown for label in chapter.scorers)),
            titles={family["family"]: family["title"] for family in audit["batch"]["coverage"]},
            style=Markup(_resource("page.css")),  # noqa: S704  # the package's own
            script=Markup(script),  # noqa: S704  # the package's own
            script_sha256=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        )
        .encode("utf-8")
    )


def render_difference(difference: Difference) -> bytes:
    """What changed between two batches as a page like the other, as UTF-8."""
    shown = {
        table: [
            drawing
            for number, (label, scorer) in enumerate(change.scorers.items())
            if scorer.drift is not None
            and (drawing := old_and_new(scorer.drift.points, label, f"moved-{index}-{number}")) is not None
        ]
        for index, (table, change) in enumerate(difference.tables.items())
    }
    page = _environment().get_template("difference.html.j2")
    style = Markup(_resource("page.css"))  # noqa: S704  # the package's own
    lines = {table: list(change_lines(change)) for table, change in difference.tables.items()}
    return page.render(difference=difference, drawings=shown, lines=lines, style=style).encode("utf-8")


def _environment() -> jinja2.Environment:
    engine = environment(_finalized)
    engine.filters |= {"arm": arm_title, "beside_control": beside_control}
    engine.globals["verdicts"] = VERDICTS
    return engine


def _finalized(value: object) -> object:
    """What an expression of the template shows: a dash for None, escapes for control characters."""
    if value is None:
        return NONE
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value).replace("\n", "\\n")
    return value


def _resource(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")
