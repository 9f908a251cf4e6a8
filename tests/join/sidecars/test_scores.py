"""One row of a sidecar: its scorer, its key, its status, its runtime."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.join.sidecars.fields import RowFault
from pipeline.join.sidecars.record import ScoreRow
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from tests.support.builders import score_row, score_rows, scored


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"competitor": "FAST-VQA", "summary": {"competitor": "MUSIQ"}}, "FAST-VQA"),
        ({"summary": {"competitor": "MUSIQ"}}, "MUSIQ"),
        ({"competitor": "  ", "summary": {"competitor": "MUSIQ"}}, "MUSIQ"),
        ({"Competitor": " MUSIQ "}, "MUSIQ"),
    ],
    ids=["row", "summary", "blank in the row", "letter case and blanks"],
)
def test_scorer_is_named_by_the_row(row: dict[str, Any], expected: str) -> None:
    """The scorer is the row's `competitor`, else that of its summary."""
    assert score_row({"clip_id": "c", "score": 1} | row, UNLABELLED).label == expected


UNLABELLED = SidecarEntry("dover.jsonl")


@pytest.mark.parametrize("competitor", [{}, {"competitor": None}, {"competitor": " "}])
def test_scorer_is_else_the_label(competitor: dict[str, Any]) -> None:
    """A row that names no scorer belongs to the entry's label."""
    assert scored(score=1, **competitor).label == "dover"


def test_no_scorer_is_a_fault() -> None:
    """A row that names no scorer, in an entry without a label, is an error."""
    with pytest.raises(RowFault, match="no field competitor and the entry has no label"):
        score_row({"clip_id": "c", "score": 1}, UNLABELLED)


def test_label_that_contradicts_its_file() -> None:
    """A row that names another scorer than the entry's label is an error that shows both."""
    with pytest.raises(RowFault, match=r"competitor: found 'musiq', which contradicts the label 'dover'"):
        scored(score=1, competitor="musiq")


def test_label_of_the_same_slug_is_no_contradiction() -> None:
    """A label and a `competitor` with the same column slug are the same scorer."""
    entry = SidecarEntry("s.jsonl", label="clip iqa")
    assert score_row({"clip_id": "c", "score": 1, "competitor": "CLIP-IQA"}, entry).label == "CLIP-IQA"


@pytest.mark.parametrize("competitor", ["---", "评分", "a\nb"])
def test_scorer_needs_a_name_for_its_columns(competitor: str) -> None:
    """A scorer whose slug is empty, or whose name is not printable, is an error."""
    with pytest.raises(RowFault, match="expected a printable name with a letter or digit"):
        score_row({"clip_id": "c", "score": 1, "competitor": competitor}, UNLABELLED)


@pytest.mark.parametrize(
    ("row", "field", "key"),
    [
        ({"path": "a/c.mp4", "video_id": "v", "name": "n"}, "video_id", "v"),
        ({"Clip_ID": "c"}, "Clip_ID", "c"),
        ({"id": 1, "summary": {"clip_id": "s"}}, "clip_id", "s"),
        ({"name": "n", "summary": {"clip_id": "s"}}, "name", "n"),
        ({"clip_id": 747}, "clip_id", "747"),
        ({"clip_id": 747.0}, "clip_id", "747"),
        ({"clip_id": "0042"}, "clip_id", "0042"),
    ],
    ids=[
        "best first",
        "letter case",
        "summary",
        "row before summary",
        "integer",
        "integral float",
        "text stays",
    ],
)
def test_key_of_a_row(row: dict[str, Any], field: str, key: str) -> None:
    """The key is the first candidate that the row has, else that its summary has, as text."""
    found = score_row({"score": 1} | row)
    assert (found.key_field, found.key) == (field, key)


def test_no_key_is_a_fault() -> None:
    """A row without any key candidate is an error that lists the candidates and the row's fields."""
    with pytest.raises(
        RowFault, match=r"expected one of clip_id, .*, path, or set score_key_field .*'clip', 'score'"
    ):
        score_row({"clip": "c", "score": 1})


@pytest.mark.parametrize("value", ["", "  ", None, math.nan, ["c"], {"id": "c"}], ids=repr)
def test_empty_key_is_a_fault(value: object) -> None:
    """A key that is empty, null, or no text or number is an error, even where another candidate has one."""
    with pytest.raises(RowFault, match=r"field clip_id: found .*; expected a key"):
        score_row({"clip_id": value, "video_id": "v", "score": 1})


@pytest.mark.parametrize(
    ("field", "row", "key"),
    [
        ("shot", {"shot": "s", "clip_id": "c"}, "s"),
        ("meta.shot", {"meta": {"shot": 7}, "clip_id": "c"}, "7"),
        ("meta.shot", {"meta.shot": "exact", "meta": {"shot": 7}}, "exact"),
    ],
    ids=["field", "dotted path", "exact name wins"],
)
def test_score_key_field(field: str, row: dict[str, Any], key: str) -> None:
    """`score_key_field` is the key, before every candidate; it may be a path into nested objects."""
    assert score_row({"score": 1} | row, options=JoinOptions(score_key_field=field)).key == key


