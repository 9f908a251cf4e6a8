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

from pipeline.errors import printable
from pipeline.evidence.documents import Audit, Cited, Impact
from pipeline.evidence.render.arms import arm_title, beside_control
from pipeline.evidence.render.chapters import chapters
from pipeline.evidence.render.engine import environment
from pipeline.evidence.render.numbers import NONE
from pipeline.report.build import Report

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
            labels=list(dict.fromkeys(label for chapter in shown for label in chapter.scorers)),
            titles={family["family"]: family["title"] for family in audit["batch"]["coverage"]},
            style=Markup(_resource("page.css")),  # noqa: S704  # the package's own
            script=Markup(script),  # noqa: S704  # the package's own
            script_sha256=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        )
        .encode("utf-8")
    )


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
    return (resources.files("pipeline.evidence.render") / "templates" / name).read_text("utf-8")
