"""Nothing is ever written but the outputs that a manifest names, the reports, and the project's own files beside them."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import run_manifest, small_batch, table_entry, write_json, write_jsonl
from tests.support.processes import COMMAND, Running, running, second_opinion, until, writers

LUIGI = (str(Path(sys.executable).with_name("luigi")), "--module", "pipeline", "--local-scheduler")
ROWS = 10_000  # more than a run makes in its own process, so that workers take part
OUTS = {"batch/out", "batch/out/t.parquet", "batch/out/t.audit.json"}
RECORDS = {"batch/.m.report.json.state", "batch/.m.report.json.state/HOST.jsonl"}
OWN = RECORDS | {"batch/m.lock", "batch/m.run-log.jsonl"}
REPORT = {"batch/m.report.json", "batch/m.report.md"}
FAILED = {"batch/m.report.failed.json", "batch/m.report.failed.md"}
OUTPUTS = ("out/t.parquet", "out/t.audit.json", "m.report.json", "m.report.md")
PIDS = {"tmp/luigi", "tmp/luigi/HOST.pid"}
"""Where Luigi's own command line, and it alone, notes which command lines run."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A batch, and beside it all folders that a program may leave something in."""
    for name in ("home", "tmp", "cwd"):
        (tmp_path / name).mkdir()
    small_batch(tmp_path / "batch", ROWS, out="out/t.parquet", audit_json="out/t.audit.json")
    return tmp_path


def everything(place: Path) -> dict[str, object]:
    """All files with their bytes, folders and links below; what varies in a name is HOST."""
    found: dict[str, object] = {}
    for path in place.rglob("*"):
        name = path.relative_to(place).as_posix()
        if ".state/" in name or name.endswith(".pid"):
            name = f"{name.rpartition('/')[0]}/HOST{path.suffix}"
        found[name] = (
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
        )
    return found


def environ(place: Path) -> dict[str, str]:
    """An environment that points to these folders; Python's own caches stand beside the sources and are left out."""
    return {"HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}


def ran(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in an empty folder."""
    return Running(place / "cwd", *command, **environ(place)).end()


def added(place: Path, before: dict[str, object]) -> set[str]:
    """What is there now and was not; what was there still is as it was."""
    after = everything(place)
    assert {name: after.get(name) for name in before} == before
    return after.keys() - before.keys()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_completes(place: Path, workers: str) -> None:
    """A run leaves the outputs, the report, its log and the project's records; a second one adds nothing."""
    before, manifest = everything(place), str(place / "batch/m.json")
    assert ran(place, *COMMAND, "run", manifest, "--workers", workers).returncode == 0
    assert added(place, before) == OUTS | REPORT | OWN
    complete = everything(place)
    for command in ("run", "check", "status"):
        assert ran(place, *COMMAND, command, manifest).returncode == 0
    assert ran(place, *COMMAND, "verify", str(place / "batch/m.report.json")).returncode == 0
    assert everything(place) == complete


def test_commands_that_write_nothing(place: Path) -> None:
    """`check`, `status` and a run that is refused leave nothing at all."""
    before, manifest = everything(place), str(place / "batch/m.json")
    commands = [("check", manifest), ("status", manifest), ("run", f"{manifest}.none"), ("verify", manifest)]
    codes = [ran(place, *COMMAND, *command).returncode for command in commands]
    assert codes == [0, 1, 2, 2]
    assert everything(place) == before


@pytest.mark.parametrize(("sidecar", "code"), [("faulty", 1), ("absent", 3)])
def test_a_run_that_does_not_complete(place: Path, sidecar: str, code: int) -> None:
    """A run that fails, or waits for an input, leaves a failed report and the project's records, and no output."""
    (place / "batch/dover.jsonl").unlink()
    if sidecar == "faulty":
        write_jsonl(place / "batch/dover.jsonl", [{"clip_id": "c0"}])
    before = everything(place)
    assert ran(place, *COMMAND, "run", str(place / "batch/m.json"), "--workers", "2").returncode == code
    assert added(place, before) <= FAILED | OWN | {"batch/out"}


def test_a_run_that_is_interrupted(place: Path) -> None:
    """A run that is interrupted while it writes leaves no more than the project's records and an empty folder."""
    small_batch(place / "batch", ROWS * 5, out="out/t.jsonl")
    before = everything(place)
    with running(place / "cwd", *COMMAND, "run", str(place / "batch/m.json"), **environ(place)) as run:
        until(lambda: writers(run, place / "batch/out"), "a table that is being written")
        os.kill(run.pid, signal.SIGINT)
        assert run.end().returncode == 130
    assert added(place, before) <= OWN | {"batch/out"}


def test_join(place: Path) -> None:
    """`join` leaves its outputs alone."""
    before, batch = everything(place), place / "batch"
    files = ("--features", f"{batch}/features.jsonl", "--scores", f"dover={batch}/dover.jsonl")
    outs = ("--out", f"{batch}/out/t.parquet", "--audit-json", f"{batch}/out/t.audit.json")
    assert ran(place, *COMMAND, "join", *files, *outs).returncode == 0
    assert added(place, before) == OUTS


def test_luigis_own_command_line(place: Path) -> None:
    """Luigi's own command line leaves what a run does but its log and lock, and Luigi's note of what runs."""
    before = everything(place)
    report = ("second_opinion.BatchReport", "--manifest", str(place / "batch/m.json"))
    ended = ran(place, *LUIGI, *report)
    assert ended.returncode == 0, ended.stderr
    assert added(place, before) == OUTS | REPORT | RECORDS | PIDS


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *itertools.product(OUTPUTS, ["precious/file", "precious/none"]),
        *itertools.product(OUTPUTS[:2], ["precious"]),  # a report in the place of a folder is refused
    ],
)
def test_an_output_that_is_a_link(place: Path, name: str, target: str) -> None:
    """A link in the place of an output is replaced, wherever it leads, and what it led to stays as it was."""
    link = place / "batch" / name
    link.parent.mkdir(exist_ok=True)
    (place / "precious").mkdir()
    (place / "precious/file").write_text("precious")
    link.symlink_to(place / target)
    assert run_manifest(place / "batch/m.json").exit_code == 0
    assert link.is_file()
    assert not link.is_symlink()
    assert {each.name: each.read_text() for each in (place / "precious").iterdir()} == {"file": "precious"}


