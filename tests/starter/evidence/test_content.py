"""`init` proposes which rows show the same content: a wrong guess would put one content on both sides of a fold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.builders import clips, write_jsonl
from tests.support.starters import evidence_of, init, table_of

ROWS = 60


def every(times: int, prefix: str = "c") -> list[str]:
    """A content per row, each of as many rows; the rows of one content are far from each other."""
    return [f"{prefix}{row % (ROWS // times)}" for row in range(ROWS)]


@pytest.mark.parametrize(
    ("columns", "group"),
    [
        ({"content_name": every(5)}, "content_name"),
        ({"content_id": [int(each[1:]) for each in every(5)]}, "content_id"),
        ({"src": every(4), "ref": [0, 1] * (ROWS // 2)}, "src"),
        ({"original": every(2)}, "original"),
        ({"scene": every(3), "content": every(6)}, "content"),
        ({"content_id": every(4), "content_name": every(4, "name ")}, "content_id"),
        ({"footage": every(2), "crf": [23, 27] * (ROWS // 2)}, "footage"),
    ],
    ids=["name", "number", "flag", "source", "coarser", "same", "unnamed"],
)
def test_a_column_whose_values_repeat(
    tmp_path: Path, columns: dict[str, Any], group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name and values; a flag is none, of nested ones the coarser is taken, and none of them is a feature."""
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, **columns))
    assert evidence is not None
    assert evidence["group"] == group
    assert "each_row_is_content" not in evidence
    assert evidence["features"] == ["blur", "noise"] + ["crf"] * ("crf" in columns)
    assert [line for line in said if line.startswith(f"evidence.group {group}: its ")]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"category": ["Sports", "Music", "News"] * (ROWS // 3)},
        {"pixfmt": ["yuv420p", "yuv422p"] * (ROWS // 2)},
        {"content_id": range(ROWS)},
        {
            "clip_id": [
                f"{'Sports' if row % 2 else 'Music'}_1080P-{row * 7919 % 65536:04x}" for row in range(ROWS)
            ]
        },
    ],
    ids=["none", "category", "few values", "no repeats", "category in keys"],
)
def test_each_row_is_content(
    tmp_path: Path, columns: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no column names a content that repeats, each row is one; categories and formats name none."""
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, **columns))
    assert evidence is not None
    assert evidence["each_row_is_content"] is True
    assert "group" not in evidence
    assert [line for line in said if line.startswith("evidence.each_row_is_content: ")]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            {"source": every(5), "scene": every(6)},
            "decide: evidence.group: scene, source may each name the content",
        ),
        (
            {"crf": [23, 27] * (ROWS // 2)},
            "decide: evidence.group: crf tells encodes of one content apart, and no column names the content",
        ),
        (
            {"clip_id": [f"c{row // 2}_crf{23 + row % 2}" for row in range(ROWS)]},
            "decide: evidence.group: clip_id seems to name encodes, and no column names their content",
        ),
        (
            {"clip_id": [f"x/{'low' if row % 2 else 'high'}-c_{row // 2}.mp4" for row in range(ROWS)]},
            "decide: evidence.group: clip_id seems to name encodes",
        ),
    ],
    ids=["two", "rungs", "keys", "paths"],
)
def test_doubt_is_a_question(
    tmp_path: Path, columns: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where rows may share contents that no one column names, neither is proposed; the label and the rest are."""
    evidence, said = evidence_of(tmp_path, capsys, table_of(ROWS, **columns))
    assert evidence is not None
    assert {"target", "features"} <= evidence.keys() <= {"target", "features"}
    assert [each for each in said if each.startswith(line)]


def test_a_key_that_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows of one key show one clip, so the key is the content."""
    evidence, _ = evidence_of(tmp_path, capsys, table_of(ROWS, clip_id=every(2)))
    assert evidence is not None
    assert evidence["group"] == "clip_id"


def test_corpora_and_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that names corpora is the corpus's: the only name, or a column of several; categories are text."""
    pooled = table_of(
        ROWS, dataset=["KoNViD-1k", "LIVE-VQC"] * (ROWS // 2), category=["a", "b", "c"] * (ROWS // 3)
    )
    evidence, _ = evidence_of(tmp_path / "a", capsys, pooled)
    assert evidence is not None
    assert (evidence["corpus_column"], evidence["categories"]) == ("dataset", ["category"])
    evidence, _ = evidence_of(tmp_path / "b", capsys, table_of(ROWS, dataset=["KoNViD-1k"] * ROWS))
    assert evidence is not None
    assert evidence["corpus"] == "KoNViD-1k"


@pytest.mark.parametrize("name", ["content_name", "footage"])
def test_contents_that_repeat_far_below(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a table too large for one look, sorted by rung, a column named after contents is read in full.

    Without such a name nothing is claimed of the contents, and the user is asked.
    """
    rows = 140_000
    columns = table_of(rows, **{name: [f"c{row % (rows // 2)}" for row in range(rows)]})
    pq.write_table(pa.table(columns), tmp_path / "features.parquet")
    write_jsonl(tmp_path / "dover.jsonl", clips(*columns["clip_id"][: rows // 2], score=0.5))
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["evidence"].get("group") == (name if name == "content_name" else None)
    assert "each_row_is_content" not in table["evidence"]
