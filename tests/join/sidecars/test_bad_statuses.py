"""A scorer whose every row is bad: its statuses are counted and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.builders import Ended, clips, run_main, write_json, write_jsonl, write_manifest

FEATURES = clips("a", "b", "c", "d", "e", "f", "g")


def joined(folder: Path, capsys: pytest.CaptureFixture[str], *sidecars: str) -> Ended:
    """The command `join` with these sidecars of dover."""
    write_jsonl(folder / "f.jsonl", FEATURES)
    flags = [part for name in sidecars for part in ("--scores", f"dover={folder / name}")]
    out, audit = folder / "o.jsonl", folder / "audit.json"
    policy = ("--missing-policy", "mark")
    return run_main(
        capsys, "join", "--features", folder / "f.jsonl", *flags, "--out", out, "--audit-json", audit, *policy
    )


def told(folder: Path) -> list[dict[str, Any]] | None:
    """The statuses that the audit shows."""
    audit = json.loads((folder / "audit.json").read_text())
    statuses: list[dict[str, Any]] | None = audit["competitors"]["dover"].get("bad_statuses")
    return statuses


def test_statuses_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit has up to five statuses, the most frequent first, and the command says them."""
    statuses = ["done", "done", " done ", "Done", False, 0, "x"]
    rows = [
        {"clip_id": clip, "score": 1, "status": each} for clip, each in zip("abcdefg", statuses, strict=True)
    ]
    write_jsonl(tmp_path / "s.jsonl", rows)
    ended = joined(tmp_path, capsys, "s.jsonl")
    assert told(tmp_path) == [
        {"status": "done", "rows": 3},
        *({"status": each, "rows": 1} for each in ("0", "Done", "False", "x")),
    ]
    assert "dover: every row is bad: found the status 'done' (3 rows), '0' (1 row)" in ended.err
    assert ended.code == 0


def test_one_row_that_is_not_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a row is ok, nothing is said of the others."""
    write_jsonl(tmp_path / "s.jsonl", [*clips("a", score=1, status="done"), *clips("b", score=1)])
    assert "every row is bad" not in joined(tmp_path, capsys, "s.jsonl").err
    assert told(tmp_path) is None


def test_statuses_of_all_files_and_of_the_scorer_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of several files and formats, with statuses in `summary` too, are counted once; other scorers' are not."""
    rows: list[dict[str, Any]] = [
        {"clip_id": "a", "status": "done", "score": 1},
        {"path": "b", "summary": {"status": "done"}, "score": 1},
        {"path": "c", "summary": {"status": "done"}, "status": "ok", "score": 1},
    ]
    write_jsonl(tmp_path / "s.jsonl", rows)
    pq.write_table(
        pa.table({"clip_id": ["d", "e"], "score": [1, 2], "status": ["late", "done"]}), tmp_path / "s.pq"
    )
    joined(tmp_path, capsys, "s.jsonl", "s.pq")
    assert told(tmp_path) == [{"status": "done", "rows": 4}, {"status": "late", "rows": 1}]


def test_other_scorers_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a file of several scorers only the statuses of the one whose rows are all bad are counted."""
    rows: list[dict[str, Any]] = [
        {"clip_id": "a", "competitor": "dover", "status": "done"},
        {"clip_id": "a", "competitor": "musiq", "status": "failed"},
        {"clip_id": "b", "competitor": "musiq", "score": 3},
    ]
    write_jsonl(tmp_path / "f.jsonl", FEATURES)
    write_jsonl(tmp_path / "s.jsonl", rows)
    table = {
        "id": "t",
        "features": "f.jsonl",
        "scores": ["s.jsonl"],
        "out": "o.jsonl",
        "missing_policy": "mark",
    }
    manifest = write_manifest(tmp_path / "m.json", [table])
    ended = run_main(capsys, "run", manifest)
    assert (ended.out + ended.err).count("every row is bad: found the status 'done' (1 row)") == 1
    assert (ended.out + ended.err).count("every row is bad") == 1
    assert "found the status 'done' (1 row)" in (tmp_path / "m.report.md").read_text().replace("\\", "")


def test_the_preview_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check --preview` says it before anything is written."""
    write_jsonl(tmp_path / "f.jsonl", FEATURES)
    write_json(tmp_path / "s.json", clips("a", "b", score=1, status="done"))
    table = {
        "id": "t",
        "features": "f.jsonl",
        "scores": ["dover=s.json"],
        "out": "o.jsonl",
        "missing_policy": "mark",
    }
    manifest = write_manifest(tmp_path / "m.json", [table])
    assert (
        "every row is bad: found the status 'done' (2 rows)"
        in run_main(capsys, "check", manifest, "--preview").out
    )
