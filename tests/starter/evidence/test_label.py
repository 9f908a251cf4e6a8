"""`init` proposes the label, and the columns about it, by their names and values; it asks where two are as likely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.starters import evidence_of, table_of

ROWS = 40
RANDOM = np.random.default_rng(1)
OPINIONS = (1 + 4 * RANDOM.random(ROWS)).round(3)
OTHERS = (1 + 4 * RANDOM.random(ROWS)).round(3)
SPREADS = (0.2 + RANDOM.random(ROWS)).round(3)
COUNTS = RANDOM.integers(20, 60, ROWS)


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_the_label_and_what_is_about_it(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the format: the label, its deviation and its number of ratings, none of them a feature."""
    columns = table_of(ROWS, mos_std=SPREADS, n_ratings=COUNTS)
    evidence, said = evidence_of(tmp_path, capsys, columns, form)
    assert evidence == {
        "target": "mos",
        "target_sd": "mos_std",
        "target_n": "n_ratings",
        "each_row_is_content": True,
        "features": ["blur", "noise"],
    }
    low, high = min(columns["mos"]), max(columns["mos"])
    assert f"evidence.target mos: its name is that of a label; its values go from {low:g} to {high:g}" in said
    assert "evidence.target_sd mos_std: by its name the deviation of the ratings of mos" in said


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"MOSFull": OPINIONS, "MOSChunk00": OTHERS, "MOSChunk05": OTHERS}, "MOSFull"),
        ({"mos_zscore": OTHERS, "mos": OPINIONS}, "mos"),
        ({"mos_j": OPINIONS, "rating": OTHERS}, "mos_j"),
        ({"vmaf_mos": OTHERS, "mos_pred": OTHERS, "mos_j": OPINIONS}, "mos_j"),
        ({"MOS": OPINIONS, "Unnamed: 0": range(ROWS)}, "MOS"),
        ({"ground_truth": OPINIONS}, "ground_truth"),
    ],
    ids=["whole clip", "plain", "mos before rating", "no prediction", "index", "other words"],
)
def test_the_surest_of_several(
    tmp_path: Path, columns: dict[str, Any], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain or whole MOS goes before a part of it, a scaled one, another word, and never a metric's prediction."""
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, **({"mos": None} | columns)))
    assert evidence is not None
    assert evidence["target"] == target
    assert evidence["features"] == ["blur", "noise"] + ["mos_pred"] * ("mos_pred" in columns)


