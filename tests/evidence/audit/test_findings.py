"""What an audit finds wrong: leaks of the label, odd columns, scores that contradict their declarations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.evidence.audit.build import audit_batch
from pipeline.evidence.table import Category
from tests.support.evidence_audits import DOVER, audited, declared, findings, with_target
from tests.support.evidence_tables import changed, column, made_table, noise, quality


def test_a_score_that_is_the_label_is_a_leak() -> None:
    """However it was scaled or bent, and not if it is merely good; the strongest signals leave it out."""
    labels = made_table().columns["mos"]
    found = audited(made_table(copied=100 - 10 * labels, bent=np.exp(labels), good=quality()))
    assert [each["column"] for each in found["leaks"]] == [column("copied"), column("bent")]
    assert found["leaks"][0]["pearson"] == -1
    assert found["next_actions"][0].startswith(f"Take {column('copied')} out: it is the label, or nearly")
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


@pytest.mark.parametrize(("direction", "found"), [("higher", True), ("lower", False)])
def test_a_label_may_be_better_where_it_is_lower(direction: Any, found: bool) -> None:
    """Of a DMOS, a score for which lower is better rises with the label."""
    table = declared(made_table(dover=quality()), direction=direction)
    sign = ("sign", DOVER) in findings(audited(changed(table, target_direction="lower")))
    assert sign == found


def two_corpora(scores: Any) -> Any:
    """A table that pools two corpora, of which the second has far better clips."""
    table = made_table(contents=120, rows_each=1, dover=scores)
    second = np.arange(120) >= 60
    corpora = Category("source", ("first", "second"), second.astype(np.int64))
    labels = table.columns["mos"] + 4 * second
    return declared(changed(table, {"mos": labels}, corpora=corpora), direction="higher")


def test_a_pooled_table_is_compared_within_its_corpora() -> None:
    """A score that tells corpora apart goes with the label over all rows, and with nothing within them: both are told."""
    random = np.random.default_rng(5)
    table = audited(two_corpora(3 * (np.arange(120) >= 60) + random.normal(size=120)))
    found = with_target(table, DOVER)
    assert abs(found["spearman"]) < 0.2
    assert found["pooled"] > 0.6
    assert found["intervals"]["spearman"][0] < 0 < found["intervals"]["spearman"][1]
    assert findings(table) == [("pooled", DOVER)]


def test_a_score_that_falls_within_corpora_and_rises_over_all_has_a_wrong_sign() -> None:
    """Simpson's paradox: the sign is judged within corpora."""
    table = two_corpora(4 * (np.arange(120) >= 60) - quality(120, 1))
    found = audited(table)
    assert with_target(found, DOVER)["spearman"] < -0.5 < 0.3 < with_target(found, DOVER)["pooled"]
    assert {kind for kind, _ in findings(found)} == {"pooled", "sign"}


def test_a_small_corpus_is_told_and_left_out() -> None:
    """Three rows in a row would count as much as a whole corpus."""
    table = two_corpora(quality(120, 1))
    codes = (np.arange(120) >= 117).astype(np.int64)
    found = audited(changed(table, corpora=Category("source", ("first", "second"), codes)))
    assert ("small_corpus", "source") in findings(found)
    assert with_target(found, DOVER)["n"] == 117


def test_a_score_that_names_the_corpus_is_no_leak() -> None:
    """Over corpora whose labels lie far apart it agrees with the label; within each it says nothing."""
    corpus = np.repeat(np.arange(3), 60)
    table = made_table(contents=180, rows_each=1, dover=corpus + 0.01 * noise(1, 180))
    labels = np.array([3.0, 30.0, 70.0])[corpus] + 0.2 * table.columns["mos"]
    found = audited(changed(table, {"mos": labels}, corpora=Category("source", ("a", "b", "c"), corpus)))
    assert found["leaks"] == []
    assert ("pooled", DOVER) in findings(found)


def test_a_leak_in_one_corpus_is_a_leak() -> None:
    """Its other rows hold an honest score."""
    table = two_corpora(quality(120, 1))
    scores = np.where(table.corpora.codes == 1, table.columns["mos"], quality(120, 1))
    assert [each["column"] for each in audited(changed(table, {DOVER: scores}))["leaks"]] == [DOVER]


def test_rows_that_repeat_are_told_and_are_no_leak() -> None:
    """A row and its copy agree in every column, which says nothing about a scorer."""
    table = made_table(contents=200, rows_each=1)
    columns = {name: np.tile(values, 2) for name, values in table.columns.items()}
    again = pa.concat_arrays([table.keys, table.keys])
    found = audited(changed(table, columns, rows=400, keys=again, groups=np.arange(400)))
    assert found["leaks"] == []
    assert ("repeats", "mos") in findings(found)


def test_rows_without_a_content_are_told_and_left_out() -> None:
    """Nobody knows which of them show the same content."""
    table = made_table()
    groups = np.where(np.arange(120) < 20, -1, np.arange(120) // 2)
    found = audited(changed(table, groups=groups))
    assert (found["groups"], found["nameless_rows"]) == (50, 20)
    assert ("nameless", "content") in findings(found)
    assert with_target(found, DOVER)["n"] == 100


def test_contents_of_different_sizes_are_worth_fewer() -> None:
    """The effective number of contents is shown beside their number."""
    groups = np.where(np.arange(120) < 60, 0, np.arange(120) - 59)
    found = audited(changed(made_table(), groups=groups))
    assert found["groups"] == 61
    assert found["effective_groups"] == pytest.approx(120**2 / (60**2 + 60), abs=0.001)


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
