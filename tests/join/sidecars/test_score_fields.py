"""One row of a sidecar: its score."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.join.sidecars.fields import RowFault
from pipeline.manifest.options import JoinOptions
from tests.support.builders import score_row, scored

NAN, INFINITE = math.nan, math.inf


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"score": 1.5}, 1.5),
        ({"predicted_mos": 2}, 2.0),
        ({"predicted_vmaf_or_mos": 3}, 3.0),
        ({"MOS": 4}, 4.0),
        ({"quality": 5}, 5.0),
        ({"Vmaf": 6}, 6.0),
        ({"summary": {"mos": 7}}, 7.0),
        ({"Summary": {"Score": 8}}, 8.0),
        ({"score": " -1.25e1 "}, -12.5),
        ({"score": "3", "mos": 3.0}, 3.0),
        ({"score": 1, "mos": "n/a", "vmaf": None, "quality": True}, 1.0),
        ({"score": 1, "frames": [{"score": 9}]}, 1.0),
    ],
    ids=[
        "score",
        "predicted_mos",
        "predicted_vmaf_or_mos",
        "mos",
        "quality",
        "vmaf",
        "summary",
        "letter case",
        "numeric text",
        "equal candidates",
        "candidates that are no numbers",
        "frames beside a scalar",
    ],
)
def test_score_of_a_row(row: dict[str, Any], score: float) -> None:
    """The score is the first candidate of the row, else of its summary, as a float; frames are 0 for a scalar."""
    found = scored(**row)
    assert (found.score, found.frames) == (score, 0)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"score": 1, "mos": 2}, "score and mos: found 1.0 and 2.0"),
        ({"predicted_mos": "1", "MOS": 2}, "predicted_mos and MOS: found 1.0 and 2.0"),
        ({"score": 1, "summary": {"mos": 2}}, "score and summary.mos: found 1.0 and 2.0"),
        ({"frames": [{"score": 1}, {"score": 1, "mos": 2}]}, r"frames\[1\].score and frames\[1\].mos: found"),
        ({"score": 1, "mos": 2, "status": "failed"}, "score and mos: found 1.0 and 2.0"),
    ],
    ids=["row", "letter case and text", "summary", "frame", "bad row"],
)
def test_two_different_scores_are_a_fault(row: dict[str, Any], fields: str) -> None:
    """Two candidates of different value are an error that asks for `score_field`: one may be the human label."""
    with pytest.raises(RowFault, match=rf"fields {fields}.*\(set score_field\)"):
        scored(**row)


@pytest.mark.parametrize(
    "value",
    [None, NAN, INFINITE, True, "good", "", "nan", "1_0", "0x1", "1e999", [1], 10**400, "1" * 10**6 + "x"],
    ids=lambda value: repr(value)[:20],
)
def test_score_must_be_a_finite_number(value: object) -> None:
    """A score is a finite number or its text; a boolean is none, and a second candidate does not stand in."""
    with pytest.raises(RowFault, match=r"field score: found .*; expected a finite number"):
        scored(score=value, mos=3)


@pytest.mark.parametrize(
    "row", [{}, {"frames": []}, {"summary": "3"}], ids=["nothing", "no frames", "text summary"]
)
def test_ok_row_without_a_score(row: dict[str, Any]) -> None:
    """An ok row without a score is an error that lists the candidates and the row's fields."""
    with pytest.raises(
        RowFault, match=r"no score; expected one of score, .*, or set score_field .*'clip_id'"
    ):
        scored(**row)


@pytest.mark.parametrize(
    ("field", "row", "score"),
    [
        ("technical score", {"technical score": 1, "score": 2, "mos": 3}, 1.0),
        ("pooled_metrics.vmaf.mean", {"pooled_metrics": {"vmaf": {"mean": "90.5"}}}, 90.5),
        ("a.b", {"a.b": 1, "a": {"b": 2}}, 1.0),
    ],
    ids=["field", "dotted path", "exact name wins"],
)
def test_score_field(field: str, row: dict[str, Any], score: float) -> None:
    """`score_field` is the score, before every candidate; it may be a path into nested objects."""
    assert score_row({"clip_id": "c"} | row, options=JoinOptions(score_field=field)).score == score


@pytest.mark.parametrize("row", [{"score": 1}, {"Overall": 1}, {"frames": [{"overall": 1}]}])
def test_score_field_that_is_absent(row: dict[str, Any]) -> None:
    """An ok row without the `score_field` is an error, though it has a candidate."""
    with pytest.raises(RowFault, match="field overall: absent; expected the score"):
        score_row({"clip_id": "c"} | row, options=JoinOptions(score_field="overall"))


@pytest.mark.parametrize(
    ("frames", "score"),
    [
        ([{"score": 1}, {"score": 2}, {"score": 4.5}], 2.5),
        ([{"MOS": "1"}, {"summary": {"vmaf": 2}}], 1.5),
        ([{"score": 0.1}] * 10, 0.1),
        ([{"score": 1e16}, {"score": 1}, {"score": -1e16}], 1 / 3),
    ],
    ids=["mean", "each found the same way", "no rounding", "exact sum"],
)
def test_mean_over_frames(frames: list[dict[str, Any]], score: float) -> None:
    """Without a scalar, the score is the mean over all frames, which are counted."""
    found = scored(frames=frames)
    assert (found.score, found.frames) == (score, len(frames))


@pytest.mark.parametrize(
    ("frame", "found"),
    [({"score": NAN}, "found nan"), ({"t": 1}, "found no score"), (5, "found no score")],
    ids=["NaN", "none", "no object"],
)
def test_frame_without_a_score(frame: object, found: str) -> None:
    """A frame without a finite score is an error that says which; it is never left out of the mean."""
    with pytest.raises(
        RowFault, match=rf"field frames\[1\]: {found}; expected a finite score in every frame"
    ):
        scored(frames=[{"score": 1}, frame])


def test_mean_that_is_no_number() -> None:
    """Frames whose mean cannot be computed as a finite number are an error of the row."""
    with pytest.raises(RowFault, match=r"field frames: .* too large; expected a finite mean"):
        scored(frames=[{"score": 1e308}] * 2)


@pytest.mark.parametrize(
    ("row", "score", "frames"),
    [
        ({"score": 1.5}, 1.5, 0),
        ({"score": "2"}, 2.0, 0),
        ({"frames": [{"score": 1}, {"score": 2}]}, 1.5, 2),
        ({}, None, 0),
        ({"score": None}, None, 0),
        ({"score": NAN}, None, 0),
        ({"score": INFINITE}, None, 0),
        ({"score": "crashed"}, None, 0),
        ({"score": True}, None, 0),
        ({"frames": [{"score": 1}, {"score": None}]}, None, 0),
        ({"frames": [{"score": 1e308}, {"score": 1e308}]}, None, 0),
    ],
    ids=str,
)
def test_bad_row_needs_no_score(row: dict[str, Any], score: float | None, frames: int) -> None:
    """A finite score of a bad row is kept; anything else there is no score."""
    found = scored(status="failed", **row)
    assert (found.bad, found.score, found.frames) == (True, score, frames)


@pytest.mark.parametrize("row", [{}, {"overall": None}, {"overall": "x"}], ids=["absent", "null", "text"])
def test_bad_row_needs_no_score_field(row: dict[str, Any]) -> None:
    """A bad row needs no score under `score_field` either, and no other field stands in for it."""
    options = JoinOptions(score_field="overall")
    assert score_row({"clip_id": "c", "status": "bad", "score": 3} | row, options=options).score is None
