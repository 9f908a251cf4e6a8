"""A run after a run: it makes again what has changed, and `status` has said so before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

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

# The command, which tells at its end what it imported and, of the working folder, what it opened.
SPIED = """
import json, os, sys
opened = []
def note(event, args):
    if event == "open" and not isinstance(args[0], int):  # a number stands for a file that was noted by its name
        opened.append(os.fspath(args[0]))
sys.addaudithook(note)
from second_opinion.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps({"modules": list(sys.modules), "opened": [str(each) for each in opened]}))
"""
REPORT = {"m.report.json", "m.report.md"}
INCOMPLETE = "not all of its tables are complete"
OTHER = "not the report of these tables"
TABLES = ["a", "b", "c"]


@dataclass(frozen=True)
class Change:
    """A change of a complete batch.

    Attributes:
        does: makes the change.
        made: the tables that the next run makes.
        said: what `status` says before, of each table that is not complete.
        report: what `status` says before of the report.
        files: which of the report's files it names.
        reported: whether the next run writes the report.
    """

    does: Callable[[Path], object]
    made: str
    said: dict[str, str]
    report: str = INCOMPLETE
    files: tuple[str, ...] = ("m.report.json",)
    reported: bool = True


def of_tables(does: Callable[[Path], object], said: dict[str, str]) -> Change:
    """A change that makes other tables, and so another report."""
    return Change(does, "".join(said), said)


def of_output(does: Callable[[Path], object], said: str) -> Change:
    """A change of an output of the table b, which is made again as it was; so the report still stands."""
    return Change(does, "b", {"b": said}, reported=False)


def of_report(does: Callable[[Path], object], said: str, *files: str) -> Change:
    """A change that leaves every table as it is."""
    return Change(does, "", {}, said, files or ("m.report.json", "m.report.md"))


def manifest(*tables: dict[str, object], **defaults: object) -> Callable[[Path], Path]:
    """Write the manifest again, with these tables."""
    return lambda folder: write_manifest(folder / "m.json", tables, **defaults)


def same(name: str) -> dict[str, object]:
    """A table as it was."""
    return table_entry(name)


def add_table(folder: Path) -> None:
    """A fourth table stands in the manifest, and its inputs are there."""
    write_jsonl(folder / "d.jsonl", clips("c0"))
    write_jsonl(folder / "d.dover.jsonl", clips("c0", score=1))
    manifest(*(table_entry(name) for name in "abcd"))(folder)


CHANGES = {
    "sidecar edited": of_tables(
        lambda folder: write_jsonl(folder / "b.dover.jsonl", clips("c0", "c1", score=22)),
        {"b": "stale\n    scores[0]: changed, 'b.dover.jsonl'"},
    ),
    "sidecar edited, size and time put back": of_tables(
        lambda folder: edit_unseen(folder / "b.dover.jsonl", b'"score": 1', b'"score": 7'),
        {"b": "stale\n    scores[0]: changed, 'b.dover.jsonl'"},
    ),
    "features replaced": of_tables(
        lambda folder: write_jsonl(folder / "new", clips("c1")).replace(folder / "b.jsonl"),
        {"b": "stale\n    features: changed, 'b.jsonl'"},
    ),
    "option changed": of_tables(
        manifest(same("a"), table_entry("b", prefix="nr"), same("c")),
        {"b": "stale\n    option prefix: changed from 'second_opinion' to 'nr'"},
    ),
    "default changed": of_tables(
        manifest(same("a"), table_entry("b", missing_policy="mark"), same("c"), missing_policy="drop"),
        dict.fromkeys("ac", "stale\n    option missing_policy: changed from 'mark' to 'drop'"),
    ),
    "audit no longer asked for": of_tables(
        manifest(same("a"), table_entry("b", audit_json=None), same("c")),
        {"b": "stale\n    audit_json: changed from 'out/b.audit.json' to None"},
    ),
    "table added": of_tables(add_table, {"d": "missing\n    never built"}),
    "table removed": of_report(manifest(same("a"), same("c")), OTHER),
    "table renamed": of_report(manifest(same("a"), table_entry("b", id="renamed"), same("c")), OTHER),
    "tables in another order": of_report(manifest(same("c"), same("b"), same("a")), OTHER),
    "output deleted": of_output(
        lambda folder: (folder / "out/b.parquet").unlink(), "missing\n    out: deleted, 'out/b.parquet'"
    ),
    "output truncated": of_output(
        lambda folder: os.truncate(folder / "out/b.parquet", 100),
        "stale\n    out: edited, 'out/b.parquet'",
    ),
    "output edited, size and time put back": of_output(
        lambda folder: edit_unseen(folder / "out/b.parquet", b"dover", b"other"),
        "stale\n    out: edited, 'out/b.parquet'",
    ),
    "output overwritten by another table": of_output(
        lambda folder: shutil.copy(folder / "out/a.parquet", folder / "out/b.parquet"),
        "stale\n    out: edited, 'out/b.parquet'",
    ),
    "audit deleted": of_output(
        lambda folder: (folder / "out/b.audit.json").unlink(),
        "stale\n    audit_json: deleted, 'out/b.audit.json'",
    ),
    "audit edited": of_output(
        lambda folder: write_text(folder / "out/b.audit.json", "{}"),
        "stale\n    audit_json: edited, 'out/b.audit.json'",
    ),
    "report deleted": of_report(
        lambda folder: (folder / "m.report.json").unlink(), "not there", "m.report.json"
    ),
    "Markdown deleted": of_report(
        lambda folder: (folder / "m.report.md").unlink(), "not there", "m.report.md"
    ),
    "report edited": of_report(
        lambda folder: edit_unseen(folder / "m.report.json", b"dover", b"other"), OTHER, "m.report.json"
    ),
    "Markdown edited": of_report(
        lambda folder: edit_unseen(folder / "m.report.md", b"dover", b"other"), OTHER, "m.report.md"
    ),
}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A batch of the tables a, b and c that is complete."""
    assert run_main(capsys, "run", batch_of(tmp_path, "abc")).code == 0
    return tmp_path


