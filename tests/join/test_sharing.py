"""A score belongs to one clip: rows whose keys meet only by `key_normalize` share it only if it may be any of theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import JoinError
from tests.support.builders import joined

PATHS = [{"path": "b1/747.mp4"}, {"path": "b24/747.mp4"}]


def score_of(key: str, field: str = "path") -> dict[str, list[dict[str, Any]]]:
    """A sidecar of one row."""
    return {"dover": [{field: key, "score": 0.5}]}


def audited(folder: Path) -> dict[str, Any]:
    """What the audit says of the scorer."""
    found: dict[str, Any] = json.loads((folder / "audit.json").read_text("utf-8"))["competitors"]["dover"]
    return found


@pytest.mark.parametrize("policy", ["mark", "drop", "fail"])
@pytest.mark.parametrize("normalize", ["auto", "basename", "stem"])
def test_a_score_of_one_folder_is_not_given_to_another(tmp_path: Path, policy: str, normalize: str) -> None:
    """The table fails under every policy, shows the keys of both sides, says what `raw` would match; nothing is written."""
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, PATHS, score_of("b1/747.mp4"), missing_policy=policy, key_normalize=normalize)
    message = str(caught.value)
    assert "score key 'b1/747.mp4' is closer to 'b1/747.mp4' than to 'b24/747.mp4'" in message
    assert f"only by key_normalize {normalize}" in message
    assert "key_normalize raw would match 1 row" in message
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    "key",
    ["747.mp4", "elsewhere/747.mp4", "/data/747.mp4", "./747.mp4", " 747.mp4 "],
    ids=["bare", "another folder", "absolute", "this folder", "blanks"],
)
def test_rows_share_a_score_that_is_close_to_none(tmp_path: Path, key: str) -> None:
    """Where the score's key says nothing about the folder, all rows have it, and the audit counts them."""
    rows = joined(tmp_path, [*PATHS, {"path": "b1/8.mp4"}], score_of(key), missing_policy="mark")
    assert [row["second_opinion_dover_score"] for row in rows] == [0.5, 0.5, None]
    assert audited(tmp_path)["shared_rows"] == 2


@pytest.mark.parametrize(
    ("features", "key", "closer"),
    [
        (["a/b1/7.mp4", "c/b1/7.mp4"], "/data/a/b1/7.mp4", "a/b1/7.mp4"),
        (["b1/7.mp4", "b24/7.mp4"], "b1/7", "b1/7.mp4"),
        (["b1/7.mp4", "b1/7.avi"], "b1/7.mp4", "b1/7.mp4"),
        (["b1/7.mp4", "b2/7.avi"], "7.avi", "b2/7.avi"),
        (["b1/7.mp4", "b2/7.mp4", "b3/7.mp4"], "x/b2/7.mkv", "b2/7.mp4"),
        (["./b1//7.mp4", "b24/7.mp4"], "b1/7.mp4", "./b1//7.mp4"),
        (["b1/7.mp4", "b24/7.mp4"], "B1/7.MP4", "b1/7.mp4"),
        (["b1/7.mp4", "B1/7.mp4"], "B1/7.mp4", "B1/7.mp4"),
    ],
    ids=[
        "outer folder",
        "no extension",
        "extension",
        "bare name",
        "three",
        "odd spelling",
        "letter case",
        "case alone",
    ],
)
def test_what_makes_a_score_closer(tmp_path: Path, features: list[str], key: str, closer: str) -> None:
    """Folders count from the end, then the name with its extension; letter case counts last."""
    with pytest.raises(JoinError, match=f"is closer to '{closer}' than to") as caught:
        joined(tmp_path, [{"path": each} for each in features], score_of(key), key_normalize="stem")
    assert "1 score would go to rows whose keys are the same only by key_normalize stem" in str(caught.value)


def test_equal_keys_are_one_clip(tmp_path: Path) -> None:
    """Rows of one key, however often it stands and with blanks around it, are encodes of one clip: none is shared."""
    features = [{"path": "b1/747.mp4", "qp": qp} for qp in (22, 37)] + [{"path": " b1/747.mp4", "qp": 0}]
    rows = joined(tmp_path, features, score_of("b1/747.mp4"))
    assert [row["second_opinion_dover_score"] for row in rows] == [0.5, 0.5, 0.5]
    assert audited(tmp_path)["shared_rows"] == 0


