"""Runs of one batch beside each other, as workers of a real luigid on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import BatchError
from tests.support.builders import (
    batch_of,
    lasting,
    read_jsonl,
    run_manifest,
    small_batch,
    tree,
    write_jsonl,
    write_manifest,
)
from tests.support.processes import (
    COMMAND,
    LUIGI,
    Luigid,
    Running,
    free_port,
    luigid,
    running,
    second_opinion,
    started,
    until,
    writers,
)

TABLES = "abcd"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Luigid]:
    """A luigid that no test kills."""
    with luigid(tmp_path_factory.mktemp("luigid")) as started_server:
        yield started_server


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch `m.json` of four tables, each of which takes about half a second, of which nothing is made."""
    folder = tmp_path_factory.mktemp("origin") / "batch"
    small_batch(folder, rows=20_000)
    tables = [
        {
            "id": name,
            "features": "features.jsonl",
            "scores": ["dover=dover.jsonl"],
            "out": f"out/{name}.jsonl",
            "audit_json": f"out/{name}.audit.json",
        }
        for name in TABLES
    ]
    write_manifest(folder / "m.json", tables)
    return folder


@pytest.fixture(scope="module")
def whole(origin: Path) -> dict[str, bytes]:
    """What a run of that batch without a luigid leaves behind."""
    folder = Path(shutil.copytree(origin, origin.with_name("whole")))
    assert run_manifest(folder / "m.json").exit_code == 0
    return lasting(folder)


@pytest.fixture
def folder(origin: Path, tmp_path: Path) -> Path:
    """That batch in a place of its own."""
    return Path(shutil.copytree(origin, tmp_path / "batch"))


def run_command(server: Luigid, manifest: str = "m.json") -> tuple[str, ...]:
    """The command that runs the batch as a worker of the luigid."""
    return (*COMMAND, "run", manifest, "--scheduler", server.url)


def joins(folder: Path) -> Counter[str]:
    """How often each table was made: the records that its makers left before its files took their names."""
    (journal,) = folder.glob(".*.state/*.jsonl")
    records = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    return Counter(
        record["out"] for record in records if "made" in record and "out" not in record["made"]["seen"]
    )


def begins(run: Running, folder: Path) -> None:
    """Wait until the run is in the middle of a table."""
    until(lambda: run.pid in writers(run, folder / "out"), "a table that the run writes")


def digest(ended: subprocess.CompletedProcess[str]) -> str:
    """The digest of the complete report that a run has printed."""
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout.splitlines()[-1]


def test_two_runs_at_once(folder: Path, server: Luigid, whole: dict[str, bytes]) -> None:
    """Two runs of a batch at once make every table once and the report once, and print the same digest.

    It is the same batch however its manifest is named.
    """
    elsewhere = run_command(server, f"{folder.name}/m.json")
    with running(folder, *run_command(server)) as one, running(folder.parent, *elsewhere) as two:
        report = folder / "m.report.json"
        until(report.exists, "the report")
        with report.open("rb") as first:
            assert digest(one.end()) == digest(two.end())
            assert os.path.samestat(report.stat(), os.fstat(first.fileno())), "the report was written twice"
    assert lasting(folder) == whole
    assert joins(folder) == {f"out/{name}.jsonl": 1 for name in TABLES}


def test_two_batches_of_the_same_name(tmp_path: Path, server: Luigid) -> None:
    """Batches in two folders are two batches to luigid, though all their names are the same."""
    one, two = (small_batch(tmp_path / name, rows=rows).parent for name, rows in (("1", 3), ("2", 4)))
    with running(one, *run_command(server)) as first, running(two, *run_command(server)) as second:
        assert digest(first.end()) != digest(second.end())
    assert [len(read_jsonl(each / "joined/t.jsonl")) for each in (one, two)] == [3, 4]
    assert [joins(each) for each in (one, two)] == [{"joined/t.jsonl": 1}] * 2


def test_a_run_that_is_killed(folder: Path, server: Luigid, whole: dict[str, bytes]) -> None:
    """Of two runs one is killed in the middle of a table: the other finishes the batch, and clears what was left."""
    with running(folder, *run_command(server)) as one, running(folder, *run_command(server)) as two:
        begins(one, folder)
        one.kill()
        assert digest(two.end())
    assert lasting(folder) == whole
    assert max(joins(folder).values()) == 1
    assert [name for name in tree(folder) if name.endswith(".tmp")] == []


