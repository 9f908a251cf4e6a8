"""`cite`: what a training job notes of a batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.builders import clips, local, run_main, run_manifest, write_json, write_jsonl


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a batch of two tables with one declared scorer."""
    folder = tmp_path_factory.mktemp("made")
    write_jsonl(folder / "f.jsonl", clips("c0", "c1"))
    write_jsonl(folder / "d.jsonl", clips("c0", score=1))
    manifest = {
        "scorers": {"dover": {"revision": "v1.2_{beta}", "direction": "higher"}},
        "tables": [
            {"id": name, "features": "f.jsonl", "scores": ["dover=d.jsonl"], "out": f"{name}.jsonl"}
            for name in ("a", "b")
        ],
    }
    return local(run_manifest(write_json(folder / "m.json", manifest)).report_json)


def test_text_names_what_a_job_notes(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Digest, tables with digests and rows, scorers with revision and direction, and versions are there."""
    ended = run_main(capsys, "cite", report)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "m.report.json"
    assert lines[1].startswith("sha256: ")
    assert "  a: a.jsonl, 2 rows, sha256 " in ended.out
    assert "  dover: revision v1.2_{beta}, higher is better; in a, b" in lines
    assert "  second-opinion: 0.1.0" in lines


def test_json_holds_the_same(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON has the digest of the report and one object per table and scorer."""
    cited = json.loads(run_main(capsys, "cite", report, "--format", "json").out)
    assert cited["sha256"] in run_main(capsys, "cite", report).out
    assert [table["id"] for table in cited["tables"]] == ["a", "b"]
    assert cited["scorers"] == [
        {"scorer": "dover", "revision": "v1.2_{beta}", "direction": "higher", "tables": ["a", "b"]}
    ]


def test_bibtex_is_one_balanced_entry(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The entry holds the digest; braces are balanced, whatever a manifest's names hold."""
    entry = run_main(capsys, "cite", report, "--format", "bibtex").out
    sha256 = json.loads(run_main(capsys, "cite", report, "--format", "json").out)["sha256"]
    assert entry.startswith(f"@misc{{second-opinion-{sha256[:12]},\n")
    assert f"SHA-256: {sha256}" in entry
    assert entry.count("{") == entry.count("}")


def test_another_digest_is_refused(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that is not the cited one is not cited again."""
    ended = run_main(capsys, "cite", report, "--sha256", "ab")
    assert (ended.code, ended.out) == (1, "")
    assert "expected 'ab', as it is cited" in ended.err


def test_what_is_no_report_is_refused(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest is no report: exit code 2, and nothing on stdout."""
    ended = run_main(capsys, "cite", report.parent / "m.json")
    assert (ended.code, ended.out) == (2, "")
    assert "not a report of this project" in ended.err