def test_keys_that_a_regex_makes_equal_are_meant_to_be(tmp_path: Path) -> None:
    """Encodes whose names differ by what `key_regex` takes away share the score, whatever their folders."""
    features = [{"path": f"{codec}/747_{codec}.mp4"} for codec in ("h264", "vp9")]
    rows = joined(
        tmp_path, features, score_of("h264/747.mp4"), key_normalize="stem", key_regex="^(.+?)(?:_[a-z0-9]+)?$"
    )
    assert [row["second_opinion_dover_score"] for row in rows] == [0.5, 0.5]
    assert audited(tmp_path)["shared_rows"] == 0


def test_a_regex_does_not_hide_a_score_of_another_folder(tmp_path: Path) -> None:
    """Keys that meet by `key_normalize` before any regex are still of two clips."""
    features = [{"path": f"{folder}/747_crf10.mp4"} for folder in ("b1", "b24")]
    with pytest.raises(JoinError, match=r"is closer to 'b1/747_crf10\.mp4' than"):
        joined(
            tmp_path, features, score_of("b1/747.mp4"), key_normalize="stem", key_regex="^(.+?)(?:_crf10)?$"
        )


def test_a_correct_raw_join_is_not_told_of_a_rule_that_is_refused(tmp_path: Path) -> None:
    """What another `key_normalize` "would match" never counts rows that the rule refuses, nor scores that collide."""
    features = [{"path": f"b{folder}/747.mp4"} for folder in (1, 2, 3, 4)]
    joined(tmp_path, features, score_of("b1/747.mp4"), key_normalize="raw")
    low = audited(tmp_path)["low_match"]
    assert "better_key_normalize" not in low
    twice = {"dover": [{"path": "b1/747.mp4", "score": 1}, {"path": "x/747.mp4", "score": 2}]}
    (tmp_path / "again").mkdir()
    joined(tmp_path / "again", features, twice, key_normalize="raw")
    assert "better_key_normalize" not in audited(tmp_path / "again")["low_match"]


def test_all_refused_scores_are_counted_and_ten_shown(tmp_path: Path) -> None:
    """The message counts every score that belongs to some of its rows only, per scorer, and shows the first ten."""
    features = [{"path": f"b{folder}/{clip}.mp4"} for clip in range(12) for folder in (1, 2)]
    scores = [{"path": f"b1/{clip}.mp4", "score": clip} for clip in range(12)]
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, features, {"dover": scores, "musiq": score_of("b2/3.mp4")["dover"]})
    message = str(caught.value)
    assert "'dover': 12 scores would go to rows" in message
    assert "'musiq': 1 score would go to rows" in message
    assert message.count("' is closer to '") == 11
    assert "... and 2 more" in message


def test_without_a_rule_that_keeps_clips_apart_the_message_says_what_to_do(tmp_path: Path) -> None:
    """Where no `key_normalize` matches without giving scores away, the cure names the key column and the regexes."""
    with pytest.raises(JoinError, match="set key_column to a column whose keys differ per clip"):
        joined(tmp_path, PATHS, score_of("/data/b1/747.mp4"))


def test_letter_case_alone_is_counted(tmp_path: Path) -> None:
    """Rows whose key an unused score has but for letter case are counted in the audit and named in the message."""
    features = [{"path": "Clip_1.MP4"}, {"path": "clip_2.mp4"}, {"path": "é.mp4"}]
    scores = {"dover": [{"path": key, "score": 1} for key in ("clip_1.mp4", "clip_2.mp4", "É.mp4")]}
    joined(tmp_path, features, scores, missing_policy="mark")
    assert audited(tmp_path)["case_rows"] == 2
    with pytest.raises(JoinError, match="2 rows more would match if letter case were ignored"):
        joined(tmp_path, features, scores, missing_policy="fail", overwrite=True)


@given(
    folders=st.lists(st.sampled_from(["a", "b", "a/b", "", "."]), min_size=1, max_size=4, unique=True),
    own=st.sampled_from(["a", "b", "x", ""]),
)
def test_a_lone_match_is_never_refused(
    folders: list[str], own: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of a table in which one row alone has the comparable key of a score, no row is refused or counted as shared."""
    folder = tmp_path_factory.mktemp("lone")
    features = [{"path": f"{each}/{index}.mp4"} for index, each in enumerate(folders)]
    joined(folder, features, score_of(f"{own}/0.mp4"))
    assert audited(folder)["shared_rows"] == 0
