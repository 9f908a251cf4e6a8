"""Pairs of signals: those that repeat each other, and those that complement each other."""

from __future__ import annotations

import numpy as np

from pipeline.evidence.audit.build import MAX_PAIRS
from tests.support.evidence_audits import (
    audited,
)
from tests.support.evidence_tables import changed, column, made_table, noise, quality


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
