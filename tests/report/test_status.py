"""`status`: how each table stands and why, told without making or writing anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import batch_status, load_manifest
from tests.support.builders import (
    Ended,
    batch_of,
    clips,
    edit_unseen,
    run_main,
    stamps,
    table_entry,
    write_jsonl,
    write_manifest,
    write_text,
)


def status(folder: Path, capsys: pytest.CaptureFixture[str]) -> Ended:
    """Ask how the batch stands; nothing below the folder may change."""
    before = stamps(folder)
    ended = run_main(capsys, "status", folder / "m.json")
    assert stamps(folder) == before
    return ended


def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run the batch; gives the exit code."""
    return run_main(capsys, "run", folder / "m.json").code


def spoil(folder: Path, name: str) -> None:
    """A score of the table is no number."""
    write_jsonl(folder / f"{name}.dover.jsonl", clips("c0", score="good"))


def test_before_the_first_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables that were never built are missing, and so is the report: there is something to do, exit code 1."""
    batch_of(tmp_path, "ab")
    ended = status(tmp_path, capsys)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == (
        "a: missing\n    never built\n"
        "b: missing\n    never built\n"
        f"report: stale\n    {tmp_path}/m.report.json: not there\n"
    )


def test_a_complete_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is to be done there is nothing to explain: exit code 0."""
    batch_of(tmp_path, "ab")
    assert run(tmp_path, capsys) == 0
    ended = status(tmp_path, capsys)
    assert (ended.code, ended.out, ended.err) == (0, "a: complete\nb: complete\nreport: complete\n", "")


def test_every_standing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of complete, stale, missing, waiting and failed is told with its reasons."""
    batch_of(tmp_path, ("done", "edited", "gone", "early", "broken"))
    spoil(tmp_path, "broken")
    (tmp_path / "early.dover.jsonl").unlink()
    assert run(tmp_path, capsys) == 1
    edit_unseen(tmp_path / "edited.jsonl", b'"c1"', b'"c0"')
    edit_unseen(tmp_path / "out/edited.audit.json", b"dover", b"other")
    (tmp_path / "out/gone.parquet").unlink()
    ended = status(tmp_path, capsys)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == (
        "done: complete\n"
        "edited: stale\n    features: changed, 'edited.jsonl'\n    audit_json: edited, 'out/edited.audit.json'\n"
        "gone: missing\n    out: deleted, 'out/gone.parquet'\n"
        "early: waiting\n    scores[0]: early.dover.jsonl is not there yet\n"
        "broken: failed\n"
        "    broken.dover.jsonl: 1 faulty row in the sidecar\n"
        "      - broken.dover.jsonl line 1: field score: found 'good'; expected a finite number, "
        "or a status that is not ok\n"
        f"report: stale\n    {tmp_path}/m.report.json: not there\n"
    )


CODES: dict[str, tuple[dict[str, Callable[[Path, str], object]], int]] = {
    "complete": ({}, 0),
    "only waiting": ({"abc": lambda folder, name: (folder / f"{name}.jsonl").unlink()}, 3),
    "complete and waiting": ({"b": lambda folder, name: (folder / f"{name}.jsonl").unlink()}, 3),
    "failed and waiting": ({"a": spoil, "b": lambda folder, name: (folder / f"{name}.jsonl").unlink()}, 1),
    "failed": ({"c": spoil}, 1),
}


@pytest.mark.parametrize(("changes", "code"), CODES.values(), ids=CODES.keys())
def test_the_exit_code_is_that_of_the_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Callable[[Path, str], object]],
    code: int,
) -> None:
    """0: the batch is complete; 3: it only waits for inputs; 1: a table failed. As the run before ended."""
    batch_of(tmp_path, "abc")
    for names, change in changes.items():
        for name in names:
            change(tmp_path, name)
    assert run(tmp_path, capsys) == code
    assert status(tmp_path, capsys).code == code


def test_waiting_before_any_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every input that is not there yet is named, a pattern that matches no file too."""
    entry = table_entry("a", scores=["dover=a.dover.jsonl", {"path": "per/**/*.json", "label": "x"}])
    write_manifest(tmp_path / "m.json", [entry])
    ended = status(tmp_path, capsys)
    assert ended.code == 3
    assert ended.out.startswith(
        "a: waiting\n"
        "    features: a.jsonl is not there yet\n"
        "    scores[0]: a.dover.jsonl is not there yet\n"
        "    scores[1]: per/**/*.json is not there yet\n"
    )


