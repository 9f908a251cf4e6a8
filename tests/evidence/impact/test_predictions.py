"""What models' predictions are worth beyond correlations: order within contents, ratings, the ceiling of the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.evidence.documents import ArmPrediction, TableImpact
from pipeline.evidence.impact.measure import measure_impact
from pipeline.evidence.impact.protocol import ImpactSettings
from pipeline.evidence.table import EvidenceTable
from tests.support.evidence_tables import changed, made_table

QUICK = ImpactSettings(repeats=1, bootstrap=200)


def rated_table() -> EvidenceTable:
    """A table whose labels are means of 20 ratings, which differ by 0.6."""
    return changed(made_table(rows_each=3), target_sd=np.full(180, 0.6), target_n=np.full(180, 20.0))


FOUND: TableImpact = measure_impact(rated_table(), QUICK)
PREDICTIONS: dict[str, ArmPrediction] = {each["arm"]: each for each in FOUND["predictions"]}


def test_every_arm_has_its_order_within_contents() -> None:
    """Three pairs of each content; scores that see quality order more of them right than the baseline."""
    order: Any = {name: each["order"] for name, each in PREDICTIONS.items()}
    assert list(order) == [arm["name"] for arm in FOUND["arms"]]
    assert {(each["pairs"], each["contents"]) for each in order.values()} == {(180, 60)}
    assert order["base+scores"]["share"] > order["base"]["share"] + 0.1
    assert order["base+shuffled"]["share"] == pytest.approx(order["base"]["share"], abs=0.1)
    low, high = order["base"]["intervals"]["share"]
    assert low < order["base"]["share"] < high


def test_the_ceiling_is_that_of_the_measured_labels() -> None:
    """From the deviation and the number of ratings; each arm is so far on the way to it."""
    labels = rated_table().columns["mos"]
    noise = 0.6**2 / 20
    assert FOUND["ceiling"] is not None
    assert FOUND["ceiling"]["rmse"] == pytest.approx(noise**0.5, abs=1e-5)
    assert FOUND["ceiling"]["reliability"] == pytest.approx(1 - noise / labels.var(ddof=1), abs=1e-5)
    for arm in FOUND["arms"]:
        assert arm["plcc_mapped"] is not None
        share = arm["plcc_mapped"] / FOUND["ceiling"]["correlation"]
        assert PREDICTIONS[arm["name"]]["ceiling_share"] == pytest.approx(share, abs=1e-4)


def test_pairs_are_distinguished_better_with_the_scores() -> None:
    """The gain of an AUC against base has an interval and a probability; base gains nothing against itself."""
    rated: Any = {name: each["ratings"] for name, each in PREDICTIONS.items()}
    gain = rated["base+scores"]["against_base"]["auc_better"]
    assert gain["difference"] == pytest.approx(
        rated["base+scores"]["auc_better"] - rated["base"]["auc_better"], abs=1e-5
    )
    assert gain["interval"][0] > 0
    assert gain["p"] < 0.01
    assert rated["base"]["against_base"]["auc_better"]["difference"] == 0
    assert rated["base+scores"]["rmse_star"] < rated["base"]["rmse_star"] < rated["base"]["rmse"]


def test_without_ratings_and_rungs_the_sections_are_absent() -> None:
    """Rows that are contents of their own have no order within; labels without ratings have no ceiling."""
    found = measure_impact(made_table(rows_each=1), QUICK)
    assert found["ceiling"] is None
    assert {(each["order"], each["ratings"], each["ceiling_share"]) for each in found["predictions"]} == {
        (None, None, None)
    }
