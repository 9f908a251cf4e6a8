"""The audit of made and real tables: correlations, pairs, leaks, findings, and what Markdown shows of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import spearmanr

from pipeline import JoinOptions, materialize
from pipeline.evidence.audit.build import MAX_PAIRS, audit_batch, audit_table
from pipeline.evidence.audit.families import load_families
from pipeline.evidence.documents import Audit, Signal, TableAudit, TableError, rounded
from pipeline.evidence.render.audit_markdown import audit_markdown
from pipeline.evidence.statistics.correlations import centred_ranks, pairwise
from pipeline.evidence.table import EvidenceTable, Floats, ScoreColumn
from pipeline.storage import jsontext
from pipeline.storage.schema import load_schema, schema_faults
from tests.report.test_markdown import CONTROLS, MARKUP, html, shown
from tests.support.evidence_documents import batch_audit
from tests.support.evidence_tables import changed, column, made_table, noise, quality
from tests.whole.test_real_data import DATA

FAMILIES = load_families()
DOVER = column("dover")
ODD = arrays.arrays(
    np.float64,
    12,
    elements=st.one_of(st.floats(width=64), st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf])),
)


def audited(table: EvidenceTable) -> TableAudit:
    """The audit of a table as its document holds it."""
    body: TableAudit = rounded(audit_table(table, FAMILIES))
    return body


def signal(table: TableAudit, name: str) -> Signal:
    """One signal of an audit."""
    return next(each for each in table["signals"] if each["column"] == name)


def with_target(table: TableAudit, name: str) -> Any:
    """How a signal goes with the label."""
    return signal(table, name)["target"]


def document(*tables: TableAudit, manifest: str = "m.json", errors: Sequence[TableError] = ()) -> Audit:
    """A document that holds these audits."""
    body = batch_audit(tables)
    body["status"] = "failed" if errors or any(each["leaks"] for each in tables) else "ok"
    body["manifest"], body["tables"], body["batch"] = manifest, [*tables], rounded(audit_batch(tables))
    if errors:
        body["errors"] = [*errors]
    return body


def declared(table: EvidenceTable, **changes: Any) -> EvidenceTable:
    """The table with other declarations of its scorers."""
    return replace(table, scorers=tuple(replace(each, **changes) for each in table.scorers))


def findings(table: TableAudit) -> list[tuple[str, str]]:
    """Kinds and columns of what was found."""
    return [(each["kind"], each["column"]) for each in table["findings"]]


def konvid(folder: Path) -> EvidenceTable:
    """KoNViD-1k with DOVER's scores, joined by the product."""
    data = DATA / "konvid_1k"
    scores = [str(data / "dover.json"), str(data / "dover-technical.jsonl")]
    options = JoinOptions(key_column="flickr_id", key_normalize="stem")
    materialize(data / "features.parquet", scores, folder / "joined.parquet", options=options)
    frame = pd.read_parquet(folder / "joined.parquet").drop(columns="flickr_id")
    numbers = {name: frame[name].to_numpy(float) for name in frame.select_dtypes("number").columns}
    labels = {"DOVER": "dover", "DOVER-Technical": "dover_technical"}
    return EvidenceTable(
        id="konvid_1k",
        out="joined.parquet",
        corpus="KoNViD-1k",
        rows=len(frame),
        columns=numbers,
        target="mos",
        group=None,
        groups=np.arange(len(frame)),
        baseline=tuple(name for name in numbers if name.startswith("videval_")),
        scorers=tuple(ScoreColumn(label, column(slug), "higher") for label, slug in labels.items()),
        statuses={label: {"ok": len(frame), "bad": 0, "missing": 0} for label in labels},
    )


@pytest.mark.skipif(
    not DATA.is_dir(), reason="the corpora are not free to ship; they are expected in ../shared/data"
)
def test_dover_agrees_with_people_on_konvid_as_its_authors_say(tmp_path: Path) -> None:
    """The fused score's Pearson coefficient with MOS is 0.882, and much of it is beyond VIDEVAL's features."""
    table = audited(konvid(tmp_path))
    found = with_target(table, DOVER)
    assert found["n"] == 1200
    assert found["pearson"] == pytest.approx(0.882, abs=5e-4)
    low, high = found["intervals"]["pearson"]
    assert 0.86 < low < 0.882 < high < 0.90
    assert found["partial"] == pytest.approx(0.70, abs=0.03)
    technical = with_target(table, column("dover_technical"))
    assert technical["spearman"] == pytest.approx(0.861, abs=5e-4)
    assert {
        "columns": [DOVER, column("dover_technical")],
        "spearman": pytest.approx(0.98, abs=0.01),
    } in table["redundant"]
    assert [each for each in table["leaks"] if each] == []
    assert ("constant", "width") in findings(table)


