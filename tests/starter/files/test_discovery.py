"""`init`: what a file is taken for, and what is left out with which reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builders import (
    clips,
    tree,
    write_jsonl,
    write_text,
)
from tests.support.starters import counts, features, init


def test_a_prediction_is_taken_and_not_the_label_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where two fields may hold the score, the one that is no label is set, and why is said."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    rows = [{"clip_id": name, "mos": 3.5, "quality": 0.25} for name in ("a", "b")]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == [{"path": "dover.jsonl", "label": "dover", "score_field": "quality"}]


@pytest.mark.parametrize("name", ["mos", "MOS"])
def test_what_may_be_the_label_is_no_score(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file whose only score is called mos is left out, so that no label is joined unseen."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    write_jsonl(tmp_path / "ratings.jsonl", [{"clip_id": each, name: 3.5} for each in "ab"])
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["dover=dover.jsonl"]
    assert "left out: ratings.jsonl: its only score is mos, which may be the human label" in said


def test_what_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file of a known format that is not used stands in the output; what is hidden does not."""
    names = ["a1", "b2", "c3"]
    features(tmp_path / "features.jsonl", names)
    write_jsonl(tmp_path / "dover.jsonl", clips(*names, score=1.5))
    write_jsonl(tmp_path / "twice.jsonl", clips("a1", "a1", "b2", score=1.5))
    write_jsonl(tmp_path / "failed.jsonl", [*clips("a1", "b2", score=1.5), {"clip_id": "c3", "score": "x"}])
    write_jsonl(tmp_path / "elsewhere.jsonl", clips("x1", "y2", score=1.5))
    write_text(tmp_path / "broken.json", "{")
    write_text(tmp_path / "empty.csv", "")
    write_text(tmp_path / "bare.csv", "a1,5\nb2,25\n")
    write_text(tmp_path / "star*.csv", "clip_id,score\na1,1\n")
    write_text(tmp_path / "notes.txt", "-")
    write_text(tmp_path / ".hidden.jsonl", "{")
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["dover=dover.jsonl"]
    for name, reason in {
        "twice.jsonl": "rows for keys that already have one",
        "failed.jsonl": "1 faulty row in the sidecar",
        "elsewhere.jsonl": "no feature table has its keys: 'x1', 'y2'",
        "broken.json": "expected JSON objects",
        "empty.csv": "found no header",
        "bare.csv": "it seems to have no header: found '5' as the name of a field",
        "star*.csv": "its name contains",
    }.items():
        (line,) = [line for line in said.splitlines() if line.startswith(f"left out: {name}: ")]
        assert reason in said[said.index(line) :]
    assert "notes.txt" not in said
    assert "hidden" not in said


def test_own_files_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a run, manifest, report, audits and joined tables are neither tables nor sidecars; outs take a new folder."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    first, _ = init(tmp_path, capsys)
    counts(tmp_path / "second-opinion.json")
    before = tree(tmp_path)
    again, said = init(tmp_path, capsys, "--out", tmp_path / "again.json")
    ((name, table),) = again.items()
    assert table == first[name] | {
        "out": f"joined_2/{name}.parquet",
        "audit_json": f"joined_2/{name}.audit.json",
    }
    for what in (
        f"joined/{name}.parquet: a joined table",
        f"joined/{name}.audit.json: an audit",
        "second-opinion.json: a manifest",
        "second-opinion.report.json: a report",
        "second-opinion.run-log.jsonl: a run log",
    ):
        assert f"left out: {what}" in said
    assert {each: content for each, content in tree(tmp_path).items() if each != "again.json"} == before