def told(folder: Path, change: Change) -> str:
    """What `status` prints after the change."""
    tables = [table["id"] for table in json.loads((folder / "m.json").read_bytes())["tables"]]
    lines = [f"{table}: {change.said.get(table, 'complete')}" for table in tables]
    return "\n".join(
        [*lines, "report: stale", *(f"    {folder}/{file}: {change.report}" for file in change.files), ""]
    )


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_exactly_what_changed_is_made_again(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Change
) -> None:
    """A run makes just the tables that are not what is asked for, and the report if it is another one.

    `status` says so before, with the reason, and writes nothing.
    """
    change.does(folder)
    before = stamps(folder)
    status = run_main(capsys, "status", folder / "m.json")
    assert stamps(folder) == before
    assert (status.code, status.out, status.err) == (1, told(folder, change), "")

    assert run_main(capsys, "run", folder / "m.json").code == 0
    asked = json.loads((folder / "m.json").read_bytes())["tables"]
    expected = {file for table in asked if table["id"] in change.made for file in outputs(table)}
    assert written(folder, before) == expected | (REPORT if change.reported else set())
    assert run_main(capsys, "status", folder / "m.json").code == 0
    assert run_main(capsys, "verify", folder / "m.report.json").code == 0


def outputs(table: dict[str, str | None]) -> set[str]:
    """The files that a table of a manifest leaves behind."""
    return {file for file in (table["out"], table["audit_json"]) if file is not None}


def written(folder: Path, before: dict[str, tuple[int, int, int]]) -> set[str]:
    """The outputs and the files of the report that are not as they were."""
    return {
        name
        for name, stamp in stamps(folder).items()
        if before.get(name) != stamp and (name.startswith("out/") or name in REPORT)
    }


def spied(folder: Path, command: str = "run") -> tuple[set[str], set[str]]:
    """The modules that a run imports, and the files of the batch that it opens, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", SPIED, command, "m.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(ended.stdout.splitlines()[-1])
    return set(seen["modules"]), {each for each in seen["opened"] if (folder / each).parent == folder}


@pytest.mark.parametrize("command", ["run", "status"])
def test_a_second_run_does_nothing(folder: Path, command: str) -> None:
    """It changes no file and no time of change, hidden ones included, reads no input, and starts no join."""
    before = stamps(folder)
    modules, opened = spied(folder, command)
    assert stamps(folder) == before
    assert modules & {"luigi", "pyarrow", "pipeline.join.materialize"} == set()
    assert opened <= {"m.json", *REPORT}


def test_only_what_may_have_changed_is_read(folder: Path) -> None:
    """A file with another time of change is read to tell, the others are not; the same bytes redo nothing."""
    os.utime(folder / "b.dover.jsonl")
    before = stamps(folder)
    modules, opened = spied(folder)
    assert written(folder, before) == set()
    assert opened - {"m.json", *REPORT} == {"b.dover.jsonl"}
    assert "pyarrow" not in modules


@pytest.mark.parametrize(
    "name", ["b.jsonl", "b.dover.jsonl", "out/b.parquet", "out/b.audit.json", "m.report.json"]
)
def test_a_touched_file_redoes_nothing(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The same bytes under a new time of change and a new inode are the same file."""
    shutil.copy(folder / name, folder / "copy")
    (folder / "copy").replace(folder / name)
    before = stamps(folder)
    assert run_main(capsys, "status", folder / "m.json").code == 0
    assert run_main(capsys, "run", folder / "m.json").code == 0
    assert written(folder, before) == set()


def test_a_folder_in_place_of_an_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands in the place of an output and is no file is never removed: the table fails and says why."""
    (folder / "out/b.parquet").unlink()
    kept = write_text(folder / "out/b.parquet/kept", "")
    status = run_main(capsys, "status", folder / "m.json")
    assert (status.code, "found a folder, expected a file" in status.out) == (1, True)
    assert refused(run_main(capsys, "run", folder / "m.json"))
    assert kept.exists()
    shutil.rmtree(kept.parent)
    assert run_main(capsys, "run", folder / "m.json").code == 0
    assert run_main(capsys, "verify", folder / "m.report.json").code == 0


def refused(ended: Ended) -> bool:
    """Whether the table b alone failed, as it cannot be written."""
    said = [line for line in ended.err.splitlines() if line.startswith("second-opinion: ")]
    return ended.code == 1 and [line.partition("out/b.parquet")[0] for line in said] == [
        "second-opinion: b: "
    ]