def test_a_score_is_compared_with_the_label_over_rows_that_have_both() -> None:
    """Rows without score or label are left out; the coefficients are those of the rest."""
    table = made_table()
    scores, labels = table.columns[DOVER].copy(), table.columns["mos"].copy()
    scores[:10], labels[5:20] = np.nan, np.nan
    found = with_target(audited(changed(table, {DOVER: scores, "mos": labels})), DOVER)
    assert found["n"] == 100
    assert found["pearson"] == pytest.approx(np.corrcoef(scores[20:], labels[20:])[0, 1], rel=1e-5)
    assert found["spearman"] == pytest.approx(spearmanr(scores[20:], labels[20:]).statistic, rel=1e-5)


def test_an_interval_holds_the_figure_and_is_wider_over_contents_than_over_rows() -> None:
    """Rows of one content are alike, so contents tell less than as many rows would."""
    table = made_table(contents=40, rows_each=10)
    by_content, by_row = (
        with_target(audited(each), DOVER)
        for each in (table, replace(table, group=None, groups=np.arange(400)))
    )
    (low, high), (lower, higher) = by_content["intervals"]["spearman"], by_row["intervals"]["spearman"]
    assert low < by_content["spearman"] < high
    assert high - low > higher - lower


def test_partial_is_what_the_baseline_does_not_tell() -> None:
    """A score that repeats the baseline adds nearly nothing; one that sees the quality adds much."""
    table = made_table(contents=1000, dover=quality(1000), echo=np.zeros(2000))
    echo = table.columns["blur"] + 1e-3 * np.random.default_rng(5).normal(size=2000)
    found = audited(changed(table, {column("echo"): echo}))
    partials = {name: with_target(found, name)["partial"] for name in (DOVER, column("echo"), "blur")}
    assert partials["blur"] is None
    assert abs(partials[column("echo")]) < 0.15
    assert partials[DOVER] > 0.8


def test_a_score_that_is_the_label_is_a_leak() -> None:
    """However it was scaled or bent, and not if it is merely good; the strongest signals leave it out."""
    labels = made_table().columns["mos"]
    found = audited(made_table(copied=100 - 10 * labels, bent=np.exp(labels), good=quality()))
    assert [each["column"] for each in found["leaks"]] == [column("copied"), column("bent")]
    assert found["leaks"][0]["pearson"] == -1
    assert found["next_actions"][0].startswith(f"Take {column('copied')} out: it is mos, or nearly.")
    strongest = [each["column"] for each in audit_batch([found])["strongest"]]
    assert column("good") in strongest
    assert not {column("copied"), column("bent")} & {*strongest}


def test_few_rows_are_no_leak() -> None:
    """Three clips in the same order agree by chance."""
    table = made_table(contents=3, rows_each=1, dover=np.arange(3.0))
    assert audited(changed(table, {"mos": np.arange(3.0)}))["leaks"] == []


@pytest.mark.parametrize(
    ("sign", "direction", "found"),
    [(1, "higher", False), (-1, "higher", True), (-1, "lower", False), (1, "lower", True), (-1, None, False)],
)
def test_a_sign_against_the_declared_direction_is_found(sign: int, direction: Any, found: bool) -> None:
    """A label is higher for the better clip."""
    table = declared(made_table(dover=sign * quality()), direction=direction)
    assert (("sign", DOVER) in findings(audited(table))) == found


def test_scores_outside_the_declared_scale_are_counted() -> None:
    """The finding tells how many, the scale, and what was found."""
    scores = np.linspace(0.0, 1.0, 120)
    scores[:3], scores[3] = [-0.5, 1.25, 7.0], np.nan
    table = audited(declared(made_table(dover=scores), scale=(0.0, 1.0)))
    (found,) = (each for each in table["findings"] if each["kind"] == "outside_scale")
    assert found["text"] == "3 scores outside the declared scale from 0 to 1; found -0.5 to 7"


def test_a_scorer_that_has_seen_the_corpus_is_found() -> None:
    """Names of corpora are compared as scorers' names are."""
    table = replace(made_table(), corpus="KoNViD-1k")
    assert ("trained_on", DOVER) in findings(audited(declared(table, trained_on=("LSVQ", "konvid_1k"))))
    assert ("trained_on", DOVER) not in findings(audited(declared(table, trained_on=("LSVQ",))))


