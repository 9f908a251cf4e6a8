"""The impact as Markdown: it shows what the JSON says, and what comes from inputs stays text."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from pipeline.evidence.documents import Impact
from pipeline.evidence.render.impact_markdown import impact_markdown
from pipeline.evidence.render.numbers import NONE
from tests.report.test_markdown import CONTROLS, MARKUP
from tests.support.evidence_impacts import batch_impact, in_full, table_impact, unmeasured_impact

MINUS = "\N{MINUS SIGN}"


def html(document: Impact) -> str:
    """What a reader of GitHub-flavoured Markdown shows."""
    text = impact_markdown(document).decode("utf-8")
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


def rows(markup: str) -> list[list[str]]:
    """The texts of the cells of all tables, row by row."""
    lines = re.findall(r"<tr>(.*?)</tr>", markup, re.DOTALL)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line, re.DOTALL) for line in lines]


def test_verdicts_arms_and_changes_are_shown() -> None:
    """Each table with its verdict and why; each arm with six figures and intervals, on complete rows and on all."""
    table = table_impact("konvid", labels=["dover"])
    table["effective_groups"] = 371.3
    table["arms"][0]["srcc"], table["arms"][0]["intervals"]["srcc"] = 0.7812, [0.76, 0.8]
    delta = next(each for each in table["deltas"] if each["name"] == "base+scores")
    delta["srcc"], delta["intervals"]["srcc"] = 0.1091, [0.0888, 0.1287]
    document = batch_impact([table])
    markup = html(document)
    assert rows(markup)[1][:4] == ["konvid", "mos", "improves", "0.781"]
    assert rows(markup)[1][5:] == ["+0.109", "[+0.089, +0.129]"]
    assert ["base", "0.781 [0.760, 0.800]"] in [[row[0], row[2]] for row in rows(markup) if len(row) > 2]
    assert ["base+scores", "+0.109 [+0.089, +0.129]"] in [row[:2] for row in rows(markup)]
    assert "1,180 rows in 590 groups with all scores, worth 371.3 of equal size" in markup
    assert "Against the control, SRCC changes by +0.103 [+0.088, +0.118]." in markup
    assert ["base+scores", "[+0.082, +0.118]"] in [row[:2] for row in rows(markup)]
    assert "1,200 rows in 600 groups with a label; missing scores are imputed." in markup
    assert f"<strong>improves</strong>: {table['reason']}" in markup
    assert markup.count("<h3>") == 9  # arms and changes twice, corrected t, order, ceiling, inputs, outputs
    assert ["base+scores", "1,770", "0.820 [0.800, 0.840]"] in [row[:3] for row in rows(markup)]
    assert ["base+scores", "87.0 %", "0.300", "0.800"] in [row[:4] for row in rows(markup)]
    assert document["report"]["sha256"] in markup
    assert document["audit"]["sha256"] in markup
    assert document["run_provenance"]["code_sha256"] in markup


def test_what_is_left_out_and_corpora_are_shown() -> None:
    """Scorers that are not measured with the reason, rows without a name, and the change within each corpus."""
    table = table_impact("pooled", labels=["dover"])
    table["nameless_rows"] = 3
    table["left_out"] = [{"label": "same", "reason": "every score is 1"}]
    table["corpora"] = [
        {"corpus": "live", "rows": 60, "groups": 50, "base": 0.7, "with_scores": 0.75, "change": 0.05,
         "interval": [0.01, 0.09]},
    ]  # fmt: skip
    markup = html(batch_impact([table]))
    assert "3 rows with a label name no content or no corpus, and are left out." in markup
    assert "Not measured: same, since every score is 1." in markup
    assert ["live", "60", "50", "0.700", "0.750", "+0.050", "[+0.010, +0.090]"] in rows(markup)


def test_what_was_not_measured_has_a_reason_and_no_figures() -> None:
    """It stands among the verdicts with dashes, and has no table of arms."""
    document = batch_impact([unmeasured_impact("ungrouped")])
    markup = html(document)
    assert rows(markup)[1] == ["ungrouped", "mos", "not measurable", NONE, NONE, NONE, ""]
    assert document["tables"][0]["reason"] in markup
    assert "groups: none." in markup
    assert "Arms" not in markup


def test_what_is_not_defined_is_a_dash() -> None:
    """A figure without value, and an interval that cannot be told."""
    table = table_impact("t", labels=["dover"])
    table["arms"][0]["plcc"], table["arms"][0]["intervals"]["plcc"] = None, [None, None]
    assert ["base", NONE] in [[row[0], row[4]] for row in rows(html(batch_impact([table]))) if len(row) == 9]


def test_rows_of_their_own_are_told_from_rows_without_groups() -> None:
    """No column names the content in both; only one of them could be measured."""
    table = table_impact("t")
    table["group"] = None
    assert "groups: each row is a content of its own." in html(batch_impact([table]))


@pytest.mark.parametrize("text", MARKUP + CONTROLS)
def test_what_comes_from_inputs_stays_text(text: str) -> None:
    """Names and labels show as they are; none becomes markup or breaks a table."""
    plain = html(batch_impact([table_impact("t", labels=["dover"])]))
    table = table_impact(text, labels=[text])
    table["target"] = table["group"] = table["corpus"] = table["reason"] = text
    markup = html(batch_impact([table]))
    assert re.findall(r"<[^>]+>", markup) == re.findall(r"<[^>]+>", plain)
    assert [len(row) for row in rows(markup)] == [len(row) for row in rows(plain)]


def test_curves_and_transfers_are_shown_if_they_were_requested() -> None:
    """A curve below its table, a matrix per arm, the warning and the reasons; without them no word of either."""
    plain = batch_impact([table_impact("konvid"), table_impact("youtube")])
    assert "Transfer" not in html(plain)
    assert "Learning curve" not in html(plain)
    markup = html(in_full(plain))
    assert ["100", "100", "0.600", "0.700", "283", ""] in rows(markup)
    assert ["400", "400", "0.750", "0.800", NONE, "base does not reach it."] in rows(markup)
    assert [row for row in rows(markup) if row[:1] == ["konvid"] and len(row) == 3] == [
        ["konvid", NONE, f"{MINUS}0.143"], ["konvid", NONE, "0.741"], ["konvid", NONE, "0.768"],
    ]  # fmt: skip
    assert "<li>70.5 % of the rows of youtube leave the range of konvid.</li>" in markup
    assert markup.count("The impact of youtube is not measurable.") == 2
