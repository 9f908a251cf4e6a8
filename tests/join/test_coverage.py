"""How much of the feature table a scorer covers, and what happens where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import JoinError
from tests.support.builders import clips, join_features, joined, write_text

POLICIES = pytest.mark.parametrize("policy", ["mark", "drop", "fail"])
AB_C = {"dover": clips("a", "b", score=1), "musiq": clips("a", "c", score=2)}


def audited(folder: Path, label: str = "dover") -> dict[str, Any]:
    """What the audit says of a scorer."""
    found: dict[str, Any] = json.loads((folder / "audit.json").read_text("utf-8"))["competitors"][label]
    return found


def test_mark_keeps_every_row(tmp_path: Path) -> None:
    """`mark` keeps a row without a score, whose status says so."""
    rows = joined(tmp_path, clips("a", "b", "d"), AB_C, missing_policy="mark")
    statuses = [(row["second_opinion_dover_status"], row["second_opinion_musiq_status"]) for row in rows]
    assert statuses == [("ok", "ok"), ("ok", "missing"), ("missing", "missing")]


def test_drop_leaves_out_rows_that_lack_any_scorer(tmp_path: Path) -> None:
    """`drop` drops the rows that lack any scorer's row; the others keep their order."""
    features = [{"clip_id": key, "encode": number} for number, key in enumerate("cabda")]
    rows = joined(tmp_path, features, AB_C, missing_policy="drop")
    assert [(row["clip_id"], row["encode"]) for row in rows] == [("a", 1), ("a", 4)]
    audit = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert (audit["input_rows"], audit["output_rows"]) == (5, 2)


def test_fail_names_every_scorer_and_its_count(tmp_path: Path) -> None:
    """`fail` fails the table, names every scorer that misses rows and how many, and writes nothing."""
    with pytest.raises(JoinError) as caught:
        joined(
            tmp_path,
            clips("a", "b", "d"),
            AB_C | {"vmaf": clips("a", "b", "d", score=3)},
            missing_policy="fail",
        )
    message = str(caught.value)
    assert message.startswith("2 of 3 scorers do not cover the feature table")
    assert (
        "'dover': 2 of 3 rows matched, 1 missing; expected a score for every row (missing_policy fail"
        in message
    )
    assert "'musiq': 1 of 3 rows matched, 2 missing; expected a score for every row" in message
    assert "vmaf" not in message
    assert not (tmp_path / "out.jsonl").exists()


def test_fail_counts_rows_without_a_key(tmp_path: Path) -> None:
    """A row without a key is a missing row, so `fail` fails for it."""
    with pytest.raises(JoinError, match="1 of 2 rows matched, 1 missing"):
        joined(tmp_path, clips("a", None), {"dover": clips("a", score=1)}, missing_policy="fail")


@POLICIES
def test_bad_is_not_missing(tmp_path: Path, policy: str) -> None:
    """A `bad` row is there: it is kept and satisfies every policy and any `min_coverage`."""
    rows = joined(
        tmp_path, clips("a"), {"dover": clips("a", status="failed")}, missing_policy=policy, min_coverage=1.0
    )
    assert [row["second_opinion_dover_status"] for row in rows] == ["bad"]


@POLICIES
@pytest.mark.parametrize("scores", [clips("x", score=1), []], ids=["other keys", "no row"])
def test_scorer_that_matches_no_row(tmp_path: Path, policy: str, scores: list[dict[str, Any]]) -> None:
    """A scorer that matches no row of a non-empty table fails the table under every policy, beside one that does."""
    with pytest.raises(JoinError, match="'musiq': 0 of 2 rows matched, 2 missing; no row matched"):
        joined(
            tmp_path,
            clips("a", "b"),
            {"dover": clips("a", "b", score=1), "musiq": scores},
            missing_policy=policy,
        )


@POLICIES
def test_empty_table(tmp_path: Path, policy: str) -> None:
    """A table without rows is joined under every policy, whatever coverage is asked for."""
    features = write_text(tmp_path / "features.csv", "clip_id,f\n")
    out = join_features(features, "out.jsonl", missing_policy=policy, min_coverage=1.0)
    assert out.read_bytes() == b""


def test_min_coverage(tmp_path: Path) -> None:
    """The least share of rows with an ok or bad score is inclusive; below it the table fails under `mark` too."""
    scores = {"dover": [*clips("a", score=1), *clips("b", status="bad")]}
    features = clips("a", "b", "c", "d")
    assert len(joined(tmp_path, features, scores, min_coverage=0.5)) == 4
    with pytest.raises(JoinError, match=r"2 of 4 rows matched, 2 missing; expected a share of at least 0.51"):
        joined(tmp_path, features, scores, min_coverage=0.51)


