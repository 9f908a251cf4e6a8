"""What an audit finds wrong: leaks of the label, odd columns, scores that contradict their declarations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.evidence.audit.build import audit_batch
from tests.support.evidence_audits import (
    DOVER,
    audited,
    declared,
    findings,
)
from tests.support.evidence_tables import changed, column, made_table, quality


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
