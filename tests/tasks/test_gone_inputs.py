"""An input that has gone: the table that was made of it stays complete, and what has gone is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builders import (
    clips,
    read_jsonl,
    run_main,
    stamps,
    write_json,
    write_jsonl,
    write_manifest,
)

TABLE = {
    "id": "t",
    "features": "in/features.jsonl",
    "scores": ["dover=in/dover.jsonl", {"path": "per-clip/*.json", "label": "musiq", "key_from": "file"}],
    "out": "out/t.jsonl",
    "missing_policy": "mark",
    "key_normalize": "stem",
}
GONE: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "features": (
        lambda folder: (folder / "in/features.jsonl").unlink(),
        ["features: in/features.jsonl"],
    ),
    "sidecar": (
        lambda folder: (folder / "in/dover.jsonl").unlink(),
        ["scores[0]: in/dover.jsonl"],
    ),
    "file of a pattern": (
        lambda folder: (folder / "per-clip/c1.json").unlink(),
        ["scores[1]/per-clip/c1.json: per-clip/c1.json"],
    ),
    "every file of a pattern": (
        lambda folder: shutil.rmtree(folder / "per-clip"),
        [f"scores[1]/per-clip/c{clip}.json: per-clip/c{clip}.json" for clip in (0, 1)],
    ),
    "folder": (
        lambda folder: shutil.rmtree(folder / "in"),
        ["features: in/features.jsonl", "scores[0]: in/dover.jsonl"],
    ),
}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A batch of one table that is complete, of a feature table, a sidecar and a file per clip."""
    write_jsonl(tmp_path / "in/features.jsonl", clips("c0", "c1"))
    write_jsonl(tmp_path / "in/dover.jsonl", clips("c0", "c1", score=1))
    for clip in (0, 1):
        write_json(tmp_path / f"per-clip/c{clip}.json", {"score": clip})
    assert run_main(capsys, "run", write_manifest(tmp_path / "m.json", [TABLE])).code == 0
    return tmp_path


@pytest.mark.parametrize(("remove", "named"), GONE.values(), ids=GONE.keys())
def test_the_table_stays_complete(
    folder: Path, capsys: pytest.CaptureFixture[str], remove: Callable[[Path], object], named: list[str]
) -> None:
    """A run finds the batch complete and touches nothing; `status` says what has gone, and ends with 0."""
    remove(folder)
    before = stamps(folder)
    assert run_main(capsys, "run", folder / "m.json").code == 0
    status = run_main(capsys, "status", folder / "m.json")
    assert status.code == 0
    assert status.out.splitlines() == [
        "t: complete",
        *(f"    input is missing, {each}" for each in named),
        "report: complete",
    ]
    assert stamps(folder) == before


@pytest.mark.parametrize(("remove", "named"), GONE.values(), ids=GONE.keys())
def test_verify_says_what_has_gone(
    folder: Path, capsys: pytest.CaptureFixture[str], remove: Callable[[Path], object], named: list[str]
) -> None:
    """A report whose inputs have gone cannot be checked any more: exit code 1, and each of them is named."""
    remove(folder)
    ended = run_main(capsys, "verify", folder / "m.report.json")
    assert ended.code == 1
    assert ended.err.splitlines()[1:] == [
        f"  - inputs.t.{role}: {path!r} is missing" for role, path in (each.split(": ") for each in named)
    ]


def test_an_input_that_comes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Back with the same bytes it redoes nothing; back with others it is a changed input like any other."""
    out, dover = folder / "out/t.jsonl", folder / "in/dover.jsonl"
    content, before = dover.read_bytes(), out.stat()
    dover.unlink()
    assert run_main(capsys, "run", folder / "m.json").code == 0
    dover.write_bytes(content)
    assert run_main(capsys, "run", folder / "m.json").code == 0
    assert out.stat() == before
    write_jsonl(dover, clips("c0", "c1", score=2))
    assert run_main(capsys, "run", folder / "m.json").code == 0
    assert [row["second_opinion_dover_score"] for row in read_jsonl(out)] == [2.0, 2.0]


def test_an_input_that_is_needed_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once its table is to be made again, an input that has gone is one that is not there yet: exit code 3."""
    (folder / "in/dover.jsonl").unlink()
    (folder / "out/t.jsonl").unlink()
    status = run_main(capsys, "status", folder / "m.json")
    assert status.code == 3
    assert status.out.startswith("t: waiting\n    scores[0]: in/dover.jsonl is not there yet\n")
    assert run_main(capsys, "run", folder / "m.json").code == 3
    report = json.loads((folder / "m.report.failed.json").read_bytes())
    assert report["tables"][0]["error"] == "in/dover.jsonl: the file is not there yet"


def test_a_file_that_comes_to_a_pattern(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new file that a pattern matches is a new input: its table is made again, with it."""
    write_json(folder / "per-clip/c2.json", {"score": 2})
    status = run_main(capsys, "status", folder / "m.json")
    assert status.code == 1
    assert "t: stale\n    scores[1]/per-clip/c2.json: new input 'per-clip/c2.json'\n" in status.out
    assert run_main(capsys, "run", folder / "m.json").code == 0
    report = json.loads((folder / "m.report.json").read_bytes())
    assert report["tables"][0]["summary"]["competitors"]["musiq"]["scores_loaded"] == 3
