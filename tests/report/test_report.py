"""The batch report: what it says, that it keeps to its schema, and when it stands."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import pipeline
from pipeline.storage import files
from pipeline.storage.schema import load_schema
from pipeline.tasks.run import BatchResult
from tests.support.builders import (
    forking,
    lasting,
    run_manifest,
    small_batch,
    write_json,
    write_jsonl,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A base folder with two tables' inputs, and the manifest `sets/m.json` two levels away from it."""
    base = tmp_path / "base"
    small_batch(base, rows=4)
    write_jsonl(base / "part.jsonl", [{"clip_id": "c0", "score": 1}, {"clip_id": "c1", "status": "bad"}])
    common = {"features": "features.jsonl"}
    tables: list[dict[str, Any]] = [
        common
        | {"id": "all", "scores": ["dover=dover.jsonl"], "out": "o/a.parquet", "audit_json": "o/a.json"},
        common | {"id": "part", "scores": [{"path": "part.jsonl", "label": "p"}], "out": "o/p.csv"},
    ]
    write_manifest(tmp_path / "sets" / "m.json", tables, missing_policy="drop")
    return tmp_path


def run(folder: Path, **arguments: Any) -> BatchResult:
    """Run the folder's batch."""
    return run_manifest(folder / "sets" / "m.json", base_dir=folder / "base", **arguments)


def read(folder: Path, name: str = "m.report.json") -> dict[str, Any]:
    """A report of the folder's batch, which keeps to its schema."""
    report: dict[str, Any] = json.loads((folder / "sets" / name).read_bytes())
    Draft202012Validator(load_schema("report")).validate(report)
    return report


@pytest.mark.parametrize("name", ["manifest", "report"])
def test_the_schemas_are_sound(name: str) -> None:
    """Both schemas in the package are valid JSON Schemas of draft 2020-12."""
    schema = load_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_the_manifest_keeps_to_its_schema(folder: Path) -> None:
    """The schema of manifests accepts what the program accepts."""
    manifest = json.loads((folder / "sets" / "m.json").read_bytes())
    Draft202012Validator(load_schema("manifest")).validate(manifest)
    assert run(folder).exit_code == 0


def test_a_complete_report(folder: Path) -> None:
    """A complete report counts tables and rows, and shows each table with its options and coverage."""
    assert run(folder).exit_code == 0
    report = read(folder)
    assert (report["schema"], report["status"]) == ("second-opinion-materializer-batch-v1", "ok")
    assert report["manifest"] == "../sets/m.json"
    assert report["summary"] == {
        "tables": 2,
        "failed_tables": 0,
        "waiting_tables": 0,
        "input_rows": 8,
        "output_rows": 6,
    }
    whole, part = report["tables"]
    assert (whole["id"], whole["status"], whole["audit_json"]) == ("all", "ok", "o/a.json")
    assert (part["id"], part["status"], part["audit_json"]) == ("part", "ok", None)
    assert (whole["features"], whole["scores"], whole["out"]) == (
        "features.jsonl",
        ["dover=dover.jsonl"],
        "o/a.parquet",
    )
    assert part["config"]["missing_policy"] == "drop"
    assert part["config"]["prefix"] == "second_opinion"
    assert part["summary"] == {
        "input_rows": 4,
        "output_rows": 2,
        "competitors": {
            "p": {
                "competitor": "p",
                "column_prefix": "second_opinion_p",
                "scores_loaded": 2,
                "matched_rows": 1,
                "missing_rows": 2,
                "bad_rows": 1,
                "unused_scores": 0,
                "shared_rows": 0,
            }
        },
    }


def test_a_low_match_is_in_the_report(folder: Path) -> None:
    """A scorer that matches less than half of the rows shows the keys that do not meet."""
    write_jsonl(folder / "base" / "part.jsonl", [{"clip_id": "c0", "score": 1}, {"clip_id": "x", "score": 1}])
    run(folder)
    covered = read(folder)["tables"][1]["summary"]["competitors"]["p"]
    assert covered["low_match"] == {
        "unmatched_feature_keys": ["c1", "c2", "c3"],
        "unmatched_score_keys": ["x"],
    }


def test_digests_of_what_was_read_and_written(folder: Path) -> None:
    """Inputs and outputs stand with the digests they have on disk, per table and for the batch."""
    run(folder)
    report, base = read(folder), folder / "base"
    outputs = {
        "out": files.describe(base / "o/a.parquet", base),
        "audit_json": files.describe(base / "o/a.json", base),
    }
    assert report["tables"][0]["outputs"] == outputs
    provenance = report["run_provenance"]
    assert {name: provenance["outputs"][f"all.{name}"] for name in outputs} == outputs
    assert provenance["inputs"]["manifest"] == files.describe(folder / "sets" / "m.json", base)
    assert provenance["inputs"]["part.scores[0]"] == files.describe(base / "part.jsonl", base)
    assert provenance["argv"] == ["second-opinion", "run", "../sets/m.json", "--base-dir", "."]
    assert provenance["versions"] == report["tables"][0]["versions"]
    assert provenance["versions"]["second-opinion"] == pipeline.__version__