def test_an_output_with_another_name(place: Path) -> None:
    """An output that is one file with another one, by a hard link, is replaced, and the other stays as it was."""
    (place / "batch/out").mkdir()
    (place / "precious").write_text("precious")
    (place / "batch/out/t.parquet").hardlink_to(place / "precious")
    assert run_manifest(place / "batch/m.json").exit_code == 0
    assert (place / "precious").read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "code"), [("m.lock", 1), ("m.run-log.jsonl", 0), (".m.report.json.state/HOST.jsonl", 1)]
)
def test_an_own_file_that_is_a_link(place: Path, name: str, code: int) -> None:
    """A link in the place of the lock, the log or the records is named and not followed: it is not the project's."""
    batch = place / "batch"
    assert run_manifest(batch / "m.json").exit_code == 0
    (journal,) = batch.glob(".*.state/*")
    link = journal if name.endswith("HOST.jsonl") else batch / name
    precious = place / "precious"
    shutil.move(link, precious)
    link.symlink_to(precious)
    before = precious.read_bytes()
    write_jsonl(batch / "dover.jsonl", [{"clip_id": f"c{row}", "score": row} for row in range(ROWS)])
    ended = second_opinion(batch, "run", "m.json")
    assert ended.returncode == code, ended.stderr
    assert f"{link.name}: cannot be written: found a symbolic link" in ended.stderr
    assert precious.read_bytes() == before
    assert link.is_symlink()


def test_a_folder_that_is_a_link(place: Path) -> None:
    """A link to a folder, on the way to an output, is followed: that is where its owner wants the files."""
    (place / "disk").mkdir()
    (place / "batch/out").symlink_to(place / "disk")
    before = everything(place)
    assert ran(place, *COMMAND, "run", str(place / "batch/m.json")).returncode == 0
    assert added(place, before) == {"disk/t.parquet", "disk/t.audit.json"} | REPORT | OWN


@pytest.mark.parametrize("target", ["none", "out"], ids=["to nothing", "to itself"])
def test_a_folder_that_is_a_link_to_none(place: Path, target: str) -> None:
    """A link on the way to an output that leads to no folder fails its table, and nothing is made where it leads."""
    (place / "batch/out").symlink_to(place / "batch" / target)
    other = table_entry(
        "o", features="features.jsonl", scores=["dover=dover.jsonl"], out="o.csv", audit_json=None
    )
    table = table_entry("t", features="features.jsonl", scores=["dover=dover.jsonl"])
    write_json(place / "batch/m.json", {"tables": [table, other]})
    before = everything(place)
    ended = ran(place, *COMMAND, "run", str(place / "batch/m.json"))
    assert ended.returncode == 1
    assert "t: out/t.parquet and out/t.audit.json: cannot be written: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert added(place, before) == {"batch/o.csv"} | FAILED | OWN


@pytest.mark.parametrize("option", ["--report-json", "--report-md", "--base-dir", "MANIFEST"])
@pytest.mark.parametrize("command", ["run", "status"])
def test_a_circle_of_links(place: Path, command: str, option: str) -> None:
    """A place behind links that lead in a circle is an error that names it, and nothing is written there."""
    batch = place / "batch"
    assert run_manifest(batch / "m.json").exit_code == 0
    (batch / "a").symlink_to(batch / "b")
    (batch / "b").symlink_to(batch / "a")
    behind = str(batch / "a/m.json")
    arguments = [behind] if option == "MANIFEST" else [str(batch / "m.json"), option, behind]
    ended = ran(place, *COMMAND, command, *arguments)
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr
    assert "/a/m." in ended.stderr + ended.stdout
