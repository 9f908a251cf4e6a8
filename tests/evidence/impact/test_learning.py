"""Learning curves: which contents are learned and tested, and how many labels the scores are worth."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evidence.documents import LearningCurve
from pipeline.evidence.impact.full import learning
from pipeline.evidence.impact.full.learning import measure_learning
from pipeline.evidence.statistics.models import BoostedTrees, Model, Predictor, SupportVectors
from pipeline.evidence.table import Codes, EvidenceTable, Floats
from tests.support.evidence_tables import changed, column, made_table


class Recorder:
    """A model that predicts its first feature, and notes what it was given."""

    name, tuning = "svr-rbf", "none"

    def __init__(self) -> None:
        self.learned: list[set[float]] = []
        self.tested: list[set[float]] = []
        self.groups: list[int] = []

    def fit(self, _features: Floats, labels: Floats, groups: Codes) -> Predictor:
        """Note the labels as names of rows."""
        self.learned.append(set(labels))
        self.groups.append(len(np.unique(groups)))

        def predict(features: Floats) -> Floats:
            self.tested.append(set(features[:, 0]))
            first: Floats = features[:, 0]
            return first

        return predict


def named(table: EvidenceTable) -> EvidenceTable:
    """The table with labels and first features that name the rows."""
    names = np.arange(table.rows, dtype=float)
    return changed(table, {"mos": names, "blur": names})


def measured(table: EvidenceTable, model: Model | None = None) -> LearningCurve:
    """Its learning curve."""
    return measure_learning(table, model or SupportVectors())


def test_sizes_contain_each_other_and_one_part_is_tested() -> None:
    """A third of the contents is tested by all; the others are learned in eighths, whole, the smaller in the larger."""
    recorder = Recorder()
    curve = measured(named(made_table(contents=120)), recorder)
    assert [(each["contents"], each["rows"]) for each in curve["points"]] == [
        (10, 20), (20, 40), (40, 80), (80, 160),
    ]  # fmt: skip
    assert (curve["tested_contents"], curve["tested_rows"]) == (40, 80)
    assert recorder.groups == [10, 10, 20, 20, 40, 40, 80, 80]
    assert all(a <= b for a, b in zip(recorder.learned, recorder.learned[1:], strict=False))
    assert len({frozenset(each) for each in recorder.tested}) == 1
    assert not recorder.learned[-1] & recorder.tested[0]
    assert all({row // 2 * 2, row // 2 * 2 + 1} <= recorder.learned[0] for row in recorder.learned[0])


def test_rows_without_a_label_a_score_or_a_content_are_left_out() -> None:
    """Only complete rows are counted, so that both models learn the same ones."""
    table = made_table(contents=120)
    scores, labels, groups = table.columns[column("dover")], table.columns["mos"], table.groups
    assert groups is not None
    scores[:6], labels[6:12] = np.nan, np.nan
    found = measured(changed(table, groups=np.where(np.arange(240) < 18, -1, groups)))
    assert found["tested_rows"] + found["points"][-1]["rows"] == 240 - 18


def test_scores_that_see_quality_are_worth_contents() -> None:
    """With them the model is better at each size, and equal input gives equal figures."""
    table = made_table(contents=120)
    curve = measured(table)
    assert all((each["with_scores"] or 0) > (each["base"] or 0) for each in curve["points"])
    assert {each["reason"] is None for each in curve["points"]} == {False}
    assert curve["points"][0]["reason"] == (
        f"base does not reach {curve['points'][0]['with_scores']:.3f} with all 80 contents."
    )
    assert measured(table) == curve
    assert measured(table, BoostedTrees())["model"] == "hist-gradient-boosting"


def needed(wanted: float | None, *base: float) -> tuple[float | None, str | None]:
    """What is said of an SRCC, where base had these after 100, 200, 400 ... contents."""
    point = {"rows": 1, "with_scores": None, "base_contents": None, "reason": None}
    points = [point | {"contents": 100 * 2**at, "base": srcc} for at, srcc in enumerate(base)]
    return learning._needed(wanted, points)  # type: ignore[arg-type]  # points of a test


def test_the_contents_that_base_needs_are_interpolated() -> None:
    """Half-way between two sizes in SRCC is half-way between the logarithms of their contents."""
    contents, reason = needed(0.7, 0.5, 0.6, 0.8)
    assert contents == pytest.approx(200 * 2**0.5)
    assert reason is None
    assert needed(0.8, 0.5, 0.6, 0.8)[0] == pytest.approx(400)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (0.9, "base does not reach 0.900 with all 400 contents."),
        (0.4, "base has as much with 100 contents, the fewest that were tried."),
        (None, "No SRCC is defined: the labels that are tested are all equal."),
    ],
)
def test_what_base_needs_is_not_always_known(wanted: float | None, reason: str) -> None:
    """Beyond the measured sizes nothing is guessed; the reason says on which side it lies."""
    assert needed(wanted, 0.5, 0.6, 0.8) == (None, reason)