def test_audit_counts(tmp_path: Path) -> None:
    """The audit counts rows, not keys, for the table's side: matched (ok), missing and bad rows are all rows.

    It counts the sidecar keys that no row used.
    """
    scores = [*clips("a", "x", "y", score=1), *clips("b", status="failed")]
    joined(tmp_path, clips("a", "a", "b", "c"), {"DOVER": scores})
    assert audited(tmp_path, "DOVER") == {
        "competitor": "DOVER",
        "column_prefix": "second_opinion_dover",
        "scores_loaded": 4,
        "matched_rows": 2,
        "missing_rows": 1,
        "bad_rows": 1,
        "unused_scores": 2,
        "shared_rows": 0,
    }


def test_low_match_is_explained(tmp_path: Path) -> None:
    """Below half, message and audit show five unmatched keys of each side, and the rule that would match more."""
    features = clips("hit", *(f"v/c{number}.mp4" for number in range(7)), None)
    scores = {"dover": clips(*(f"w/c{number}.mkv" for number in range(7)), "hit", score=1)}
    joined(tmp_path, features, scores)
    assert audited(tmp_path)["low_match"] == {
        "unmatched_feature_keys": [f"v/c{number}.mp4" for number in range(5)],
        "unmatched_score_keys": [f"w/c{number}.mkv" for number in range(5)],
        "better_key_normalize": "stem",
        "better_matched_rows": 8,
    }
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, features, scores, missing_policy="fail")
    said = [line.strip() for line in str(caught.value).splitlines()[2:]]
    assert said == [
        "unmatched keys of the feature table: 'v/c0.mp4', 'v/c1.mp4', 'v/c2.mp4', 'v/c3.mp4', 'v/c4.mp4'",
        "unmatched keys of the sidecar: 'w/c0.mkv', 'w/c1.mkv', 'w/c2.mkv', 'w/c3.mkv', 'w/c4.mkv'",
        "key_normalize stem would match 8 rows",
    ]


def test_shown_keys_are_the_original_ones(tmp_path: Path) -> None:
    """Unmatched keys are shown once each, as they came, not as normalised."""
    features = [{"path": path} for path in ("v/a.mp4", "v/a.mp4", "v/b.mp4")]
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, features, {"dover": [{"path": "w/c.mp4", "score": 1}]})
    message = str(caught.value)
    assert "unmatched keys of the feature table: 'v/a.mp4', 'v/b.mp4'\n" in message
    assert "unmatched keys of the sidecar: 'w/c.mp4'" in message
    assert "would match" not in message
    assert message.endswith(
        "no other key_normalize matches more; key_regex or score_key_regex can take a common part out"
    )


@pytest.mark.parametrize(
    ("options", "better"),
    [
        ({"key_normalize": "raw"}, "auto would match 3 rows"),
        ({"key_normalize": "basename", "key_regex": "^v/(.*)"}, "raw would match 3 rows"),
        (
            {"key_normalize": "raw", "score_key_regex": r"(\w)$", "key_regex": "^(.)$"},
            "auto would match 3 rows",
        ),
    ],
    ids=["auto", "raw by its key_regex", "auto by both regexes"],
)
def test_better_rule(tmp_path: Path, options: dict[str, str], better: str) -> None:
    """Whichever other `key_normalize` would match more is advised; the table's key regexes still hold for it."""
    features = [{"path": key} for key in ("v/a", "v/b", "v/c")]
    with pytest.raises(JoinError, match=f"key_normalize {better}"):
        joined(tmp_path, features, {"dover": clips("a", "b", "c", score=1)}, **options)


def test_no_rule_is_advised_that_is_no_better(tmp_path: Path) -> None:
    """Where no other rule would match more, none is advised."""
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, clips("a", "b", "c"), {"dover": clips("a", "x", score=1)}, missing_policy="fail")
    assert "would match" not in str(caught.value)


def test_half_a_match_is_not_explained(tmp_path: Path) -> None:
    """Where half the rows match, neither the audit nor the message lists keys."""
    joined(tmp_path, clips("a", "b"), {"dover": clips("a", "x", score=1)})
    assert "low_match" not in audited(tmp_path)
    with pytest.raises(JoinError) as caught:
        joined(tmp_path, clips("a", "b"), {"dover": clips("a", "x", score=1)}, missing_policy="fail")
    assert "unmatched keys" not in str(caught.value)
