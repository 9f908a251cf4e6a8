"""`init` proposes as features what is measured: never what is rated, scored, named or numbered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.starter.evidence.baseline import patterns
from tests.support.builders import run_main, write_jsonl
from tests.support.starters import evidence_of, table_of

ROWS = 40
RANDOM = np.random.default_rng(2)
MEASURED = RANDOM.random(ROWS)
LABELS = table_of(ROWS)["mos"]


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("mos_zscore", MEASURED, "it is the label or is derived from ratings"),
        ("votes_5", MEASURED, "it is the label or is derived from ratings"),
        ("rater_12", MEASURED, "it is the label or is derived from ratings"),
        ("std", 100 * MEASURED, "it may be derived from ratings"),
        ("quality", MEASURED, "it may be derived from ratings"),
        ("copied", np.round(LABELS, 1), "it follows mos as only a label can; add it if it was measured"),
        ("turned", [5 - each for each in LABELS], "it follows mos as only a label can"),
        ("second_opinion_old_score", MEASURED, "about a scorer that is joined"),
        ("dover", MEASURED, "about a scorer that is joined"),
        ("DOVER score", MEASURED, "about a scorer that is joined"),
        ("flickr_id", RANDOM.integers(0, 99, ROWS), "it names a clip, a row or a file"),
        ("video_no", RANDOM.permutation(ROWS) * 7, "whole numbers that number the clips"),
        ("entry", range(ROWS), "whole numbers that number the clips"),
        ("ticket", RANDOM.integers(10**9, 10**12, ROWS), "whole numbers that number the clips"),
        ("fold", RANDOM.integers(0, 5, ROWS), "it says in which part of the data a row is"),
        ("height", [1080] * ROWS, "the same in each row, or empty"),
        ("empty", [float("nan")] * ROWS, "the same in each row, or empty"),
        ("a*", MEASURED, "a * in the name would match other columns too"),
    ],
)
def test_what_is_no_feature(
    tmp_path: Path, name: str, values: Any, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is left out, and the line says why."""
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, **{name: values}))
    assert evidence is not None
    assert evidence["features"] == ["blur", "noise"]
    assert [line for line in said if line.startswith(f"not in evidence.features: {name}: {why}")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bitrate", RANDOM.permutation(ROWS) * 1001 + 10**6),
        ("vmaf", MEASURED),
        ("niqe", MEASURED),
        ("height", RANDOM.choice([720, 1080], ROWS)),
        ("faces", RANDOM.integers(0, 3, ROWS)),
    ],
)
def test_what_is_a_feature(
    tmp_path: Path, name: str, values: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured is a feature, though all its numbers are whole and differ, and so is another scorer's score."""
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, **{name: values}))
    assert evidence is not None
    assert evidence["features"] == ["blur", "noise", name]


def test_a_key_of_numbers_is_no_feature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The column that the join takes as the key is left out whatever its type."""
    evidence, _ = evidence_of(
        tmp_path, capsys, table_of(ROWS, clip_id=[10**6 + 7 * row for row in range(ROWS)])
    )
    assert evidence is not None
    assert evidence["features"] == ["blur", "noise"]


def test_columns_that_begin_alike_are_one_pattern(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern stands for many columns, one of which may be constant."""
    many = {f"videval_{row:02d}": RANDOM.random(ROWS) for row in range(60)}
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, **many, videval_60=[1.0] * ROWS))
    assert evidence is not None
    assert evidence["features"] == ["blur", "noise", "videval_*"]


def test_no_pattern_matches_what_is_derived_from_ratings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a column that is left out begins alike, the columns are named one by one."""
    many = {f"feat_{row}": RANDOM.random(ROWS) for row in range(5)}
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, **many, feat_mos=RANDOM.random(ROWS)))
    assert evidence is not None
    assert evidence["features"] == ["blur", "noise", *many]


NAMES = st.lists(st.text("ab_1.", min_size=1, max_size=5), unique=True, max_size=12)


@given(NAMES, NAMES)
def test_patterns_match_what_was_chosen_and_nothing_else(chosen: list[str], others: list[str]) -> None:
    """Whatever the columns are called, all that are chosen are matched, and none of the others is."""
    others = [name for name in others if name not in chosen]
    found = list(patterns(chosen, chosen, [*chosen, *others], "second_opinion"))

    def met(name: str) -> bool:
        return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in found)

    assert all(map(met, chosen))
    assert not any(map(met, others))


def test_too_many_to_name_are_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hundreds of columns with nothing in common do not fill the manifest: the user is asked which the model has."""
    letters = "abcdefghij"
    many = {f"{one}{two}{three}": MEASURED for one in letters for two in letters for three in "xyz"}
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, **many))
    assert evidence is not None
    assert "features" not in evidence
    assert [
        line for line in said if line.startswith("decide: evidence.features: 302 columns may be the baseline")
    ]


def test_a_table_without_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a baseline the rest is proposed, and the line says what the impact lacks."""
    columns = table_of(ROWS, blur=None, noise=None, codec=["av1", "vp9"] * (ROWS // 2))
    evidence, said = evidence_of(tmp_path, capsys, columns)
    assert evidence == {"target": "mos", "each_row_is_content": True}
    assert [
        line for line in said if line.startswith("decide: evidence.features: no column of measured numbers")
    ]


def test_what_is_proposed_can_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing needs an edit: audit and impact of the proposed manifest find no fault in what it asks for."""
    columns = table_of(
        ROWS,
        mos_std=MEASURED,
        n_ratings=RANDOM.integers(9, 30, ROWS),
        category=["a", "b"] * (ROWS // 2),
        vmaf=MEASURED,
    )
    evidence, _ = evidence_of(tmp_path, capsys, columns, "csv")
    assert evidence is not None
    rows = [{"path": name, "score": row % 7} for row, name in enumerate(columns["clip_id"])]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    manifest = tmp_path / "second-opinion.json"
    ended = run_main(capsys, "impact", manifest)
    assert ended.code == 0, ended.err
    (table,) = json.loads((tmp_path / "second-opinion.audit.json").read_text("utf-8"))["tables"]
    assert table["target"] == "mos"
    assert "not measurable" not in ended.out
