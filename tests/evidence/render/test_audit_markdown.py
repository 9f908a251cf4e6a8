"""The audit as Markdown: it shows what the JSON says, and what comes from inputs stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.evidence.render.audit_markdown import audit_markdown
from tests.report.test_markdown import CONTROLS, MARKUP, html, shown
from tests.support.evidence_audits import (
    audited,
    document,
)
from tests.support.evidence_tables import changed, column, made_table, noise, quality


def test_the_markdown_shows_what_the_document_says() -> None:
    """Coverage, signals, complements, redundancies, blind spots and actions; leaks before all of them."""
    labels = made_table().columns["mos"]
    table = made_table(leaking=labels * 2, good=quality() + noise(1) / 2, same=(quality() + noise(1) / 2) * 3)
    table = changed(table, {"cambi": quality() + 1.5 * noise(4)})
    body = document(audited(table))
    text = audit_markdown(body).decode("utf-8")
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert titles == [
        "Audit of the signal mix: m.json",
        "Leaks",
        "Next actions",
        "Coverage",
        "Strongest signals",
        "Table made",
        "Order within a content",
        "Disagreement",
        "Signals",
        "Complements",
        "Redundancies",
        "Provenance",
        "Inputs",
        "Outputs",
    ]
    assert "Status: **failed**" in text
    cells = shown(html(text))
    for expected in (
        ["made", column("leaking"), "mos", "120", "1", "1"],
        ["Banding and tone mapping", "covered", "1", "0", "0"],
        [column("good"), column("same"), "1.000"],
    ):
        assert any(cells[at : at + len(expected)] == expected for at in range(len(cells))), expected
    assert "Blind spots: Full-reference detail and motion baseline; Error energy" in text
    assert all(each in text for each in (body["report"]["sha256"], body["families"]["sha256"]))


@pytest.mark.parametrize("name", MARKUP + CONTROLS)
def test_hostile_names_stay_text(name: str) -> None:
    """Columns, labels and tables are shown as they are: no markup, no new cell, no control character."""
    table = made_table(dover=quality(), same=quality() * 2)
    labels = table.columns["mos"]
    table = replace(
        changed(table, {name: labels * 3, f"{name} cambi": quality() + 1.5 * noise(3)}),
        id=name,
        out=name,
        baseline=(name,),
        scorers=tuple(replace(each, label=name, revision=name) for each in table.scorers),
        statuses={name: {"ok": 120, "bad": 0, "missing": 0}},
    )
    body = document(audited(table), manifest=name, errors=[{"id": name, "error": name}])
    text = audit_markdown(body).decode("utf-8")
    assert all(each.isprintable() or each == "\n" for each in text)
    markup = html(text).replace("<strong>failed</strong>", "")
    assert not re.search("<(script|img|a|code|em|strong|s|b)[ >]", markup)
    if name.isprintable():
        assert shown(markup).count(name) > 5
