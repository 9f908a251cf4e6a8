"""`diff`: what changed between two batches."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline import SecondOpinionError, diff
from pipeline.report.comparison import Change, TableChange, change_lines
from tests.support.builders import batch_of, clips, local, run_main, run_manifest, write_json, write_jsonl

CLIPS = ("c0", "c1", "c2", "c3")


def batch(folder: Path, scores: list[dict[str, Any]], **table: Any) -> Path:
    """The report of a batch of one table of four clips with these scores of dover."""
    write_jsonl(folder / "f.jsonl", clips(*CLIPS))
    write_jsonl(folder / "d.jsonl", scores)
    entry = {"id": "t", "features": "f.jsonl", "scores": ["dover=d.jsonl"], "out": "t.parquet"} | table
    return local(run_manifest(write_json(folder / "m.json", {"tables": [entry]})).report_json)


def scored(*scores: float) -> list[dict[str, Any]]:
    """Scores of the clips in order."""
    return [{"clip_id": clip, "score": score} for clip, score in zip(CLIPS, scores, strict=False)]


def test_equal_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch that was made again from the same inputs elsewhere is equal: exit code 0."""
    old, new = (batch(tmp_path / name, scored(1, 2, 3, 4)) for name in ("old", "new"))
    assert diff(old, new).is_equal
    ended = run_main(capsys, "diff", old, new)
    assert (ended.code, ended.out) == (0, "the batches are equal\n")


def test_a_new_version_of_a_scorer(tmp_path: Path) -> None:
    """Coverage, statuses and drift are those of the rows that are in both tables."""
    old = batch(tmp_path / "old", scored(1, 2, 3, 4))
    new = batch(tmp_path / "new", [*scored(1, 2.5, 2), {"clip_id": "c3", "score": 4, "status": "failed"}])
    change = diff(old, new).tables["t"]
    scorer = change.scorers["dover"]
    assert list(change.inputs) == ["scores[0]"]
    assert {name: (each.old, each.new) for name, each in scorer.coverage.items()} == {
        "matched_rows": (4, 3),
        "bad_rows": (0, 1),
    }
    assert scorer.statuses == {"ok to bad": 1}
    assert scorer.drift is not None
    assert (scorer.drift.n, scorer.drift.max_difference) == (3, 1.0)
    assert scorer.drift.turned == pytest.approx(1 / 3)
    assert [each.key for each in scorer.drift.moved] == ["c2", "c1"]


def test_rows_meet_by_key(tmp_path: Path) -> None:
    """Rows in another order, and equal keys in their order, are compared with themselves."""
    old = batch(tmp_path / "old", scored(1, 2, 3, 4))
    folder = tmp_path / "new"
    new = batch(folder, scored(1, 2, 3, 4))
    write_jsonl(folder / "f.jsonl", clips("c3", "c2", "c1", "c0", "c0"))
    run_manifest(folder / "m.json")
    change = diff(old, new).tables["t"]
    assert (change.rows_in_both, change.scorers) == (4, {"dover": change.scorers["dover"]})
    assert change.scorers["dover"].drift is not None
    assert change.scorers["dover"].drift.max_difference == 0


def test_tables_options_and_names(tmp_path: Path) -> None:
    """Tables that were added, removed and renamed are told apart; options and rows are named with both values."""
    old, new = tmp_path / "old", tmp_path / "new"
    batch_of(old, "abc")
    run_manifest(old / "m.json")
    shutil.copytree(old, new)
    manifest = json.loads((new / "m.json").read_text("utf-8"))
    a, b, c = manifest["tables"]
    extra = {**c, "id": "extra", "out": "out/extra.parquet", "audit_json": None, "key_normalize": "raw"}
    write_jsonl(new / "b.jsonl", clips("c0", "c1", "c2"))
    extra["features"] = write_jsonl(new / "extra.jsonl", clips("c0")).name
    manifest["tables"] = [{**a, "id": "renamed"}, {**b, "missing_policy": "drop"}, extra]
    write_json(new / "m.json", manifest)
    run_manifest(new / "m.json")
    found = diff(old / "m.report.json", new / "m.report.json")
    assert (found.added, found.removed, found.renamed) == (("extra",), ("c",), {"a": "renamed"})
    assert [(name, each.old, each.new) for name, each in found.tables["b"].options.items()] == [
        ("missing_policy", "mark", "drop")
    ]


def test_the_command_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Different batches end with exit code 1, and JSON has what the table shows."""
    old, new = batch(tmp_path / "old", scored(1, 2, 3, 4)), batch(tmp_path / "new", scored(1, 2, 3, 9))
    ended = run_main(capsys, "diff", old, new)
    assert ended.code == 1
    assert "t: changed" in ended.out
    assert "dover: c3: 4 -> 9" in ended.out
    ended = run_main(capsys, "diff", old, new, "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["equal"]) == (1, False)
    assert document["tables"]["t"]["scorers"]["dover"]["drift"]["max_difference"] == 5


def test_what_cannot_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that is none, a changed joined table and a batch that failed end with exit code 2."""
    old, new = batch(tmp_path / "old", scored(1, 2, 3, 4)), batch(tmp_path / "new", scored(1, 2, 3, 9))
    assert run_main(capsys, "diff", old, tmp_path / "none.json").code == 2
    (tmp_path / "new/t.parquet").write_bytes((tmp_path / "old/t.parquet").read_bytes())
    with pytest.raises(SecondOpinionError, match="changed since the report was written"):
        diff(old, new)
    assert run_main(capsys, "diff", old, new).code == 2
    failed = batch(tmp_path / "failed", scored(1), missing_policy="fail")
    assert run_main(capsys, "diff", old, failed).code == 2


def test_only_digests_are_shortened() -> None:
    """An option's text of as many characters as a digest is shown whole."""
    change = TableChange(
        options={"key_regex": Change(None, "x" * 64)}, inputs={"features": Change(None, "a" * 64)}
    )
    assert list(change_lines(change)) == [
        f"option key_regex: none -> {'x' * 64}",
        "input features: none -> aaaaaaaaaaaa...",
    ]


def test_twins_are_renamed_one_by_one(tmp_path: Path) -> None:
    """Two tables that were joined from the same inputs and both renamed are both found again."""
    reports = []
    for folder, names in ((tmp_path / "old", "ab"), (tmp_path / "new", "cd")):
        write_jsonl(folder / "f.jsonl", clips(*CLIPS))
        write_jsonl(folder / "d.jsonl", scored(1, 2, 3, 4))
        tables = [
            {"id": name, "features": "f.jsonl", "scores": ["dover=d.jsonl"], "out": f"{name}.parquet"}
            for name in names
        ]
        reports.append(run_manifest(write_json(folder / "m.json", {"tables": tables})).report_json)
    found = diff(*reports)
    assert (found.added, found.removed, found.renamed) == ((), (), {"a": "c", "b": "d"})