def test_odd_columns_are_found() -> None:
    """Constant, empty, sparse and infinite columns, and a baseline that holds the label."""
    sparse = np.where(np.arange(120) < 60, np.arange(120.0), np.nan)
    odd = {
        "fps": np.full(120, 30.0),
        "psnr": np.full(120, np.nan),
        "cambi": sparse,
        "vmaf": np.where(np.arange(120) == 3, np.inf, np.arange(120.0)),
        "mos_j": np.arange(120.0),
    }
    labels = made_table().columns["mos"]
    table = changed(made_table(), odd | {"hidden": labels * 2}, baseline=("blur", "mos_j", "hidden"))
    assert findings(audited(table)) == [
        ("label_in_baseline", "mos_j"),
        ("label_in_baseline", "hidden"),
        ("constant", "fps"),
        ("no_values", "psnr"),
        ("sparse", "cambi"),
        ("infinite", "vmaf"),
    ]


def test_pairs_that_say_the_same_and_pairs_that_complete_each_other() -> None:
    """Two scorers of one mind are redundant; a score and a feature of another family that both help are complements."""
    truth, random = quality(), np.random.default_rng(7)
    table = made_table(a=truth + noise(1), b=truth**3 + noise(1) * 1e-9, c=(truth + noise(1)) * 2)
    table = changed(table, {"cambi": truth + 1.5 * random.normal(size=120)})
    found = audited(table)
    assert [each["columns"] for each in found["redundant"]] == [[column("a"), column("c")]]
    pairs = {tuple(each["columns"]): each for each in found["complementary"]}
    met = pairs[(column("b"), "cambi")]
    assert met["families"] == ["no_reference", "banding_tone"]
    assert (column("a"), column("b")) not in pairs
    for each in found["complementary"]:
        assert abs(each["spearman"]) <= 0.70
        assert min(map(abs, each["with_target"])) >= 0.20


def test_a_wide_table_names_the_pairs_that_stand_out_most() -> None:
    """A document holds 200 pairs at most, the closest first."""
    values = np.arange(120.0)
    found = audited(changed(made_table(), {f"x_{at}": values for at in range(30)}))
    assert len(found["redundant"]) == MAX_PAIRS
    assert found["redundant"][0]["spearman"] == 1


def test_the_figures_hold_few_points_of_many_rows() -> None:
    """At most 400 points that are rows of the table, a curve over the range of scores, and counts that add up."""
    table = made_table(contents=1000)
    figures = audited(table)["figures"]
    (points,), (bins,) = figures["scatter"], figures["histograms"]
    rows = {
        tuple(map(rounded, pair)) for pair in zip(table.columns[DOVER], table.columns["mos"], strict=True)
    }
    assert len(points["x"]) == 400
    assert set(zip(points["x"], points["y"], strict=True)) <= rows
    assert points["curve"] is not None
    assert points["curve"]["y"] == sorted(points["curve"]["y"])
    assert sum(bins["counts"]) == 2000
    assert len(bins["edges"]) == len(bins["counts"]) + 1
    assert figures["correlations"]["columns"][:2] == [DOVER, "blur"]


def test_without_a_label_the_rest_is_told() -> None:
    """No signal is compared with anything, and the next action asks for the label."""
    found = audited(replace(made_table(), target=None, group=None, groups=None))
    assert {each["target"] for each in found["signals"]} == {None}
    assert found["figures"]["scatter"] == []
    assert found["next_actions"][0].startswith("Declare evidence.target")


def test_without_a_group_the_intervals_are_said_to_be_narrow() -> None:
    """Rows count as contents of their own, and the next action asks for the group."""
    found = audited(replace(made_table(), group=None, groups=None))
    assert found["groups"] is None
    assert "intervals are too narrow" in found["next_actions"][0]


def test_the_batch_counts_tables_by_family() -> None:
    """Statuses add up to the number of tables; what no table covers is a blind spot with its advice."""
    tables = [audited(made_table()), audited(changed(made_table(), {"cambi": np.zeros(120)}))]
    batch = audit_batch(tables)
    assert [each["covered"] + each["weak"] + each["missing"] for each in batch["coverage"]] == [2] * 13
    counts = {each["family"]: (each["covered"], each["weak"], each["missing"]) for each in batch["coverage"]}
    assert (counts["noise_grain_blur"], counts["banding_tone"]) == ((2, 0, 0), (0, 1, 1))
    assert "banding_tone" in batch["blind_spots"]
    assert "noise_grain_blur" not in batch["blind_spots"]
    assert any(
        each.startswith("No table covers Banding and tone mapping: CAMBI") for each in batch["next_actions"]
    )


