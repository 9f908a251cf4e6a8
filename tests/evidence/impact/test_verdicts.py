"""The verdict follows from three intervals: against base, against the control, and the control's own."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.evidence.documents import Delta, Figures
from pipeline.evidence.impact.verdicts import verdict

FIGURES: Figures = {
    "srcc": 0.1,
    "krcc": None,
    "plcc": None,
    "rmse": None,
    "plcc_mapped": None,
    "rmse_mapped": None,
}
FLAT = [-0.1, 0.1]


def delta(name: str, ends: Any) -> Delta:
    """A change of which the interval of SRCC is known."""
    return {"name": name, **FIGURES, "intervals": {"srcc": ends}, "corrected_t": {"srcc": ends}}


@pytest.mark.parametrize(
    ("found", "control", "beyond", "expected"),
    [
        ([0.01, 0.2], FLAT, [0.01, 0.2], "improves"),
        ([0.01, 0.2], FLAT, [0.0, 0.2], "no evidence"),
        ([0.0, 0.2], FLAT, [0.01, 0.2], "no evidence"),
        ([-0.2, 0.0], [-0.2, -0.1], [-0.2, -0.1], "no evidence"),
        ([-0.2, -0.01], FLAT, [-0.2, -0.01], "worse"),
        ([-0.2, -0.01], [-0.2, -0.01], FLAT, "no evidence"),
        ([0.01, 0.2], [0.001, 0.1], [0.01, 0.2], "not measurable"),
        ([None, None], [None, None], [None, None], "not measurable"),
    ],
)
def test_the_verdict_follows_from_three_intervals(
    found: Any, control: Any, beyond: Any, expected: str
) -> None:
    """An interval that touches 0 is no evidence; a gain or a loss counts if it is one against the control too."""
    deltas = [delta("base+scores", found), delta("base+shuffled", control)]
    given, reason = verdict(deltas, delta("base+scores", beyond), 0.95, 2)
    assert given == expected
    assert ("The control gains" in reason) == (control[0] == 0.001)
    level = "95 % interval" if control[0] == 0.001 else "97.5 % interval"
    assert (level in reason) == (found[0] is not None)


def test_a_loss_that_noise_has_too_is_told_as_such() -> None:
    """Columns of noise do harm of their own, which says nothing about the scores."""
    deltas = [delta("base+scores", [-0.2, -0.01]), delta("base+shuffled", [-0.2, -0.01])]
    _, reason = verdict(deltas, delta("base+scores", FLAT), 0.95, 1)
    assert "cost as much as noise of the same number of columns" in reason
