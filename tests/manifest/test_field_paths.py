"""Paths to fields: into objects, and through one list."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.join.sidecars.fields import RowFault
from pipeline.join.sidecars.record import ScoreRow
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions, option_faults
from tests.support.builders import DOVER, score_row, score_rows

LIBVMAF = [{"frameNum": 0, "metrics": {"vmaf": 90.0}}, {"frameNum": 1, "metrics": {"vmaf": 92.0}}]
PATH = "frames[].metrics.vmaf"


def scored(path: str, **row: Any) -> ScoreRow:
    """What a row says if its score is at that path."""
    return score_row({"clip_id": "c", **row}, options=JoinOptions(score_field=path))


@pytest.mark.parametrize(
    ("path", "row", "score", "frames"),
    [
        (PATH, {"frames": LIBVMAF}, 91.0, 2),
        ("frames[].VMAF_score", {"frames": [{"VMAF_score": "1.5"}, {"VMAF_score": 2}]}, 1.75, 2),
        ("log.frames[].vmaf", {"log": {"frames": [{"vmaf": 1}]}}, 1.0, 1),
        ("log.frames[].vmaf", {"log.frames": [{"vmaf": 1}], "log": {"frames": [{"vmaf": 9}]}}, 1.0, 1),
        ("frames[].a.b", {"frames": [{"a.b": 1, "a": {"b": 9}}]}, 1.0, 1),
        ("scores[]", {"scores": [1, 2.5]}, 1.75, 2),
        (PATH, {PATH: 3, "frames": LIBVMAF}, 3.0, 0),
        ("frames[].x", {"frames": [{"x": 0.1}] * 10}, 0.1, 10),
    ],
    ids=[
        "libvmaf",
        "libvmaf 1",
        "deep list",
        "exact list",
        "exact in an item",
        "numbers",
        "exact name",
        "exact sum",
    ],
)
def test_mean_over_a_list(path: str, row: dict[str, Any], score: float, frames: int) -> None:
    """A path with `name[]` is the mean over that list, whose items are counted; a field of exactly that name wins."""
    found = scored(path, **row)
    assert (found.score, found.frames) == (score, frames)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, r"field frames: absent; expected a list with scores, for frames\[\]\.metrics\.vmaf .*'clip_id'"),
        ({"frames": []}, r"field frames: found \[\]; expected a list"),
        ({"frames": {"metrics": {}}}, r"field frames: found \{.*; expected a list"),
        (
            {"frames": [*LIBVMAF, {"metrics": {}}]},
            r"field frames\[2\]\.metrics\.vmaf: found no score; expected",
        ),
        ({"frames": [{"metrics": {"vmaf": None}}]}, r"field frames\[0\]\.metrics\.vmaf: found None"),
        ({"frames": [3]}, r"field frames\[0\]\.metrics\.vmaf: found no score"),
        ({"frames": [{"metrics": {"vmaf": 1e308}}] * 2}, "field frames: .*too large; expected a finite mean"),
    ],
    ids=["absent", "empty", "object", "item without", "null", "number", "too large"],
)
def test_every_item_needs_a_score(row: dict[str, Any], reason: str) -> None:
    """A list without items, or with an item that has no finite score, is an error; a bad row has no score then."""
    with pytest.raises(RowFault, match=reason):
        scored(PATH, **row)
    bad = scored(PATH, status="failed", **row)
    assert (bad.score, bad.frames, bad.bad) == (None, 0, True)


def test_aspects_may_be_means() -> None:
    """Each of `score_fields` may go through a list; the runtime is the sum over `frames`."""
    entry = SidecarEntry("s.json", "vmaf", score_fields=(("mean", PATH), ("last", "last")))
    frames = [each | {"elapsed_ms": 2} for each in LIBVMAF]
    first, second = score_rows({"clip_id": "c", "frames": frames, "last": 92}, entry)
    assert (first.label, first.score, first.frames, first.runtime_ms) == ("vmaf-mean", 91.0, 2, 4.0)
    assert (second.label, second.score, second.frames) == ("vmaf-last", 92.0, 0)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            {"score_field": "shots[].frames[].vmaf"},
            ".score_field: found 'shots[].frames[].vmaf', which goes through 2",
        ),
        ({"score_fields": {"a": "x[].y[]"}}, ".score_fields: found 'x[].y[]', which goes through 2 lists"),
        ({"score_field": "[].vmaf"}, ".score_field: found '[].vmaf'; expected the name of a list before []"),
        ({"key_field": "frames[].name"}, ".key_field: found 'frames[].name', which goes through a list"),
    ],
)
def test_paths_that_cannot_be_used(tmp_path: Any, entry: dict[str, Any], fault: str) -> None:
    """A path through two lists, or to a key through one, is a fault of the entry and of the table's options."""
    (found,) = SidecarEntry.of({"path": "s.json", "label": "x", **entry}, tmp_path).faults()
    assert found.startswith(fault)
    options = {"score_key_field" if "key_field" in entry else "score_field": next(iter(entry.values()))}
    if "score_fields" not in entry:
        (told,) = option_faults(options)
        assert told.split(": ", 1)[1] == found.split(": ", 1)[1]


def test_a_path_is_no_key() -> None:
    """A row is read by a dotted key, through objects only."""
    row = {"meta": {"id": "c"}, "score": 1}
    assert score_row(row, DOVER, JoinOptions(score_key_field="meta.id")).key == "c"