def test_a_luigid_that_is_killed(folder: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Luigid is killed in the middle, and started again: the runs go on and finish, with the same digest."""
    with (
        luigid(tmp_path / "server") as server,
        running(folder, *run_command(server)) as one,
        running(folder, *run_command(server)) as two,
    ):
        for run in (one, two):
            begins(run, folder)
        server.kill()
        server.start()
        assert digest(one.end()) == digest(two.end())
    assert lasting(folder) == whole


def test_a_table_that_is_deleted(folder: Path, server: Luigid, whole: dict[str, bytes]) -> None:
    """A table that luigid knows as done and that is deleted is made again by the next run."""
    digest(started(folder, *run_command(server)))
    (folder / "out/b.jsonl").unlink()
    digest(started(folder, *run_command(server)))
    assert lasting(folder) == whole
    assert joins(folder) == {f"out/{name}.jsonl": 1 + (name == "b") for name in TABLES}


@pytest.mark.parametrize("program", ["second-opinion", "luigi"])
def test_a_failure_that_is_mended(tmp_path: Path, server: Luigid, program: str) -> None:
    """A table that failed before luigid's eyes is made by the next run at once when its cause is mended.

    Left to itself luigid would wait a minute before it let the table be tried again, or ten.
    """
    folder = small_batch(tmp_path / "batch").parent
    sound = (folder / "dover.jsonl").read_bytes()
    write_jsonl(folder / "dover.jsonl", [{"clip_id": "c0", "score": "good"}])
    by_luigi = (*LUIGI, "--scheduler-url", server.url, "second_opinion.BatchReport", "--manifest", "m.json")
    command = by_luigi if program == "luigi" else run_command(server)
    for _ in range(2):
        failed = started(folder, *command)
        assert failed.returncode == 1
        assert "dover.jsonl line 1" in failed.stderr
    (folder / "dover.jsonl").write_bytes(sound)
    ended = started(folder, *command, timeout=20)
    assert ended.returncode == 0, ended.stderr
    assert (folder / "m.report.json").exists()


def test_the_visualiser_sees_a_table_grow(tmp_path: Path, server: Luigid) -> None:
    """While a table is made, luigid can tell what is being done, and how much of it."""
    manifest = small_batch(tmp_path / "batch", rows=500_000)
    seen: list[tuple[str, int]] = []

    def look() -> bool:
        tasks = server.ask("task_list", status="RUNNING", upstream_status="").values()
        told = ((task["status_message"], task["progress_percentage"]) for task in tasks)
        seen.extend((message, share) for message, share in told if message and share is not None)
        return not run.runs

    with running(manifest.parent, *run_command(server)) as run:
        until(look, "the end of the run", every=0.05)
        digest(run.end())
    written = [
        (message, share) for message, share in seen if re.fullmatch(r"written \d+ of 500000 rows", message)
    ]
    assert written
    assert all(0 < share <= 100 for _, share in written)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def tasks_of(server: Luigid, folder: Path) -> list[Any]:
    """What the visualiser gets of the tasks of the batch in that folder: BatchReport, its tables, their inputs."""
    listed = server.ask("task_list", status="", upstream_status="")
    (root,) = (
        task
        for task, known in listed.items()
        if known["params"].get("manifest") == str(folder / "m.json") and "table" not in known["params"]
    )
    graph = server.ask("dep_graph", task_id=root, include_done=True)
    return [graph.pop(root), *sorted(graph.values(), key=lambda known: str(known["name"]), reverse=True)]


def test_the_visualiser_tells_tables_apart(folder: Path, server: Luigid) -> None:
    """Each node of the graph has its table's name; of the parameters the table comes first, and no default is shown."""
    digest(started(folder, *run_command(server)))
    root, *others = tasks_of(server, folder)
    tables, inputs = others[: len(TABLES)][::-1], others[len(TABLES) :][::-1]
    manifest = str(folder / "m.json")
    assert [(task["name"], task["status"]) for task in inputs] == [
        (f"second_opinion.InputFile --path {name}", "DONE") for name in ("dover.jsonl", "features.jsonl")
    ]
    assert root["name"] == "second_opinion.BatchReport"
    assert [task["name"] for task in tables] == [
        f"second_opinion.JoinedTable --table {name}" for name in TABLES
    ]
    assert [list(task["params"].items()) for task in (root, *tables)] == [
        [("manifest", manifest)],
        *([("table", name), ("manifest", manifest)] for name in TABLES),
    ]
    assert root["display_name"] == f"second_opinion.BatchReport(manifest={manifest})"


def test_batches_of_one_manifest(folder: Path, server: Luigid) -> None:
    """A manifest whose files or reports are elsewhere is another batch to luigid; the defaults spelled out are not."""
    elsewhere = (("--base-dir", "."), ("--report-json", "m.report.json", "--report-md", "m.report.md"))
    for options in ((), *elsewhere, ("--report-json", "other.report.json"), ("--report-md", "other.md")):
        digest(started(folder, *run_command(server), *options))
    listed = server.ask("task_list", status="", upstream_status="").values()
    ours = [known["params"] for known in listed if known["params"].get("manifest") == str(folder / "m.json")]
    assert len(ours) == 3 * (1 + len(TABLES))
    reports = [
        {name: Path(params[name]).name for name in params if name != "manifest"}
        for params in ours
        if "table" not in params
    ]
    assert sorted(reports, key=lambda each: sorted(each.items())) == [
        {},
        {"report_json": "other.report.json"},
        {"report_md": "other.md"},
    ]


def test_the_command_that_the_visualiser_shows(tmp_path: Path, server: Luigid) -> None:
    """Of a table that failed the visualiser shows Luigi's command line, which makes the table once it is mended."""
    folder = small_batch(tmp_path / "batch").parent
    sound = (folder / "dover.jsonl").read_bytes()
    write_jsonl(folder / "dover.jsonl", [{"clip_id": "c0", "score": "good"}])
    assert started(folder, *run_command(server)).returncode == 1
    failed = server.ask("task_list", status="DISABLED", upstream_status="").items()
    (task,) = (task for task, known in failed if known["params"].get("manifest") == str(folder / "m.json"))
    shown = server.ask("fetch_error", task_id=task)
    assert "dover.jsonl line 1" in json.loads(shown["error"])
    (folder / "dover.jsonl").write_bytes(sound)
    named = shown["taskFamily"].split()
    options = [word for name, value in shown["taskParams"].items() for word in (f"--{name}", value)]
    ended = started(folder, *LUIGI, "--module", shown["taskModule"], *named, *options, "--local-scheduler")
    assert ended.returncode == 0, ended.stderr
    assert (folder / "joined/t.jsonl").exists()


def test_no_luigid(tmp_path: Path) -> None:
    """Where no luigid answers, the run says so at once and exits 1."""
    manifest = small_batch(tmp_path / "batch")
    url = f"http://127.0.0.1:{free_port()}"
    ended = second_opinion(manifest.parent, "run", "m.json", "--scheduler", url, timeout=10)
    assert ended.returncode == 1
    assert f"second-opinion: {url}: no luigid answers; start it, or run without --scheduler" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "batch/joined").exists()