def test_an_empty_batch_has_an_audit() -> None:
    """Nothing is covered, and nothing to be done is known."""
    assert audit_batch([]) == {"coverage": [], "blind_spots": [], "strongest": [], "next_actions": []}


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_tables_of_hardly_any_rows_have_an_audit(rows: int) -> None:
    """No rows, one or two define no correlation, and break no rule of the document."""
    found = audited(made_table(contents=rows, rows_each=1, dover=quality(rows, 1)))
    assert schema_faults(document(found), load_schema("audit")) == ()
    told = with_target(found, DOVER)
    assert (told["n"], told["spearman"] is None) == (rows, rows < 3)


def test_two_groups_have_an_audit() -> None:
    """An interval needs two groups; a baseline needs five, and without it nothing is partial."""
    table = made_table(contents=2, rows_each=30)
    told = with_target(audited(table), DOVER)
    alone = with_target(audited(replace(table, groups=np.zeros(60, np.int64))), DOVER)
    assert told["partial"] is None
    assert None not in told["intervals"]["pearson"]
    assert alone["intervals"]["pearson"] == [None, None]
    assert alone["pearson"] == told["pearson"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ODD, ODD, ODD)
def test_any_columns_have_a_sound_audit(score: Floats, label: Floats, feature: Floats) -> None:
    """Constant, empty, infinite and huge values give a document of the schema, without a warning."""
    scores = np.where(np.isinf(score), np.nan, score)
    table = changed(
        made_table(contents=6, dover=scores), {"mos": label, "cambi": feature}, baseline=("cambi", "blur")
    )
    found = audited(table)
    assert schema_faults(document(found), load_schema("audit")) == ()
    assert jsontext.pretty(document(found))
    audit_markdown(document(found))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([np.exp, np.cbrt, lambda x: 3 * x - 1, lambda x: -x]))
def test_spearman_knows_order_alone(seed: int, bent: Any) -> None:
    """A monotone map of a column changes no Spearman coefficient but for its sign, with label or other columns."""
    values = np.random.default_rng(seed).normal(size=60).round(2)
    other = np.random.default_rng(seed + 1).normal(size=60) + values
    before, _ = pairwise([centred_ranks(values), centred_ranks(other)])
    after, _ = pairwise([centred_ranks(bent(values)), centred_ranks(other)])
    assert abs(before[0, 1]) == pytest.approx(abs(after[0, 1]), abs=1e-12)
    assert before[0, 1] == pytest.approx(spearmanr(values, other).statistic, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(ODD, min_size=1, max_size=4))
def test_pairwise_coefficients_are_coefficients(columns: list[Floats]) -> None:
    """Symmetric, within -1 and 1 where defined, and 1 on the diagonal of a column that varies."""
    coefficients, rows = pairwise([centred_ranks(each) for each in columns])
    defined = ~np.isnan(coefficients)
    assert (np.abs(coefficients[defined]) <= 1).all()
    np.testing.assert_array_equal(coefficients, coefficients.T)
    for at, values in enumerate(columns):
        finite = values[np.isfinite(values)]
        assert rows[at, at] == finite.size
        varies = finite.size >= 3 and np.unique(finite).size > 1
        assert coefficients[at, at] == pytest.approx(1 if varies else np.nan, nan_ok=True)


def test_the_order_of_rows_does_not_matter_but_for_samples() -> None:
    """Statistics, correlations and pairs of a shuffled table are those of the table."""
    table = made_table()
    order = np.random.default_rng(1).permutation(table.rows)
    groups = table.groups
    assert groups is not None
    shuffled = replace(
        table, columns={name: values[order] for name, values in table.columns.items()}, groups=groups[order]
    )
    before, after = audited(table), audited(shuffled)
    for one, other in zip(before["signals"], after["signals"], strict=True):
        assert {**one, "target": None} == {**other, "target": None}
        for figure in ("n", "pearson", "spearman"):
            assert with_target(before, one["column"])[figure] == with_target(after, other["column"])[figure]
    for part in ("redundant", "complementary", "leaks", "families"):
        assert before[part] == after[part]
    assert before["figures"]["histograms"] == after["figures"]["histograms"]


def test_equal_tables_give_equal_bytes() -> None:
    """JSON and Markdown of two audits of one table are the same."""
    first, second = (document(audited(made_table(contents=300))) for _ in range(2))
    assert jsontext.pretty(first) == jsontext.pretty(second)
    assert audit_markdown(first) == audit_markdown(second)


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
