"""The report as Markdown: it shows what the JSON says, and what comes from inputs stays text."""

from __future__ import annotations

import copy
import html as entities
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.report.build import Report
from pipeline.report.markdown import to_markdown
from tests.support.builders import run_manifest, small_batch, write_jsonl

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a|b",
    "`code`",
    "**bold** _it_ ~~gone~~",
    "[link](http://host.invalid)",
    "![image](http://host.invalid/x.png)",
    "&lt;b&gt;",
    "back\\slash \\|",
    "# head",
]
CONTROLS = ["line\nbreak\r| --- |", "\x1b[31mred\u202e"]
PIECES = [
    *MARKUP,
    *CONTROLS,
    *(
        "http://a.example",
        "www.a.example",
        "a@b.example",
        "mailto:a@b.example",
        "<http://a.example>",
        "[a]: /b",
    ),
    *("- ", "+ ", "1. ", "2) ", "---", "===", "    ", "```", "~~~", "<!--", "-->", "<?", "&#60;", "&copy;"),
    *"<>&[]()!`*_~#|\\-+=.:/@1 \"'aw\t\n\x9b\u2028",
]
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join) | st.text(min_size=1)
READER = MarkdownIt("gfm-like", {"html": True})
assert READER.linkify is not None
READER.linkify.set({"fuzzy_link": False})  # which takes any name with a dot for a page, and GitHub does not


def html(text: str) -> str:
    """What a reader of GitHub-flavoured Markdown shows."""
    return str(READER.render(text))


def tags(markup: str) -> list[str]:
    """Every tag of a page, in order."""
    return re.findall(r"<[^\s>]+", markup)


def visible(text: str) -> str:
    """The text without anything that a terminal or a reader would obey."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def shown(markup: str) -> list[str]:
    """The texts of the cells of all tables."""
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", markup, re.DOTALL)
    return [
        cell.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        for cell in cells
    ]


def test_it_shows_what_the_report_says(tmp_path: Path) -> None:
    """Status, counts, coverage and digests of the report stand in its Markdown, in tables."""
    run_manifest(small_batch(tmp_path))
    result = run_manifest(tmp_path / "m.json")
    text = (tmp_path / "m.report.md").read_text("utf-8")
    assert "\nStatus: **ok**. Tables: 1, failed 0, waiting 0. Rows: 3 in, 3 out.\n" in text
    assert "| t | dover | second_opinion_dover_... | 3 | 3 | 0 | 0 | 0 |" in text
    cells = shown(html(text))
    table = result.report["tables"][0]
    for expected in (
        ["t", "ok", "features.jsonl", "joined/t.jsonl", "3", "3"],
        ["t", "dover", "second_opinion_dover_...", "3", "3", "0", "0", "0"],
        ["t.out", "joined/t.jsonl", table["outputs"]["out"]["sha256"]],
        ["t.features", "features.jsonl", table["inputs"]["features"]["sha256"]],
    ):
        assert any(cells[at : at + len(expected)] == expected for at in range(len(cells))), expected
    assert result.report["run_provenance"]["code_sha256"] in text


@pytest.mark.parametrize("label", MARKUP)
def test_a_hostile_name_stays_text(tmp_path: Path, label: str) -> None:
    """A scorer's name is shown as it is: no markup and no new cell."""
    manifest = small_batch(tmp_path, scores=["dover.jsonl"])
    scores = [{"clip_id": f"c{row}", "score": row, "competitor": label} for row in range(3)]
    write_jsonl(tmp_path / "dover.jsonl", scores)
    assert run_manifest(manifest).exit_code == 0
    markup = html((tmp_path / "m.report.md").read_text("utf-8"))
    cells = shown(markup)
    assert cells[cells.index(label) - 1] == "t"
    assert cells[cells.index(label) + 2 :][:2] == ["3", "3"]
    assert not re.search("<(script|img|a|code|em|strong|s|b)[ >]", markup.replace("<strong>ok</strong>", ""))


@pytest.mark.parametrize("key", MARKUP + CONTROLS)
def test_a_hostile_error_stays_text(tmp_path: Path, key: str) -> None:
    """The message of a failed table is shown as text, without markup or control characters."""
    manifest = small_batch(tmp_path)
    write_jsonl(tmp_path / "dover.jsonl", [{"clip_id": key, "score": 1}, {"clip_id": key, "score": 2}])
    assert run_manifest(manifest).exit_code == 1
    text = (tmp_path / "m.report.failed.md").read_text("utf-8")
    assert "Status: **failed**" in text
    assert all(each.isprintable() or each == "\n" for each in text)
    markup = html(text)
    assert "rows for keys that already have one" in markup
    assert "dover.jsonl line 2" in markup
    assert not re.search("<(script|img|a|code|em|s|b)[ >]", markup)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Report]:
    """The report of a complete batch, and that of a failed one."""
    folder = tmp_path_factory.mktemp("batch")
    manifest = small_batch(folder)
    complete = run_manifest(manifest).report
    write_jsonl(folder / "dover.jsonl", [{"clip_id": "c0"}])
    return complete, run_manifest(manifest).report


def filled(report: Report, text: str, lines: Sequence[str]) -> str:
    """The Markdown of a report in which every name that comes from inputs is that text, and every error those lines."""
    report = copy.deepcopy(report)
    report["manifest"] = text
    for table in report["tables"]:
        table["id"] = table["features"] = table["out"] = text
        if "error" in table:
            table["error"] = "\n".join(lines)
        for covered in table.get("summary", {}).get("competitors", {}).values():
            covered["competitor"] = covered["column_prefix"] = text
    provenance = report["run_provenance"]
    provenance["argv"] = ["second-opinion", "run", text]
    for described in (provenance["inputs"], provenance["outputs"]):
        for role in list(described):
            described[f"{text}.{role}"] = {**described.pop(role), "path": text}
    return to_markdown(report).decode("utf-8")


@given(
    text=HOSTILE,
    lines=st.lists(HOSTILE, min_size=1, max_size=4),
)
def test_no_name_becomes_markup(reports: tuple[Report, Report], text: str, lines: list[str]) -> None:
    """Whatever a report is filled with, its page has the tags of one filled with plain words, and shows the text."""
    lines = [
        line for joined in lines for line in joined.splitlines() if line.strip().removeprefix("- ").strip()
    ]
    for report in reports:
        page = filled(report, text, lines)
        assert all(each.isprintable() or each == "\n" for each in page)
        assert "www." not in page.lower()
        markup = html(page)
        assert tags(markup) == tags(html(filled(report, "x", ["x"] * len(lines))))
        cells = [entities.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", markup, re.DOTALL)]
        assert cells.count(visible(text)) >= 3