@pytest.mark.parametrize("names", [("MOSChunk00", "MOSChunk05"), ("mos", "dmos"), ("mos_a", "mos_b")])
def test_two_as_likely_are_a_question(
    tmp_path: Path, names: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two columns that are as likely none is proposed; the line says what to add for the first."""
    one, two = names
    evidence, (line,) = evidence_of(
        tmp_path, capsys, table_of(ROWS, **({"mos": None} | {one: OPINIONS, two: OTHERS}))
    )
    assert evidence is None
    assert line == (
        f"decide: {one}, {two} may each be the label, so no evidence is proposed; "
        f'for {one} add "evidence": {{"target": "{one}", "each_row_is_content": true, "features": ["blur", "noise"]}}'
    )


@pytest.mark.parametrize("name", ["score", "quality", "quality_score"])
def test_a_name_that_a_metric_may_have_is_a_question(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`score` may be what people said or what a metric did: nothing is proposed, and the line says what to add."""
    columns = table_of(ROWS, mos=None, **{name: OPINIONS})
    evidence, (line,) = evidence_of(tmp_path, capsys, columns)
    assert evidence is None
    assert line.startswith(
        f"decide: evidence: {name} may be the human label, or a metric; if it is the label, add"
    )


def test_a_label_of_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label of words is no target; the line names the column and what was found."""
    evidence, (line,) = evidence_of(tmp_path, capsys, table_of(ROWS, mos=["good", "bad"] * (ROWS // 2)))
    assert evidence is None
    assert line == "evidence: mos has the name of a label and holds text ('good'); a label needs numbers"


def test_text_that_is_not_unicode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parquet may hold texts that nobody can read: the table is proposed, and no evidence, with the reason."""
    held = pa.array([b"\xff"] * ROWS)
    columns = table_of(ROWS) | {"mos": pa.Array.from_buffers(pa.string(), ROWS, held.buffers())}
    evidence, (line,) = evidence_of(tmp_path, capsys, columns)
    assert evidence is None
    assert line.startswith("evidence: none is proposed, as the table cannot be read by column: ")


def test_huge_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers whose squares would overflow count as none, as in the audit, and nobody is warned of them."""
    huge = [1e308, -1e308] * (ROWS // 2)
    evidence, _ = evidence_of(
        tmp_path, capsys, table_of(ROWS, mos_std=huge, peak=huge, sizes=1e90 * OPINIONS)
    )
    assert evidence is not None
    assert "target_sd" not in evidence
    assert evidence["features"] == ["blur", "noise", "sizes"]


def test_no_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a column that is named like a label the line says so; classes of 0 and 1 are none."""
    _, (line,) = evidence_of(tmp_path / "a", capsys, table_of(ROWS, mos=None))
    assert line.startswith("evidence: no column has the name of a label; if one is, add")
    classes = table_of(ROWS, mos=None, label=[0, 1] * (ROWS // 2))
    evidence, (line,) = evidence_of(tmp_path / "b", capsys, classes)
    assert evidence is None
    assert (
        line
        == "evidence: label has the name of a label, and fewer than 3 different numbers in the first rows"
    )


@pytest.mark.parametrize(
    ("more", "direction", "line"),
    [
        ({}, "lower", "decide: evidence.target_direction lower: DMOS counts what was lost; set higher if"),
        (
            {"vmaf": 20 * OPINIONS},
            "higher",
            "evidence.target_direction higher: it rises where vmaf rises",
        ),
        (
            {"vmaf": 100 - 20 * OPINIONS},
            "lower",
            "evidence.target_direction lower: it falls where vmaf rises",
        ),
    ],
    ids=["by name", "rises", "falls"],
)
def test_the_direction_of_a_dmos(
    tmp_path: Path, more: dict[str, Any], direction: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full-reference metric beside it decides; without one its name does, and the user is asked."""
    noisy = {name: values + RANDOM.normal(0, 5, ROWS) for name, values in more.items()}
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, mos=None, dmos=OPINIONS, **noisy))
    assert evidence is not None
    assert evidence.get("target_direction", "higher") == direction
    assert [each for each in said if each.startswith(line)]


def test_a_direction_that_no_name_tells_is_a_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`label` does not say which values are better: higher is proposed, and the user is asked. Of a MOS nobody is."""
    _, said = evidence_of(tmp_path / "a", capsys, table_of(ROWS, mos=None, label=OPINIONS))
    assert [line for line in said if line.startswith("decide: evidence.target_direction higher: ")]
    _, said = evidence_of(tmp_path / "b", capsys, table_of(ROWS))
    assert not [line for line in said if "target_direction" in line]


def test_the_reference_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`vmaf` is the reference metric and a feature, and neither the label nor one of its predictions."""
    columns = table_of(
        ROWS, vmaf=RANDOM.random(ROWS), vmaf_motion=RANDOM.random(ROWS), ssim=RANDOM.random(ROWS)
    )
    evidence, said = evidence_of(tmp_path, capsys, columns)
    assert evidence is not None
    assert evidence["target"] == "mos"
    assert evidence["reference_metric"] == "vmaf"
    assert evidence["features"] == ["blur", "noise", "vmaf", "vmaf_motion", "ssim"]
    assert "evidence.reference_metric vmaf: the name of a full-reference metric, not a label" in said


@pytest.mark.parametrize(
    ("columns", "deviation"),
    [
        ({"MOSFull": OPINIONS, "stdFull": SPREADS, "stdChunk00": SPREADS}, "stdFull"),
        ({"mos_j": OPINIONS, "sos_j": SPREADS}, "sos_j"),
        ({"MOS": OPINIONS, "SD": SPREADS}, "SD"),
        ({"MOS": OPINIONS, "std": 100 * SPREADS}, None),
        ({"mos": OPINIONS, "mos_std": -SPREADS}, None),
        ({"mos": OPINIONS, "mos_std_a": SPREADS, "mos_std_b": SPREADS}, None),
        ({"mos": OPINIONS, "mos_ci95": SPREADS, "mos_sem": SPREADS}, None),
    ],
    ids=["its own", "sos", "plain", "of pixels", "negative", "two", "other spreads"],
)
def test_the_deviation_of_the_ratings(
    tmp_path: Path, columns: dict[str, Any], deviation: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deviation is that of the same label, is not negative, and is no interval; in no case is it a feature."""
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, **({"mos": None} | columns)))
    assert evidence is not None
    assert evidence.get("target_sd") == deviation
    assert evidence["features"] == ["blur", "noise"]
