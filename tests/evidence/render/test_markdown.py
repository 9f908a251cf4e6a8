"""Audit and impact by template: the documents that are kept, and text that no template has to escape."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evidence.render.audit_markdown import audit_markdown
from pipeline.evidence.render.impact_markdown import impact_markdown
from tests.report.test_markdown import html
from tests.support.evidence_impacts import batch_impact, table_impact, whole_batch

KEPT = Path(__file__).parents[2] / "data" / "evidence"


def test_the_markdown_is_as_it_was() -> None:
    """Audit and impact of the same documents have the same bytes as before; a wanted change is written by hand."""
    _, audit, impact = whole_batch()
    audit["tables"][0]["findings"] *= 21
    audit["errors"] = [{"id": "lost", "error": "features/lost.csv: found nothing\n  - expected a table"}]
    assert audit_markdown(audit).decode("utf-8") == (KEPT / "audit.md").read_text("utf-8")
    assert impact_markdown(impact).decode("utf-8") == (KEPT / "impact.md").read_text("utf-8")


@pytest.mark.parametrize(("left", "right"), [("*a", "b*"), ("`a", "b`"), ("_a", "b_"), ("~~a", "b~~")])
def test_two_values_of_a_line_make_no_pair(left: str, right: str) -> None:
    """Signs that Markdown reads in pairs stay signs where each of two values holds one."""
    table = table_impact("t")
    table["target"], table["corpus"] = left, right
    assert f"<p>Label: {left}. Corpus: {right}. " in html(
        impact_markdown(batch_impact([table])).decode("utf-8")
    )


@pytest.mark.parametrize("text", ["# a", "* a", "1. a", "| a |", "---", "    a"])
def test_a_line_that_begins_with_a_value_is_a_paragraph(text: str) -> None:
    """A path that opens its line begins no heading, list, table or block of code."""
    _, audit, _ = whole_batch()
    audit["tables"][0]["out"] = text
    assert f"<p>{text.strip()}: 1,200 rows, " in html(audit_markdown(audit).decode("utf-8"))