def test_a_report_that_cannot_be_written(tmp_path: Path, server: Luigid) -> None:
    """The run ends with 1 and says why, and does not wait for a report that nobody will write."""
    folder = small_batch(tmp_path / "batch").parent
    ended = started(folder, *run_command(server), "--report-md", "m.json/r.md", timeout=20)
    assert ended.returncode == 1
    assert re.search(r"m\.json/r\.md.*cannot be written", ended.stderr)
    assert "Traceback" not in ended.stderr


def test_a_manifest_that_is_edited_meanwhile(tmp_path: Path, server: Luigid) -> None:
    """The run ends and says so: tables of two manifests are no batch."""
    manifest = small_batch(tmp_path / "batch")

    def edit(*_: object) -> None:
        manifest.write_bytes(manifest.read_bytes() + b"\n")

    with pytest.raises(BatchError, match="the manifest changed while the batch ran; run again"):
        run_manifest(manifest, scheduler=server.url, watch=edit)
    assert run_manifest(manifest, scheduler=server.url).exit_code == 0


def test_failures_of_other_batches(tmp_path: Path, server: Luigid) -> None:
    """A run has luigid forget the failures of its own batch, and of no other."""
    one, two = (small_batch(tmp_path / name) for name in "12")
    for manifest in (one, two):
        write_jsonl(manifest.with_name("dover.jsonl"), [{"clip_id": "c0", "score": "good"}])
        assert run_manifest(manifest, scheduler=server.url).exit_code == 1
    assert run_manifest(one, scheduler=server.url).exit_code == 1
    disabled = server.ask("task_list", status="DISABLED", upstream_status="").values()
    assert {str(one), str(two)} <= {task["params"]["manifest"] for task in disabled}


def test_small_tables_are_joined_once(tmp_path: Path, server: Luigid) -> None:
    """Of two workers that begin at once, one joins each table, however soon the other asks for it."""
    names = [f"t{number}" for number in range(40)]
    manifest = batch_of(tmp_path / "batch", names)
    command = (*COMMAND, "run", manifest.name, "--scheduler", server.url)
    with running(manifest.parent, *command) as one, running(manifest.parent, *command) as two:
        assert [one.end().returncode, two.end().returncode] == [0, 0]
    records = [
        json.loads(line)
        for journal in (manifest.parent / ".m.report.json.state").glob("*.jsonl")
        for line in journal.read_text("utf-8").splitlines()
    ]
    joined = Counter(record["made"]["entry"]["out"] for record in records if "made" in record)
    assert joined == {
        f"out/{name}.parquet": 2 for name in names
    }  # before its files take their names, and after
