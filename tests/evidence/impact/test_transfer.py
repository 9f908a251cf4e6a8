"""Transfer: a model learns one table and is tested on another, with the columns and scorers that both have."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.evidence.documents import Transfer
from pipeline.evidence.impact.full.transfer import measure_transfer
from pipeline.evidence.statistics.models import BoostedTrees, SupportVectors
from pipeline.evidence.table import Category, EvidenceTable, ScoreColumn
from tests.support.evidence_tables import changed, column, made_table


def corpus(name: str, seed: int) -> EvidenceTable:
    """A made table under a name of its own."""
    return dataclasses.replace(made_table(seed=seed), id=name, corpus=name)


A, B = corpus("a", 0), corpus("b", 1)


def measured(trained: EvidenceTable, tested: EvidenceTable) -> Transfer:
    """The transfer by support vectors."""
    return measure_transfer(trained, tested, SupportVectors())


def srcc(found: Transfer) -> dict[str, float | None]:
    """SRCC by the name of the arm."""
    return {arm["name"]: arm["srcc"] for arm in found["arms"]}


def test_scores_carry_over_to_another_corpus() -> None:
    """With a scorer that sees quality in both, the order of the other corpus is predicted better."""
    found = measured(A, B)
    assert (found["columns"], found["scorers"], found["reason"]) == (4, ["dover"], None)
    assert list(srcc(found)) == ["base", "base+scores", "scores"]
    base, with_scores, scores = srcc(found).values()
    assert base is not None
    assert with_scores is not None
    assert scores is not None
    assert with_scores > base + 0.1
    assert scores > 0.9
    assert measured(A, B) == found
    assert measure_transfer(A, B, BoostedTrees())["model"] == "hist-gradient-boosting"


def test_the_scale_and_the_direction_of_labels_do_not_matter() -> None:
    """Opinion scores from 0 to 100, and differences where lower is better, give the figures of the labels they follow."""
    found = measured(A, B)
    wide = changed(B, {"mos": 20 * B.columns["mos"] + 7})
    assert measured(A, wide)["arms"] == found["arms"]
    turned = changed(B, {"mos": 100 - 20 * B.columns["mos"]}, target_direction="lower")
    assert measured(A, turned)["arms"] == found["arms"]


def test_labels_are_standard_within_each_corpus_of_a_table() -> None:
    """Two studies in one table, one five points higher: the order is that of the labels within each."""
    codes = np.arange(B.rows) // (B.rows // 2)
    pooled = changed(B, corpora=Category("study", ("x", "y"), codes))
    shifted = changed(pooled, {"mos": B.columns["mos"] + 5 * codes})
    assert measured(A, shifted)["arms"] == measured(A, pooled)["arms"]
    assert srcc(measured(A, changed(B, {"mos": B.columns["mos"] + 5 * codes}))) != srcc(measured(A, shifted))


def test_only_what_both_have_is_used() -> None:
    """Columns and scorers of one table alone are left out, and arms that would have none."""
    fewer = changed(B, baseline=("blur",))
    assert measured(A, fewer)["columns"] == 1
    renamed = changed(
        B, {column("nr"): B.columns[column("dover")]}, scorers=(ScoreColumn("nr", column("nr")),)
    )
    assert list(srcc(measured(A, renamed))) == ["base"]
    assert list(srcc(measured(A, changed(B, baseline=())))) == ["scores"]
    nothing = measured(A, changed(renamed, baseline=()))
    assert (nothing["reason"], nothing["arms"]) == (
        "The two tables share no baseline column and no scorer.", [],
    )  # fmt: skip


def test_two_tables_of_one_corpus_are_not_measured() -> None:
    """The contents of one may be those of the other."""
    found = measured(A, dataclasses.replace(B, corpus="A"))
    assert (found["model"], found["arms"], found["outside"]) == (None, [], None)
    assert (found["reason"] or "").startswith("Both tables are of the corpus 'A'")


def test_rows_outside_the_range_of_training_are_a_warning() -> None:
    """The share of rows that leave it in at least one feature is given, with the features; a missing value leaves none."""
    inside = {
        name: np.clip(B.columns[name], A.columns[name].min(), A.columns[name].max()) for name in A.baseline
    }
    calm = changed(B, inside)
    found = measured(A, calm)
    assert (found["outside"], found["outside_columns"], found["warning"]) == (0, [], None)
    blur, other = inside["blur"].copy(), inside["other_1"].copy()
    blur[:30], other[24:48], other[60:] = 1e3, -1e3, np.nan
    found = measured(A, changed(calm, {"blur": blur, "other_1": other}))
    assert found["outside"] == pytest.approx(48 / 120)
    assert [(each["column"], each["share"]) for each in found["outside_columns"]] == [
        ("blur", 0.25), ("other_1", 0.2),
    ]  # fmt: skip
    assert (found["warning"] or "").startswith(
        "40.0 % of the rows of b leave the range of a in at least one of 4 features"
    )