def test_a_failure_lasts_until_something_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table has failed while nothing that it is made of has changed; then it is one that is to be made."""
    batch_of(tmp_path, "a")
    spoil(tmp_path, "a")
    assert run(tmp_path, capsys) == 1
    assert status(tmp_path, capsys).out.startswith("a: failed\n")
    write_jsonl(tmp_path / "a.dover.jsonl", clips("c0", "c1", score=1))
    assert status(tmp_path, capsys).out.startswith("a: missing\n    never built\n")
    assert run(tmp_path, capsys) == 0
    spoil(tmp_path, "a")
    assert run(tmp_path, capsys) == 1
    assert status(tmp_path, capsys).out.startswith(
        "a: failed\n    a.dover.jsonl: 1 faulty row in the sidecar\n"
    )
    write_manifest(tmp_path / "m.json", [table_entry("a", prefix="nr")])
    assert status(tmp_path, capsys).out.startswith(
        "a: stale\n    option prefix: changed from 'second_opinion' to 'nr'\n    scores[0]: changed, "
    )


def test_tables_that_another_program_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in the place of an output that no run has made, or that nothing is known of, is no table."""
    batch_of(tmp_path, "a")
    write_text(tmp_path / "out/a.parquet", "PAR1")
    assert status(tmp_path, capsys).out.startswith("a: missing\n    never built\n")
    assert run(tmp_path, capsys) == 0
    shutil.rmtree(tmp_path / ".m.report.json.state")
    ended = status(tmp_path, capsys)
    assert ended.out.startswith("a: missing\n    never built\n")
    assert (ended.code, f"{tmp_path}/m.report.json: not all of its tables are complete" in ended.out) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"expected a manifest"),
        ('{"tables": []}', r"tables: "),
        (None, r"not there yet; expected a manifest"),
    ],
    ids=["no JSON", "faulty", "not there"],
)
def test_an_unusable_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    """A manifest that cannot be used has no standing: exit code 2, and its faults."""
    if content is not None:
        write_text(tmp_path / "m.json", content)
    ended = status(tmp_path, capsys)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_status_looks_where_the_run_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the flags of the run it finds what that run left, with a report elsewhere it finds nothing."""
    batch_of(tmp_path / "in", "a")
    manifest = (tmp_path / "in/m.json").rename(tmp_path / "m.json")
    places = (
        "--base-dir",
        tmp_path / "in",
        "--report-json",
        tmp_path / "r/r.json",
        "--report-md",
        tmp_path / "r.md",
    )
    assert run_main(capsys, "run", manifest, *places).code == 0
    assert run_main(capsys, "status", manifest, *places).out == "a: complete\nreport: complete\n"
    assert run_main(capsys, "status", manifest, *places[:2]).code == 1


def test_as_a_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`batch_status` gives each table's state and reasons, those of the report, and the exit code."""
    batch_of(tmp_path, "ab")
    assert run(tmp_path, capsys) == 0
    (tmp_path / "out/b.parquet").unlink()
    found = batch_status(load_manifest(tmp_path / "m.json"))
    assert [(table.id, table.state, table.reasons) for table in found.tables] == [
        ("a", "complete", ()),
        ("b", "missing", ("out: deleted, 'out/b.parquet'",)),
    ]
    assert found.report == (f"{tmp_path}/m.report.json: not all of its tables are complete",)
    assert found.exit_code == 1