def test_the_digest_to_cite(folder: Path) -> None:
    """The result gives the sha256 of the report's bytes."""
    result = run(folder)
    assert result.report_json == folder / "sets" / "m.report.json"
    assert result.sha256 == hashlib.sha256(result.report_json.read_bytes()).hexdigest()


@pytest.mark.parametrize("broken", [False, True], ids=["complete", "failed"])
def test_nothing_that_differs_between_equal_runs(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """Reports, tables and audits are the same bytes in another folder with another number of workers."""
    forking(monkeypatch)
    if broken:
        write_jsonl(folder / "base" / "part.jsonl", [{"clip_id": "c0", "score": "good"}])
    other = tmp_path_factory.mktemp("other") / "place"
    shutil.copytree(folder, other)
    assert run(folder, workers=1).sha256 == run(other, workers=2).sha256

    assert lasting(folder) == lasting(other)
    for suffix in ("json", "md"):
        name = f"m.report.failed.{suffix}" if broken else f"m.report.{suffix}"
        text = (folder / "sets" / name).read_text("utf-8")
        assert str(folder) not in text
        assert socket.gethostname() not in text


def test_the_reports_may_stand_elsewhere(folder: Path) -> None:
    """Reports stand where they were asked for, and the command that replays the batch says so."""
    run(folder, report_json=folder / "out" / "r.json", report_md=folder / "out" / "page.md")
    report = json.loads((folder / "out" / "r.json").read_bytes())
    assert report["run_provenance"]["argv"][-4:] == [
        "--report-json",
        "../out/r.json",
        "--report-md",
        "../out/page.md",
    ]
    assert (folder / "out" / "page.md").read_text().startswith("# Batch report")
    assert not (folder / "sets" / "m.report.json").exists()


def test_a_failed_report_stands_beside_the_last_good_one(folder: Path) -> None:
    """A failed run leaves its report under its own name; the last good one stays as it was."""
    run(folder)
    good = {name: (folder / "sets" / name).read_bytes() for name in ("m.report.json", "m.report.md")}
    (folder / "base" / "o" / "a.parquet").unlink()
    (folder / "base" / "o" / "p.csv").unlink()
    (folder / "base" / "dover.jsonl").unlink()
    write_jsonl(folder / "base" / "part.jsonl", [{"clip_id": "c0", "score": "good"}])
    result = run(folder)
    assert result.exit_code == 1
    assert result.report_json == folder / "sets" / "m.report.failed.json"
    assert {name: (folder / "sets" / name).read_bytes() for name in good} == good
    assert (folder / "sets" / "m.report.failed.md").is_file()
    report = read(folder, "m.report.failed.json")
    assert (report["status"], report["summary"]["failed_tables"], report["summary"]["waiting_tables"]) == (
        "failed",
        1,
        1,
    )
    whole, part = report["tables"]
    assert (whole["status"], whole["error"]) == ("waiting", "dover.jsonl: the file is not there yet")
    assert part["status"] == "failed"
    assert "part.jsonl line 1" in part["error"]


def test_the_next_complete_run_removes_the_failed_report(folder: Path) -> None:
    """Once the cause is mended, the next run completes the batch and removes the failed report."""
    scores = folder / "base" / "part.jsonl"
    sound = scores.read_bytes()
    scores.write_text("{}\n")
    assert run(folder).exit_code == 1
    assert not (folder / "sets" / "m.report.json").exists()
    scores.write_bytes(sound)
    assert run(folder).exit_code == 0
    assert {path.name for path in (folder / "sets").glob("m.report.*")} == {"m.report.json", "m.report.md"}


def test_a_report_that_says_ok_must_be_ok(folder: Path) -> None:
    """The schema refuses a report whose status contradicts its tables, or that misses what it vouches for."""
    run(folder)
    validator = Draft202012Validator(load_schema("report"))
    for spoil in (
        {"status": "failed", "error": "x"},
        {"fingerprint": "0"},
        {"error": "x"},
        {"host": "x"},
    ):
        report = read(folder)
        report["tables"][0] |= spoil
        assert not validator.is_valid(report)
    report = read(folder)
    del report["tables"][0]["outputs"]
    assert not validator.is_valid(report)
    write_json(folder / "again.json", read(folder))
    assert validator.is_valid(json.loads((folder / "again.json").read_bytes()))
