"""A batch of ten tables of which one is broken and one waits: what it leaves, and how it is mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import Ended, batch_of, clips, forking, run_main, stamps, tree, write_jsonl

NAMES = "abcdefghij"
BROKEN, WAITING = "d", "g"
OTHERS = NAMES.replace(BROKEN, "").replace(WAITING, "")
FAILED_REPORT = {"m.report.failed.json", "m.report.failed.md"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch of the tables a to j: a score of d is no number, the sidecar of g is not there yet."""
    batch_of(tmp_path, NAMES)
    spoil(tmp_path)
    (tmp_path / f"{WAITING}.dover.jsonl").unlink()
    return tmp_path


def run(folder: Path, capsys: pytest.CaptureFixture[str], *flags: object) -> Ended:
    """Run the batch."""
    return run_main(capsys, "run", folder / "m.json", *flags)


def spoil(folder: Path) -> None:
    """A score of the broken table is no number."""
    write_jsonl(folder / f"{BROKEN}.dover.jsonl", clips("c0", score="good"))


def mend(folder: Path, *names: str) -> None:
    """The sidecars of the tables are there, and sound."""
    for name in names:
        write_jsonl(folder / f"{name}.dover.jsonl", clips("c0", "c1", score=1))


def outputs(names: str) -> set[str]:
    """The files that the tables leave behind."""
    return {f"out/{name}.{suffix}" for name in names for suffix in ("parquet", "audit.json")}


def reported(folder: Path) -> dict[str, Any]:
    """The failed report."""
    report: dict[str, Any] = json.loads((folder / "m.report.failed.json").read_bytes())
    return report


def standing(folder: Path) -> set[str]:
    """The outputs and the reports that are there."""
    return {name for name in tree(folder) if name.startswith(("out/", "m.report"))}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_other_table_is_made(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """One broken and one waiting table of ten leave eight that are made, the exit code 1 and a failed report."""
    forking(monkeypatch)
    ended = run(folder, capsys, "--workers", workers)
    assert ended.code == 1
    assert standing(folder) == outputs(OTHERS) | FAILED_REPORT
    assert "(failed)" in ended.out


def test_the_failed_report_says_which_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the status of each table and the error of those that were not made; stderr says the same."""
    ended = run(folder, capsys)
    report = reported(folder)
    expected = dict.fromkeys(NAMES, "ok") | {BROKEN: "failed", WAITING: "waiting"}
    assert {table["id"]: table["status"] for table in report["tables"]} == expected
    assert report["status"] == "failed"
    summary = {name: report["summary"][name] for name in ("tables", "failed_tables", "waiting_tables")}
    assert summary == {"tables": 10, "failed_tables": 1, "waiting_tables": 1}
    errors = {table["id"]: table["error"] for table in report["tables"] if "error" in table}
    assert set(errors) == {BROKEN, WAITING}
    assert "d.dover.jsonl line 1: field score: found 'good'" in errors[BROKEN]
    assert errors[WAITING] == "g.dover.jsonl: the file is not there yet"
    for name, error in errors.items():
        assert f"second-opinion: {name}: {error}" in ended.err
        assert error.splitlines()[0] in (folder / "m.report.failed.md").read_text("utf-8")


def test_a_run_without_mending(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run again with nothing mended, the batch fails the same way and touches neither table nor report."""
    first = run(folder, capsys)
    before = stamps(folder)
    again = run(folder, capsys)
    assert (again.code, again.out) == (1, first.out)
    assert {name: stamps(folder)[name] for name in standing(folder)} == {
        name: before[name] for name in standing(folder)
    }


def test_once_only_the_waiting_table_is_left(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the broken table is mended and nothing fails, but an input is not there yet, the exit code is 3."""
    run(folder, capsys)
    mend(folder, BROKEN)
    assert run(folder, capsys).code == 3
    assert reported(folder)["summary"]["failed_tables"] == 0
    assert standing(folder) == outputs(OTHERS + BROKEN) | FAILED_REPORT


def test_after_mending(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next run makes just the two tables and the report, and removes the failed report."""
    run(folder, capsys)
    before = stamps(folder)
    mend(folder, BROKEN, WAITING)
    assert run(folder, capsys).code == 0
    after = stamps(folder)
    report = {"m.report.json", "m.report.md"}
    assert standing(folder) == outputs(NAMES) | report
    assert {name for name in standing(folder) if after[name] != before.get(name)} == (
        outputs(BROKEN + WAITING) | report
    )
    assert run_main(capsys, "verify", folder / "m.report.json").code == 0


def test_the_last_good_report_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run in which a table fails leaves the last good report, and what that table was, as they are."""
    batch_of(tmp_path, NAMES)
    assert run(tmp_path, capsys).code == 0
    before = stamps(tmp_path)
    good = standing(tmp_path)
    spoil(tmp_path)
    assert run(tmp_path, capsys).code == 1
    after = stamps(tmp_path)
    assert {name: after[name] for name in good} == {name: before[name] for name in good}
    assert reported(tmp_path)["summary"]["failed_tables"] == 1


def test_fail_fast(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --fail-fast no table begins after one has failed, the failed report is left, and a plain run goes on.

    Tables begin in the manifest's order. A table that waits for an input says so, as it could not have begun.
    """
    assert run(folder, capsys, "--fail-fast").code == 1
    assert standing(folder) == outputs("abc") | FAILED_REPORT
    statuses = {table["id"]: table["status"] for table in reported(folder)["tables"]}
    assert statuses == {
        **dict.fromkeys("abc", "ok"),
        BROKEN: "failed",
        **dict.fromkeys("efhij", "not_run"),
        WAITING: "waiting",
    }
    assert run(folder, capsys).code == 1
    assert standing(folder) == outputs(OTHERS) | FAILED_REPORT
