"""How signals correlate with the label, and how certain that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from pipeline import JoinOptions, materialize
from pipeline.evidence.table import EvidenceTable, ScoreColumn
from tests.support.evidence_audits import (
    DOVER,
    audited,
    findings,
    with_target,
)
from tests.support.evidence_tables import changed, column, made_table, quality
from tests.whole.test_real_data import DATA


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
        keys=pa.array(map(str, range(len(frame)))),
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


def test_two_groups_have_an_audit() -> None:
    """An interval needs two groups; a baseline needs five, and without it nothing is partial."""
    table = made_table(contents=2, rows_each=30)
    told = with_target(audited(table), DOVER)
    alone = with_target(audited(replace(table, groups=np.zeros(60, np.int64))), DOVER)
    assert told["partial"] is None
    assert None not in told["intervals"]["pearson"]
    assert alone["intervals"]["pearson"] == [None, None]
    assert alone["pearson"] == told["pearson"]


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
