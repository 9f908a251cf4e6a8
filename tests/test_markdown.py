"""The report as Markdown: it shows what the JSON says, and what comes from inputs stays text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.builders import run_manifest, small_batch, write_jsonl

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


def html(text: str) -> str:
    """What a reader of GitHub-flavoured Markdown shows."""
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


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
    assert "Status: **ok**. Tables: 1, failed 0," in text
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
