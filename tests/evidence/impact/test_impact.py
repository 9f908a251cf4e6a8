"""What scores are worth to a model: planted truths are found, and what cannot be told is not told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from pipeline.evidence.documents import TableImpact
from pipeline.evidence.impact import comparison
from pipeline.evidence.impact.arms import Inputs
from pipeline.evidence.impact.comparison import compare
from pipeline.evidence.impact.measure import measure_impact
from pipeline.evidence.impact.protocol import ImpactSettings
from pipeline.evidence.statistics.models import Predictor, SupportVectors
from pipeline.evidence.table import EvidenceTable, ScoreColumn
from pipeline.storage.schema import load_schema
from tests.support.evidence_impacts import batch_impact
from tests.support.evidence_tables import changed, column, made_table, noise, quality

QUICK = ImpactSettings(repeats=1, bootstrap=200)
NAMES = ["base", "base+scores", "scores", "base+shuffled"]


def measured(table: EvidenceTable, **settings: Any) -> TableImpact:
    """The impact by a quick protocol."""
    return measure_impact(table, replace(QUICK, **settings))


def named(found: Any) -> dict[str, Any]:
    """Arms or deltas by their names."""
    return {each["name"]: each for each in found}


HELPED = measured(made_table())


def test_a_scorer_that_sees_what_people_see_improves() -> None:
    """SRCC rises by what was planted, its interval lies above 0, and scores of other rows change nothing."""
    arms, deltas = named(HELPED["arms"]), named(HELPED["deltas"])
    assert HELPED["verdict"] == "improves"
    assert arms["base+scores"]["srcc"] > arms["base"]["srcc"] + 0.15
    assert deltas["base+scores"]["intervals"]["srcc"][0] > 0.05
    assert abs(deltas["base+shuffled"]["srcc"]) < 0.1
    assert HELPED["reason"].startswith(
        f"With the scores SRCC changes by {deltas['base+scores']['srcc']:+.3f}, 95 %"
    )
    assert re.search("lies above 0, and so does that against the control SRCC changes by", HELPED["reason"])


def test_every_arm_is_there_with_what_it_was_given() -> None:
    """The baseline, with the scores, without it, with shuffled scores, and with each scorer."""
    table = made_table(dover=quality(), noise=noise(0))
    found = measured(table)
    assert {arm["name"]: arm["features"] for arm in found["arms"]} == {
        "base": 4,
        "base+scores": 6,
        "scores": 2,
        "base+shuffled": 6,
        "base+dover": 5,
        "base+noise": 5,
    }
    assert [delta["name"] for delta in found["deltas"]] == [*NAMES[1:], "base+dover", "base+noise"]
    assert (found["rows"], found["groups"], found["model"], found["all_rows"]) == (120, 60, "svr-rbf", None)


def test_a_scorer_that_says_nothing_is_no_evidence() -> None:
    """Of five tables with noise for scores none is said to improve or to lose."""
    found = [measured(made_table(seed=seed, noise=noise(seed)), repeats=2) for seed in range(5)]
    assert {each["verdict"] for each in found} == {"no evidence"}


def test_a_delta_is_the_difference_of_two_arms() -> None:
    """Figures of arms are means over the same folds, so their difference is the mean difference."""
    arms = named(HELPED["arms"])
    for delta in HELPED["deltas"]:
        for figure in ("srcc", "krcc", "plcc", "rmse", "plcc_mapped", "rmse_mapped"):
            expected = arms[delta["name"]][figure] - arms["base"][figure]
            assert named(HELPED["deltas"])[delta["name"]][figure] == pytest.approx(expected, abs=1e-5)


def test_differences_are_paired() -> None:
    """Both arms are drawn alike, so a difference is known better than the two arms it is taken from."""

    def width(ends: list[float]) -> float:
        return ends[1] - ends[0]

    found = measured(made_table(dover=quality() + noise(1), noise=noise(2)))
    arms, deltas = named(found["arms"]), named(found["deltas"])
    assert width(deltas["base+noise"]["intervals"]["srcc"]) < 0.5 * width(
        arms["base+noise"]["intervals"]["srcc"]
    )


def test_more_scorers_make_intervals_of_differences_wider() -> None:
    """Of many scorers one looks useful by chance: the level is divided by their number; that of arms is not."""
    table = made_table()
    twice = changed(
        table,
        {column("again"): table.columns[column("dover")]},
        scorers=(ScoreColumn("again", column("again")), *table.scorers),
    )
    alone, both = measured(table), measured(twice)
    one, two = (named(found["deltas"])["base+dover"]["intervals"]["srcc"] for found in (alone, both))
    assert two[0] < one[0] < one[1] < two[1]
    assert named(alone["arms"])["base"] == named(both["arms"])["base"]
    assert (alone["protocol"]["comparisons"], both["protocol"]["comparisons"]) == (1, 2)


def test_one_scorer_alone_is_all_scores() -> None:
    """With one scorer the arm that is given it is the arm that is given all."""
    arms = named(HELPED["arms"])
    assert arms["base+dover"] == arms["base+scores"] | {"name": "base+dover"}


def test_a_scorer_named_like_an_arm_has_an_arm_of_its_own() -> None:
    """Names of arms stay apart whatever scorers are called."""
    found = measured(made_table(scores=quality(), shuffled=noise(3)))
    assert [arm["name"] for arm in found["arms"]] == [
        *NAMES,
        "base+scores (scorer)",
        "base+shuffled (scorer)",
    ]


def test_the_scores_do_not_touch_the_baseline() -> None:
    """The arm `base` is what it is whatever the scorer says."""
    other = measured(made_table(dover=noise(4)))
    assert named(other["arms"])["base"] == named(HELPED["arms"])["base"]


@pytest.mark.parametrize("model", ["svr-rbf", "hist-gradient-boosting"])
def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """Two runs give equal documents, with one worker or several."""
    monkeypatch.setattr(comparison, "MIN_THREADED_ROWS", 0)
    table = made_table()
    settings = replace(QUICK, model=model)  # type: ignore[arg-type]  # one of the two names
    runs = [measure_impact(table, settings, workers=workers) for workers in (1, 1, 3)]
    assert len({json.dumps(run) for run in runs}) == 1
    assert runs[0]["model"] == model
    assert runs[0]["verdict"] == "improves"


def test_progress_is_told() -> None:
    """How many models of how many are tested; arms that are given the same are tested once."""
    seen: list[tuple[int, int]] = []
    measure_impact(made_table(), QUICK, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 20) for done in range(1, 21)]


def test_large_tables_get_boosted_trees() -> None:
    """Support vectors take too long for many rows; the limit can be chosen."""
    assert measured(made_table(), max_svr_rows=119)["model"] == "hist-gradient-boosting"
    assert measured(made_table(), max_svr_rows=120)["model"] == "svr-rbf"


def test_where_scores_are_missing_all_rows_are_measured_too() -> None:
    """The verdict rests on the rows with all scores; all rows, where gaps are imputed and told, stand beside it."""
    table = made_table()
    scores = table.columns[column("dover")].copy()
    scores[:30] = np.nan
    found = measured(changed(table, {column("dover"): scores}))
    every = found["all_rows"]
    assert every is not None
    assert (found["rows"], found["groups"], every["rows"], every["groups"]) == (90, 45, 120, 60)
    assert (
        named(found["arms"])["base+scores"]["features"],
        named(every["arms"])["base+scores"]["features"],
    ) == (5, 6)
    assert found["verdict"] == "improves"
    assert named(every["deltas"])["base+scores"]["srcc"] > 0.1
    assert named(every["deltas"])["base+scores"]["srcc"] < named(found["deltas"])["base+scores"]["srcc"]


def test_rows_without_a_label_are_left_out() -> None:
    """They teach nothing and test nothing."""
    table = made_table()
    labels = table.columns["mos"].copy()
    labels[[0, 1, 2]] = [np.nan, np.inf, 1e200]
    found = measured(changed(table, {"mos": labels}))
    assert (found["rows"], found["groups"], found["all_rows"]) == (117, 59, None)


def test_features_may_be_anything() -> None:
    """Gaps, infinities, numbers whose square overflows and constants are borne; what is no number is imputed."""
    table = made_table()
    blur = table.columns["blur"].copy()
    blur[::9], blur[1::9], blur[2::9] = np.nan, np.inf, -1e308
    awkward = {
        "blur": blur,
        "other_0": np.full(120, np.nan),
        "other_1": np.full(120, 1e308),
        "other_2": np.ones(120),
    }
    found = measured(changed(table, awkward))
    assert found["verdict"] == "improves"
    assert 0 < named(found["arms"])["base"]["srcc"] < named(HELPED["arms"])["base"]["srcc"]


def test_a_model_that_always_says_the_same_puts_nothing_in_order() -> None:
    """Its correlations count as 0, no curve can be fitted to it, and each such fold is counted."""
    inputs = Inputs(quality(), np.repeat(np.arange(60), 2), noise(0)[:, None], {"same": np.ones((120, 1))})
    found = compare(inputs, SupportVectors(), QUICK, 1, lambda _done, _total: None)
    scores = named(found.arms())["scores"]
    assert [scores[name] for name in ("srcc", "krcc", "plcc", "plcc_mapped")] == [0, 0, 0, 0]
    assert scores["mapping_failures"] == 5
    assert scores["rmse"] == scores["rmse_mapped"]
    assert named(HELPED["arms"])["scores"]["mapping_failures"] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"groups": None, "group": None}, r"No column names the content.*Name it as evidence\.group"),
        ({"corpus": "KoNViD-1k"}, r"Trained on this corpus \(KoNViD-1k\): dover\. .*another corpus"),
        ({"baseline": ()}, r"No baseline.*Name the columns"),
        ({"groups": np.arange(120) % 29}, r"Found 29 groups with a label; expected at least 30"),
    ],
    ids=["no group", "trained on it", "no baseline", "29 groups"],
)
def test_what_cannot_be_measured_is_not(changes: dict[str, Any], reason: str) -> None:
    """Nothing is trained; the reason says what was found and what to do."""
    scorer = ScoreColumn("dover", column("dover"), trained_on=("LSVQ", "konvid_1k"))
    found = measured(changed(made_table(), scorers=(scorer,), **changes))
    assert found["verdict"] == "not measurable"
    assert (found["arms"], found["deltas"], found["model"], found["all_rows"]) == ([], [], None, None)
    assert re.search(reason, found["reason"])


def test_rows_that_are_contents_of_their_own_are_measured() -> None:
    """No column needs to name the content where the table says that each row is one."""
    found = measured(changed(made_table(rows_each=1), group=None))
    assert (found["group"], found["groups"], found["verdict"]) == (None, 60, "improves")


def test_too_few_rows_with_all_scores_are_not_measured() -> None:
    """The reason says which scorer covers how many rows."""
    scores = quality()
    scores[20:] = np.nan
    found = measured(made_table(dover=quality(), few=scores))
    assert found["verdict"] == "not measurable"
    assert found["reason"] == (
        "Found 10 groups in which a row has a label and every score; expected at least 30. Rows with a label and a "
        "score: dover 120, few 20. Score the missing clips, or leave out the scorer that covers fewest."
    )


def test_constant_labels_are_not_measured() -> None:
    """There is no order to predict."""
    found = measured(changed(made_table(), {"mos": np.full(120, 3.0)}))
    assert found["verdict"] == "not measurable"
    assert found["reason"].startswith("The label mos is the same in all complete rows.")


def test_a_table_without_label_is_refused() -> None:
    """The caller asks for tables with a label only."""
    with pytest.raises(ValueError, match="made: the impact of scores is measured on a label"):
        measure_impact(changed(made_table(), target=None))


class Watched:
    """Support vectors, and the rows that they were fitted to and asked for; a row's number is its first feature."""

    name = "watched"
    tuning = "watched"

    def __init__(self) -> None:
        self.seen: list[tuple[set[int], list[set[int]]]] = []

    def fit(self, features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> Predictor:
        """Fit to rows, which are written down with their labels and groups."""
        rows = features[:, 0].astype(int)
        assert (labels == rows % 7).all()
        assert (groups == rows // 2).all()
        asked: list[set[int]] = []
        self.seen.append((set(rows), asked))
        fitted = SupportVectors().fit(features, labels, groups)

        def predict(features: np.ndarray) -> np.ndarray:
            asked.append({int(row) for row in features[:, 0]})
            return fitted(features)

        return predict


def test_a_model_never_sees_what_it_is_tested_with() -> None:
    """It is fitted to training rows alone, and its curve to its predictions of these; contents stay on one side."""
    rows = np.arange(80)
    numbers = rows[:, None].astype(float)
    inputs = Inputs((rows % 7).astype(float), rows // 2, numbers, {"nr": numbers})
    model = Watched()
    compare(inputs, model, replace(QUICK, repeats=2), 1, lambda _done, _total: None)
    assert len(model.seen) == 4 * 10
    for fitted, asked in model.seen:
        tested, trained = sorted(asked, key=lambda rows: rows == fitted)
        assert trained == fitted
        assert tested.isdisjoint(fitted)
        assert tested | fitted == set(range(80))
        assert {row // 2 for row in tested}.isdisjoint(row // 2 for row in fitted)


def test_the_control_has_the_scores_of_other_rows() -> None:
    """They are the same scores, moved as one, differently in each repeat; so what they gain is chance."""
    scores = quality()
    found = measured(made_table(dover=scores, twin=-scores), repeats=2)
    assert (
        abs(named(found["deltas"])["base+shuffled"]["srcc"])
        < 0.1
        < named(found["deltas"])["base+scores"]["srcc"]
    )


def test_the_document_follows_its_schema() -> None:
    """Measured, measured on all rows too, and not measurable: each is what the schema says."""
    table = made_table()
    gaps = table.columns[column("dover")].copy()
    gaps[:10] = np.nan
    tables = [
        HELPED,
        measured(changed(table, {column("dover"): gaps})),
        measured(changed(table, groups=None)),
    ]
    document = json.loads(json.dumps(batch_impact(tables)))
    validator = Draft202012Validator(load_schema("impact"))
    assert [*validator.iter_errors(document)] == []
    document["tables"][0]["arms"][0]["intervals"]["srcc"] = [0.1]
    document["tables"][2]["verdict"] = "improves"
    assert len([*validator.iter_errors(document)]) == 2
