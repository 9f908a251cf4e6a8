"""Tables that would be given a verdict that nothing supports: each gets the right one, with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.evidence.documents import TableImpact
from pipeline.evidence.impact.measure import measure_impact
from pipeline.evidence.impact.protocol import ImpactSettings
from pipeline.evidence.table import Category, EvidenceTable, Floats, ScoreColumn
from tests.support.evidence_tables import changed, column, made_table, noise, quality

QUICK = ImpactSettings(repeats=2, bootstrap=200)
LABEL = made_table().columns["mos"]


def measured(table: EvidenceTable) -> TableImpact:
    """The impact by a quick protocol."""
    return measure_impact(table, QUICK)


@pytest.mark.parametrize(
    "leaked",
    [LABEL, LABEL.round(1), -LABEL, np.exp(LABEL), np.where(np.arange(120) % 10 == 0, noise(1), LABEL)],
    ids=["label", "rounded", "negated", "curve", "90 %"],
)
def test_a_baseline_that_holds_the_label_is_not_measurable(leaked: Floats) -> None:
    """The reason names the column: nothing can add to a baseline that knows the answer."""
    found = measured(changed(made_table(), {"other_1": leaked}))
    assert found["verdict"] == "not measurable"
    assert found["reason"].startswith("The column other_1 of the baseline ")
    assert found["reason"].endswith("Take it out of evidence.features.")


def twice(table: EvidenceTable) -> EvidenceTable:
    """The table with all of its rows once more, each declared a content of its own, with noise for scores."""
    columns = {name: np.tile(values, 2) for name, values in table.columns.items()}
    columns[column("dover")] = noise(2, 240)
    keys = pa.concat_arrays([table.keys, table.keys])
    return changed(table, columns, rows=240, keys=keys, groups=np.arange(240), group=None)


def test_rows_that_repeat_are_not_measurable() -> None:
    """A row and its copy on both sides of a fold would make any column that tells rows apart look useful."""
    found = measured(twice(made_table()))
    assert found["verdict"] == "not measurable"
    assert found["reason"].startswith("Rows repeat: 240 rows of 240 ")


def pooled(scores: Floats, **changes: Any) -> EvidenceTable:
    """A table that pools two corpora of 60 contents; labels of the second are far higher, which no feature tells."""
    table = made_table(contents=120, rows_each=1, dover=scores)
    second = np.arange(120) % 2
    corpora = Category("source", ("first", "second"), second.astype(np.int64))
    return changed(table, {"mos": table.columns["mos"] + 4 * second}, corpora=corpora, **changes)


def test_a_scorer_that_only_tells_corpora_apart_is_worth_nothing() -> None:
    """The verdict follows from the mean of the changes within corpora, in which labels are z-scored."""
    found = measured(pooled(3.0 * (np.arange(120) % 2) + 0.3 * noise(3)))
    assert found["verdict"] == "no evidence"
    assert [(each["corpus"], each["rows"], each["groups"]) for each in found["corpora"]] == [
        ("first", 60, 60),
        ("second", 60, 60),
    ]
    within = [each["change"] for each in found["corpora"]]
    change = next(each["srcc"] for each in found["deltas"] if each["name"] == "base+scores")
    assert np.mean([each for each in within if each is not None]) == pytest.approx(change, abs=1e-5)


@pytest.mark.parametrize("rows", [3, 8, 14])
def test_a_corpus_that_is_too_small_is_left_out(rows: int) -> None:
    """Its rows are counted, and change nothing of the others' figures; a table of small corpora alone is not measurable."""
    table = pooled(quality(120, 1))
    codes = np.where(np.arange(120) < 120 - rows, 0, 1)
    found = measured(changed(table, corpora=Category("source", ("first", "second"), codes)))
    assert ([each["corpus"] for each in found["corpora"]], found["nameless_rows"]) == (["first"], rows)
    assert found["rows"] == 120 - rows
    many = measured(changed(table, corpora=Category("source", tuple("abcdefghij"), np.arange(120) % 10)))
    assert many["verdict"] == "not measurable"
    assert "120 rows with a label name none, or are of a corpus with fewer than 15 contents" in many["reason"]


def test_a_corpus_without_scores_is_left_out() -> None:
    """A corpus that is not scored yet has labels, and no complete row."""
    table = pooled(np.where(np.arange(120) % 2 == 1, np.nan, quality(120, 1)))
    found = measured(table)
    assert [each["corpus"] for each in found["corpora"]] == ["first"]
    assert found["verdict"] == "improves"