@pytest.mark.parametrize(
    ("field", "row"), [("shot", {}), ("meta.shot", {"meta": {}}), ("meta.shot", {"meta": 7})]
)
def test_score_key_field_that_is_absent(field: str, row: dict[str, Any]) -> None:
    """A row without the `score_key_field` is an error, though it has a candidate."""
    with pytest.raises(RowFault, match=f"field {field}: absent; expected the key .*the row has: 'clip_id'"):
        score_row({"clip_id": "c", "score": 1} | row, options=JoinOptions(score_key_field=field))


def test_entry_fields_go_before_the_table() -> None:
    """An entry's `key_field` and `score_field` override the table's."""
    entry = SidecarEntry("s.jsonl", label="dover", key_field="shot", score_field="technical")
    found = score_row(
        {"shot": "s", "clip_id": "c", "technical": 1, "overall": 2},
        entry,
        JoinOptions(score_key_field="clip_id", score_field="overall"),
    )
    assert (found.key, found.score) == ("s", 1.0)


@pytest.mark.parametrize("status", [None, "", "  ", "ok", "OK", " Pass ", "success"], ids=repr)
def test_ok_status(status: str | None) -> None:
    """Absent, null, blank, ok, pass and success are ok, whatever their letter case and blanks."""
    assert scored(score=1, status=status) == scored(score=1)
    assert scored(score=1, status=status).bad is False


@pytest.mark.parametrize(
    "status", ["bad", "failed", "okay", "o k", "timeout", False, True, 0, 1, ["ok"]], ids=repr
)
def test_bad_status(status: object) -> None:
    """All other statuses are bad."""
    assert scored(score=1, status=status).bad is True


def test_bad_summary() -> None:
    """A row whose summary says that the scorer failed is bad, as if the row said it."""
    assert scored(summary={"status": "failed", "score": 1}).bad is True
    assert scored(summary={"status": "ok", "score": 1}).bad is False


@pytest.mark.parametrize(
    ("row", "runtime_ms"),
    [
        ({"elapsed_ms": 3, "runtime_total_ms": 2, "Runtime_MS": 1}, 1.0),
        ({"elapsed_ms": 3, "runtime_total_ms": 2}, 2.0),
        ({"Runtime_MS": 9, "runtime_ms": 1}, 1.0),
        ({"elapsed_ms": "3.5"}, 3.5),
        ({"elapsed_ms": 3, "summary": {"runtime_ms": 1}}, 3.0),
        ({"summary": {"elapsed_ms": 4}, "frames": [{"runtime_ms": 1}]}, 4.0),
        ({"frames": [{"runtime_ms": 1}, {"elapsed_ms": 2.5}, {}]}, 3.5),
        ({"runtime_ms": None, "frames": [{"runtime_ms": 1}]}, 1.0),
        ({"runtime_s": 1}, None),
        ({"frames": [{"t": 1}]}, None),
        ({"frames": [{"runtime_ms": 1e308}, {"runtime_ms": 1e308}]}, None),
    ],
    ids=[
        "runtime_ms",
        "runtime_total_ms",
        "exact name first",
        "elapsed_ms",
        "row before summary",
        "summary before frames",
        "sum over frames",
        "null",
        "none",
        "frames without",
        "no finite sum",
    ],
)
def test_runtime(row: dict[str, Any], runtime_ms: float | None) -> None:
    """The runtime is the first of its fields in the row, else in summary, else their sum over frames, else null."""
    assert scored(score=1, **row).runtime_ms == runtime_ms


def test_aspects_of_a_wide_row() -> None:
    """`score_fields` gives one scorer per aspect, labelled LABEL-aspect, from one row."""
    entry = SidecarEntry(
        "dover.csv",
        "dover",
        score_fields=(("aesthetic", "aesthetic score"), ("technical", "parts.technical")),
    )
    row = {"clip_id": "c", "aesthetic score": "0.5", "parts": {"technical": 0.25}, "runtime_ms": 8, "mos": 4}
    assert score_rows(row, entry) == [
        ScoreRow("dover-aesthetic", "clip_id", "c", 0.5, bad=False, runtime_ms=8.0, frames=0),
        ScoreRow("dover-technical", "clip_id", "c", 0.25, bad=False, runtime_ms=8.0, frames=0, aspect=1),
    ]


def test_aspect_that_is_absent() -> None:
    """An aspect's field that an ok row lacks is an error that names it."""
    entry = SidecarEntry("dover.csv", "dover", score_fields=(("technical", "technical score"),))
    with pytest.raises(RowFault, match="field technical score: absent; expected the score"):
        score_rows({"clip_id": "c", "score": 1}, entry)
