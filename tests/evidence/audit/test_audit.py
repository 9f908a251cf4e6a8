"""The audit as a whole: of a batch, of tiny and odd tables, and that equal tables give equal audits."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from pipeline.evidence.audit import build
from pipeline.evidence.audit.build import audit_batch, audit_table
from pipeline.evidence.documents import rounded
from pipeline.evidence.render.audit_markdown import audit_markdown
from pipeline.evidence.table import Floats
from pipeline.storage import jsontext
from pipeline.storage.schema import load_schema, schema_faults
from tests.support.evidence_audits import (
    DOVER,
    FAMILIES,
    ODD,
    audited,
    document,
    with_target,
)
from tests.support.evidence_tables import changed, made_table, quality


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


def test_the_batch_says_each_thing_once() -> None:
    """What two tables need is one action that names both; a family that some lack is one action too."""
    flickers = replace(changed(made_table(), {"temporal_flicker": quality()}), id="flickers")
    actions = audit_batch([audited(made_table()), audited(flickers)])["next_actions"]
    assert "made, flickers: Declare the direction of dover, so that a wrong sign can be detected." in actions
    assert [each for each in actions if "Temporal flicker" in each] == [
        each for each in actions if each.startswith("made: no column of Temporal flicker: ")
    ]
    assert sum("Banding and tone mapping" in each for each in actions) == 1
    assert len(actions) == len({*actions})


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


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit of a table is the same with one worker and with several, with either model of the baseline."""
    monkeypatch.setattr(build, "MIN_THREADED_ROWS", 0)
    for contents in (60, 1_100):
        table = made_table(contents)
        one, several = (json.dumps(rounded(audit_table(table, FAMILIES, workers=each))) for each in (1, 3))
        assert one == several