def test_corpora_on_other_scales_count_alike() -> None:
    """Labels are z-scored within each corpus, so that a wide scale does not drown a narrow one."""
    table = pooled(quality(120, 1))
    wide = np.where(np.arange(120) % 2 == 1, 20 * table.columns["mos"], table.columns["mos"])
    one, other = measured(changed(table, {"mos": wide})), measured(table)
    for each, same in zip(one["corpora"], other["corpora"], strict=True):
        assert each["change"] == pytest.approx(same["change"], abs=0.02)


def test_a_baseline_that_holds_the_label_in_one_corpus_is_not_measurable() -> None:
    """Each corpus is looked at by itself."""
    table = pooled(quality(120, 1))
    blur = np.where(np.arange(120) % 2 == 1, table.columns["mos"], table.columns["blur"])
    assert measured(changed(table, {"blur": blur}))["reason"].startswith("The column blur of the baseline ")


def test_a_table_without_scorers_says_so() -> None:
    """There is nothing to measure."""
    assert measured(changed(made_table(), scorers=()))["reason"].startswith(
        "No scorer: no sidecar was joined"
    )


def test_a_scorer_that_sees_quality_within_corpora_improves() -> None:
    """A pooled table can be measured: its scorer helps in both corpora."""
    found = measured(pooled(quality(120, 1) + 3.0 * (np.arange(120) % 2)))
    assert found["verdict"] == "improves"
    assert all(each["change"] is not None and each["change"] > 0.05 for each in found["corpora"])


def test_a_scorer_trained_on_one_of_the_corpora_is_not_measurable() -> None:
    """The names of the corpora are in the table."""
    scorer = ScoreColumn("dover", column("dover"), trained_on=("Second",))
    found = measured(pooled(quality(120, 1), scorers=(scorer,)))
    assert found["reason"].startswith("Trained on this corpus (first, second): dover.")


def test_one_content_with_half_of_the_rows_is_worth_few() -> None:
    """The bound of 30 contents is on the number of equally large ones that they are worth."""
    groups = np.where(np.arange(120) < 60, 0, np.arange(120) - 59)
    found = measured(changed(made_table(), groups=groups))
    assert found["effective_groups"] == pytest.approx(120**2 / (60**2 + 60), abs=0.001)
    assert (found["groups"], found["verdict"]) == (61, "not measurable")
    assert found["reason"].startswith(
        "Found 61 groups of such different sizes that they are worth 3.9 equally large ones with a label; expected at "
        "least 30"
    )


def test_rows_without_a_content_are_none() -> None:
    """They are left out and told; a table of nothing else has no contents."""
    table = made_table()
    some = measured(changed(table, groups=np.where(np.arange(120) < 20, -1, np.arange(120) // 2)))
    assert (some["rows"], some["groups"], some["nameless_rows"]) == (100, 50, 20)
    none = measured(changed(table, groups=np.full(120, -1)))
    assert (none["rows"], none["groups"], none["verdict"]) == (0, 0, "not measurable")
    assert "120 rows with a label name none, or are of a corpus with fewer" in none["reason"]


def test_a_constant_scorer_is_not_measured() -> None:
    """Alone it is not measurable; beside another it takes nothing from that one's intervals."""
    alone = measured(made_table(same=np.ones(120)))
    assert alone["verdict"] == "not measurable"
    assert alone["reason"].startswith("No scorer has scores that differ (same: every score is 1).")
    both = measured(made_table(dover=quality(), same=np.ones(120)))
    assert both["left_out"] == [{"label": "same", "reason": "every score is 1"}]
    without = measured(made_table(dover=quality()))
    assert (both["deltas"], both["verdict"]) == (without["deltas"], without["verdict"])
    assert both["protocol"]["comparisons"] == 1


def test_a_scorer_without_any_score_takes_no_rows_from_the_others() -> None:
    """It would leave no complete row."""
    found = measured(made_table(dover=quality(), silent=np.full(120, np.nan)))
    assert found["left_out"] == [{"label": "silent", "reason": "no row with a label has a score"}]
    assert (found["rows"], found["verdict"]) == (120, "improves")


def test_the_control_moves_scores_with_their_contents() -> None:
    """Scores that are alike within contents stay so, in random order: columns of such noise do harm of their own."""
    from pipeline.evidence.impact.arms import rows_of_other_contents

    groups = np.repeat(np.arange(40), 7)
    moved = rows_of_other_contents(groups, np.random.default_rng(0))
    assert sorted(moved) == [*range(280)]
    taken = groups[moved].reshape(40, 7)
    assert (taken == taken[:, :1]).all()
    assert (taken[:, 0] != np.arange(40)).mean() > 0.9
    places = (moved % 7).reshape(40, 7)
    assert len({tuple(each) for each in places}) > 30
    uneven = np.array([0, 0, 0, 1, 2, 2])
    assert {*rows_of_other_contents(uneven, np.random.default_rng(1))} <= {*range(6)}
