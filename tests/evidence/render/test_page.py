"""The page of a batch: what it shows, that inputs stay text, that equal documents give equal bytes."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.evidence.documents import Audit, Impact
from pipeline.evidence.render.numbers import NONE
from pipeline.evidence.render.page import VERDICTS, render_page
from pipeline.report.build import Report
from tests.support.evidence_documents import (
    CITED,
    SCORERS,
    bare_audit,
    batch_audit,
    batch_report,
    failed_report,
    table_audit,
    table_report,
)
from tests.support.evidence_impacts import batch_impact, in_full, table_impact, unmeasured_impact, whole_batch
from tests.support.evidence_sections import made_sections
from tests.support.pages import Element, section, tree
from tests.support.processes import environment

MINUS = "\N{MINUS SIGN}"
HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    "\" onload='alert(1)' x=\"",
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{a}{b}$ \\alpha _x^2",
    "fill: #010101; #010103",
    "&amp; &lt;b&gt; ]]>",
    "漢字 שלום 😀 é",
    "n" * 400,
]


def parsed(report: Report, audit: Audit, impact: Impact | None) -> Element:
    """The page of these documents."""
    return tree(render_page(report, audit, impact, CITED))


@functools.cache
def whole_page() -> Element:
    """The page of a batch with everything."""
    return parsed(*whole_batch())


def batch_of(label: str) -> tuple[Report, Audit, Impact]:
    """A batch in which every name and text that comes from inputs is `label`."""
    audit: Any = table_audit(label, [label, f"{label} 2"], target=label)
    audit.update(out=label, corpus=label, group=label, next_actions=[label])
    columns = [scorer["column"] for scorer in audit["scorers"]]
    audit.update(made_sections([label, f"{label} 2"], columns, label, word=label))
    audit["leaks"] = [{"column": label, "reason": "is the label", "pearson": 1.0, "spearman": 1.0, "n": 3}]
    audit["findings"] = [{"kind": "sign", "column": label, "text": label}]
    audit["families"][0].update(title=label, question=label, columns=[label], healthy=[label], advice=label)
    impact = table_impact(label, [label])
    impact["reason"] = label
    whole: Any = batch_audit([audit])
    whole["batch"].update(blind_spots=[label], next_actions=[label])
    whole["batch"]["coverage"][0].update(family=label, title=label)
    report = batch_report([table_report(label, [label]), failed_report(f"{label} 3", label)])
    report["manifest"] = label
    return report, whole, batch_impact([impact])


def test_it_names_what_was_joined_and_from_what() -> None:
    """Tables, counts, inputs and the three documents stand in tables, with their digests."""
    page = whole_page()
    joined = page.table("Tables and what they were joined from")
    assert joined[0] == ["Table", "Features", "Joined table", "Rows in", "Rows out"]
    assert joined[1] == ["konvid-1k", "features/konvid-1k.csv", "joined/konvid-1k.parquet", "1,200", "1,200"]
    assert joined[-1] == ["lost", "features/lost.csv", "joined/lost.parquet", NONE, NONE]
    documents = [[name, each["path"], each["sha256"]] for name, each in CITED.items()]
    assert page.table("Documents that this page shows")[1:] == documents
    read = section(page, "konvid-1k").table("What was read")
    assert ["features", "features/konvid-1k.csv", "1a" * 32] in read
    assert ["scores.fast_vqa", "scores/fast_vqa.jsonl", "2b" * 32] in read


def test_it_shows_coverage_per_table_and_scorer() -> None:
    """The matrix has a row per table and a column per scorer of any table, in words beside the colour."""
    audits = [table_audit("a", SCORERS[:2]), table_audit("b", SCORERS[1:3])]
    report = batch_report([table_report("a"), table_report("b")])
    page = parsed(report, batch_audit(audits), None)
    assert page.table("Share of rows with a score, per table and scorer") == [
        ["Table", "dover_technical", "dover_aesthetic", "fast_vqa"],
        ["a", "97.9 % 5 bad 20 missing", "85.4 % 5 bad 170 missing", NONE],
        ["b", NONE, "97.9 % 5 bad 20 missing", "85.4 % 5 bad 170 missing"],
    ]


def test_it_shows_families_leaks_findings_and_what_to_do() -> None:
    """What the audit found stands on the page: families by table, blind spots, leaks, findings, next actions."""
    page = whole_page()
    families = page.table("What kinds of signals the tables hold")
    assert families[0] == [
        "Family",
        "Covered",
        "Weak",
        "Missing",
        "konvid-1k",
        "youtube-ugc",
        "unlabelled",
        "ungrouped",
    ]
    assert families[2] == ["Structural similarity", "0", "4", "0", *["weak"] * 4]
    assert "No table covers: Banding and tone mapping, Temporal flicker." in page.text
    assert "3 scores lie outside the declared scale 0 to 1." in section(page, "konvid-1k").text
    assert "Score the 20 rows" not in section(page, "konvid-1k").text  # the batch's list says it
    assert "Add a banding metric" in section(page, "What to do next").text
    assert "Leak. second_opinion_x_score is the label, or nearly" in section(page, "ungrouped").text
    assert "make it first" in section(page, "lost").text


def test_the_verdict_stands_in_words_before_its_numbers() -> None:
    """A chapter says in words what the scores are worth, then shows the arms, the control right after the first."""
    page = whole_page()
    for name, verdict in (
        ("konvid-1k", "improves"),
        ("youtube-ugc", "no evidence"),
        ("ungrouped", "not measurable"),
    ):
        assert VERDICTS[verdict] in section(page, name).text
    text = section(page, "konvid-1k").text
    assert (
        text.index(VERDICTS["improves"])
        < text.index("SRCC changes by +0.100")
        < text.index("Arms on complete rows")
    )
    changes = section(page, "konvid-1k").table("Arms on complete rows: change against base")
    assert [row[0] for row in changes[:4]] == ["Arm", "base+scores", "base+shuffled (control)", "scores"]
    assert changes[1][1] == "+0.100 [0.085, 0.115]"
    assert changes[2][1] == f"{MINUS}0.003 [{MINUS}0.018, 0.012]"
    assert "svr-rbf" in text
    assert "5 folds, 4 times" in text
    assert "No column names the content" in section(page, "ungrouped").text
    assert "Arms on" not in section(page, "ungrouped").text


def test_every_figure_has_its_words_and_its_numbers() -> None:
    """Each figure is an image with a title and a description of its own, inside a figure with a caption."""
    page = whole_page()
    drawn = page.all("svg")
    assert len(drawn) == 2 * (3 + 3 + 1 + 2) + (3 + 1) + 1  # two whole tables, one without label, one bare
    ids = [each.attributes["id"] for each in page if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for svg in drawn:
        assert svg.attributes["role"] == "img"
        named = [
            each.text
            for each in svg
            if each.attributes.get("id") in str(svg.attributes["aria-labelledby"]).split()
        ]
        assert len(named) == 2
        assert all(named)
    for figure in page.all("figure"):
        assert figure.all("figcaption")[-1].text.strip()
    forest = next(each for each in drawn if each.attributes["id"] == "table-1-forest-complete")
    assert f"base+shuffled (control) {MINUS}0.003 [{MINUS}0.018, 0.012]" in forest.all("desc")[0].text
    chapter = section(page, "konvid-1k")
    for caption in (
        "Scores and the label",
        "Rows per bin",
        "Spearman's correlations",
        "Arms on complete rows",
    ):
        assert len(chapter.table(caption)) > 3


def test_each_section_stands_in_a_table_with_a_sentence() -> None:
    """Ceiling, order within contents, categories, ratings and disagreement: their numbers, and what they mean in words."""
    chapter = section(whole_page(), "konvid-1k")
    score = "second_opinion_dover_technical_score"
    assert chapter.table("Scorers on the way to the ceiling")[2] == [
        "dover_aesthetic",
        "1,175",
        "0.860",
        "0.33",
        "86.3 %",
    ]
    assert chapter.table("Rows of one content in the order of their labels")[1] == [
        score, "score, turned", "600", "600", "0.893 [0.880, 0.910]", "0.921", NONE,
    ]  # fmt: skip
    by_value = chapter.table("SRCC with the label, by clip")
    assert by_value[0] == ["Value", "Rows", *SCORERS[:3]]
    assert by_value[1:] == [["clip", "152", *["0.749 [0.670, 0.810]"] * 3], ["clip 2", "5", *[NONE] * 3]]
    assert "2 of 32 values are shown; 12 rows have another one. 3 rows have none." in chapter.text
    errors = chapter.table("Errors and pairs, given how uncertain the labels are")
    assert errors[1][2:6] == ["0.405", "0.325", "82.3 %", "689,725"]
    assert "A perfect predictor would reach a correlation of 0.997" in chapter.text
    differing = chapter.table(f"{score} and mos: the largest differences")
    assert differing[0] == ["Clip", "Score", "Score on the curve", "Label", "Difference"]
    assert differing[1:] == [
        ["clip", "0.5", "3.100", "4.200", "+1.100"],
        ["clip 2", "0.6", "3.400", "2.400", f"{MINUS}1.000"],
    ]
    (scatter,) = (each for each in chapter.all("svg") if each.attributes["id"] == "table-1-scatter-1")
    assert "2 rings where score and label differ most." in scatter.all("desc")[0].text


def test_a_section_without_its_declarations_is_left_out() -> None:
    """A table without content, categories and ratings has no heading of theirs."""
    text = section(whole_page(), "ungrouped").text
    for heading in (
        "Ceiling of the labels",
        "Order within a content",
        "By corpus",
        "Against the ratings",
        "Where the",
    ):
        assert heading not in text
        assert heading in section(whole_page(), "konvid-1k").text


def test_a_reference_of_a_figure_leads_into_the_figure() -> None:
    """No figure borrows a part of another one: what it refers to by id is its own."""
    for svg in whole_page().all("svg"):
        own = {each.attributes["id"] for each in svg if "id" in each.attributes}
        values = [
            value or ""
            for each in svg
            for key, value in each.attributes.items()
            if key in ("href", "clip-path")
        ]
        named = {found for value in values for found in re.findall(r"#([\w-]+)", value)}
        assert named <= own


def test_colours_are_the_page_s_own() -> None:
    """Figures name no colour for text and axes, so that they follow the page, light or dark."""
    styles = "; ".join(each.attributes.get("style") or "" for svg in whole_page().all("svg") for each in svg)
    assert set(re.findall(r"(?:fill|stroke): ([^;]+)", styles)) <= {
        "none", "currentColor", "var(--line)", "var(--series)", "var(--control)",
    }  # fmt: skip
    assert "font-family" not in styles


@functools.cache
def plain_page() -> Element:
    """The page of a batch that names everything x."""
    return parsed(*batch_of("x"))


@pytest.mark.parametrize("label", HOSTILE)
def test_inputs_stay_text(label: str) -> None:
    """Names and texts of inputs become neither elements nor attributes, wherever they stand, and lose nothing."""
    plain, page = plain_page(), parsed(*batch_of(label))
    assert [each.tag for each in page] == [each.tag for each in plain]
    assert [sorted(each.attributes) for each in page] == [sorted(each.attributes) for each in plain]
    assert page.all("h1")[0].text == label
    assert page.all("title")[0].text == f"Second opinion: {label}"
    assert page.all("svg")[0].all("title")[0].text.startswith("What the scores are worth")
    assert any(each.text == f"{label}: score against {label}" for each in page.all("title"))
    if len(label) < 20:
        assert label in [each.text for each in page.all("text")]


def test_control_characters_are_in_sight() -> None:
    """What would turn, hide or break a text is shown as an escape; a lone surrogate does not stop the page."""
    page = render_page(*batch_of("a\nb\x1b[31m\u202ec\ud800\x00\ufffe"), CITED).decode("utf-8")
    assert "a\\nb\\x1b[31m\\u202ec\\ud800\\x00\\ufffe" in page
    assert not set(page) & set("\x1b\u202e\x00\ufffe")


def test_nothing_but_the_file_may_be_loaded() -> None:
    """The policy forbids all but inline style, images in the file and the one script, by its digest."""
    page = whole_page()
    (script,) = page.all("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode("utf-8")).digest()).decode("ascii")
    policy = next(each for each in page.all("meta") if "http-equiv" in each.attributes)
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    loaded = [
        each.attributes[key] or "" for each in page for key in ("src", "href") if key in each.attributes
    ]
    assert all(each.startswith(("#", "data:")) for each in loaded)
    assert page.all("title")[0].text == "Second opinion: manifests/corpora.json"


def test_contents_lead_to_every_section() -> None:
    """The table of contents links to each section, and each link has its section."""
    page = whole_page()
    linked = [each.attributes["href"] for each in page.all("nav")[0].all("a")]
    assert linked == [f"#{each.attributes['id']}" for each in page.all("section")]


@pytest.mark.parametrize("measured", [True, False])
def test_a_batch_without_anything_to_tell_has_a_page(measured: bool) -> None:
    """Nulls, no label, no impact, no scorer, no table: each is said in words, and nothing is drawn of it."""
    report = batch_report([table_report("a", []), table_report("b"), failed_report("c", "no")])
    audit = batch_audit([table_audit("a", [], target=None), bare_audit("b")])
    audit["families"]["source"] = "families.json"
    page = parsed(report, audit, batch_impact([unmeasured_impact("b")]) if measured else None)
    assert len(page.all("svg")) == 2  # the correlations of either
    assert "No label is declared" in section(page, "a").text
    assert "No scorer was joined" in section(page, "a").text
    assert ("cannot be measured here" in section(page, "b").text) is measured
    assert ("Not measured yet" in section(page, "b").text) is not measured
    assert "The audit does not contain this table." in section(page, "c").text


def test_an_empty_batch_has_a_page() -> None:
    """A batch of no tables shows its documents."""
    page = parsed(batch_report([]), batch_audit([]), batch_impact([]))
    assert page.all("svg") == []
    assert "0 tables, 0 rows joined." in page.all("header")[0].text


def test_equal_documents_give_equal_bytes(tmp_path: Path) -> None:
    """Processes with other hash seeds, and with settings of matplotlib of the user's own, write the same bytes."""
    (tmp_path / "matplotlibrc").write_text(
        "font.size: 30\nsvg.fonttype: path\ntext.usetex: True\nlines.color: red\n"
    )
    code = (
        "import hashlib; from tests.support.evidence_documents import CITED; "
        "from tests.support.evidence_impacts import whole_batch; from pipeline.evidence.render.page import render_page; "
        "print(hashlib.sha256(render_page(*whole_batch(1, 2), CITED)).hexdigest())"
    )
    command, root = [sys.executable, "-W", "error", "-c", code], Path(__file__).parents[3]
    digests = set()
    for seed, own in (
        ("0", {}),
        ("1", {"MPLCONFIGDIR": str(tmp_path)}),
        ("2", {"HOME": "/dev/null", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}),
    ):
        made = subprocess.run(
            command, cwd=root, env=environment() | own | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert made.stderr == ""
        digests.add(made.stdout)
    assert len(digests) == 1


def test_an_impact_in_full_shows_curve_and_transfers() -> None:
    """The line figure says its numbers in words; the matrix, the warning and the reasons are there, and only if requested."""
    report, audit, impact = whole_batch()
    assert not [
        each
        for each in parsed(report, audit, impact).all("section")
        if each.attributes.get("id") == "transfer"
    ]
    page = parsed(report, audit, in_full(impact))
    line = next(each for each in page.all("svg") if each.attributes["id"] == "table-1-learning")
    assert "100 contents: 0.600 without the scores, 0.700 with them" in line.all("desc")[0].text
    transfer = next(each for each in page.all("section") if each.attributes.get("id") == "transfer")
    assert f"{MINUS}0.143" in transfer.text
    assert "70.5 % of the rows of youtube-ugc leave the range of konvid-1k." in transfer.text
    assert "The impact of youtube-ugc is not measurable." in transfer.text
