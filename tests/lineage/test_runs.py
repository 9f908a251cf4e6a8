"""One START and one end per run, whatever happens to the processes, and no harm from a catalogue."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from luigi.worker import TaskProcess, TaskStatusReporter

from pipeline import JoinedTable, load_manifest
from pipeline.lineage import runs
from pipeline.lineage.sender import LIMIT_SECONDS
from tests.support.builders import batch_of, run_manifest, small_batch
from tests.support.processes import (
    COMMAND,
    LUIGI,
    Running,
    free_port,
    luigid,
    running,
    started,
    until,
    writers,
)
from tests.support.receiver import Receiver, receiving

LARGE_ROWS = 40_000  # enough for a process of its own, which takes a while to write


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A catalogue, for which the client of commands that are started is configured."""
    with receiving() as listening:
        monkeypatch.setenv("OPENLINEAGE_URL", listening.url)
        yield listening


def run_log(folder: Path) -> list[dict[str, object]]:
    """The lines of the run log."""
    return [json.loads(line) for line in (folder / "m.run-log.jsonl").read_text("utf-8").splitlines()]


def child(run: Running, folder: Path) -> int:
    """The process that writes the table, which is not the run's first."""
    number = min(until(lambda: writers(run, folder / "joined/t.jsonl"), "a table that is being written"))
    assert number != run.pid
    return number


def test_a_table_whose_process_is_killed(tmp_path: Path, receiver: Receiver) -> None:
    """Kill -9 of a table's process fails its run; the next run of the batch has runs of its own."""
    folder = small_batch(tmp_path / "batch", LARGE_ROWS).parent
    with running(folder, *COMMAND, "run", "m.json", "--workers", "2") as run:
        os.kill(child(run, folder), signal.SIGKILL)
        assert run.end().returncode == 1
    receiver.check_pairs()
    assert receiver.of("JoinedTable.t") == ["START", "FAIL"]
    assert started(folder, *COMMAND, "run", "m.json").returncode == 0
    receiver.check_pairs()
    assert receiver.of("JoinedTable.t") == ["START", "FAIL", "START", "COMPLETE"]
    assert receiver.of("m.json") == ["START", "FAIL", "START", "COMPLETE"]
    assert len(receiver.batches) == 2


def test_a_run_that_is_killed_is_ended_by_the_next(tmp_path: Path, receiver: Receiver) -> None:
    """After kill -9 of all processes of a run, the next one ends what they have begun, then begins its own."""
    folder = small_batch(tmp_path / "batch", LARGE_ROWS).parent
    with running(folder, *COMMAND, "run", "m.json", "--workers", "2") as run:
        child(run, folder)
        run.kill()
    assert started(folder, *COMMAND, "run", "m.json").returncode == 0
    receiver.check_pairs()
    assert receiver.of("JoinedTable.t") == ["START", "FAIL", "START", "COMPLETE"]
    assert receiver.of("m.json") == ["START", "FAIL", "START", "COMPLETE"]


def test_an_interrupted_run(tmp_path: Path, receiver: Receiver) -> None:
    """Ctrl-C ends the runs of the batch and of its table with ABORT."""
    folder = small_batch(tmp_path / "batch", LARGE_ROWS).parent
    with running(folder, *COMMAND, "run", "m.json") as run:
        until(lambda: writers(run, folder / "joined/t.jsonl"), "a table that is being written")
        os.kill(run.pid, signal.SIGINT)
        assert run.end().returncode == 130
    receiver.check_pairs()
    assert receiver.of("JoinedTable.t") == ["START", "ABORT"]
    assert receiver.of("m.json") == ["START", "ABORT"]


def test_two_workers_share_the_run_of_the_batch(tmp_path: Path, receiver: Receiver) -> None:
    """Two workers of a luigid that run one batch have one run of the batch, and a run of each table."""
    names = [f"t{number}" for number in range(20)]
    folder = batch_of(tmp_path / "batch", names).parent
    with luigid(tmp_path / "luigid") as server:
        command = (*COMMAND, "run", "m.json", "--scheduler", server.url)
        with running(folder, *command) as one, running(folder, *command) as two:
            assert [one.end().returncode, two.end().returncode] == [0, 0]
    receiver.check_pairs()
    assert receiver.of("m.json") == ["START", "COMPLETE"]
    tasks = [*(f"JoinedTable.{name}" for name in names), "BatchReport"]
    assert [receiver.of(task) for task in tasks] == [["START", "COMPLETE"]] * len(tasks)
    assert len(receiver.batches) == 1


def test_a_table_that_another_worker_has_joined(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is given a table and finds it complete emits nothing of it."""
    manifest = batch_of(tmp_path, "a")
    with monkeypatch.context() as off:
        off.setenv("OPENLINEAGE_DISABLED", "true")
        run_manifest(manifest)
    batch = load_manifest(manifest)
    results: queue.Queue[tuple[str, str]] = queue.Queue()
    with runs.batch_run(batch):
        table = JoinedTable(manifest=str(manifest), table="a")
        TaskProcess(table, "worker", results, TaskStatusReporter(None, "a", "worker", None)).run()
        assert runs.end(batch, "COMPLETE") == ""
    assert results.get()[1] == "DONE"
    assert [each["eventType"] for each in receiver.events] == ["START", "COMPLETE"]
    assert receiver.of("JoinedTable.a") == []


def test_a_table_that_takes_too_long(tmp_path: Path, receiver: Receiver) -> None:
    """A table that Luigi ends after `[worker] timeout` fails once, and the message says that it timed out."""
    folder = batch_of(tmp_path / "batch", "a").parent
    (folder / "luigi.cfg").write_text("[worker]\ntimeout = 1\n", "utf-8")
    # The join never ends by itself: Luigi ends it after a second.
    code = (
        "import sys, time; from pipeline.tasks import graph; from pipeline.cli.main import main; "
        "graph.materialize_entry = lambda *_, **__: time.sleep(600); sys.argv[1:] = ['run', 'm.json']; main()"
    )
    assert started(folder, sys.executable, "-c", code).returncode == 1
    receiver.check_pairs()
    assert receiver.of("JoinedTable.a") == ["START", "FAIL"]
    (failed,) = (
        each for each in receiver.events if each["eventType"] == "FAIL" and each["job"]["name"].endswith(".a")
    )
    assert "timed out after 1 seconds" in failed["run"]["facets"]["errorMessage"]["message"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_luigis_own_command(tmp_path: Path, receiver: Receiver, workers: str) -> None:
    """A batch that Luigi's own command runs has its run too, with any number of processes."""
    folder = batch_of(tmp_path / "batch", "ab").parent
    command = (*LUIGI, "second_opinion.BatchReport", "--manifest", "m.json", "--local-scheduler")
    assert started(folder, *command, "--workers", workers).returncode == 0
    receiver.check_pairs()
    assert receiver.of("m.json") == ["START", "COMPLETE"]
    assert receiver.of("JoinedTable.b") == receiver.of("BatchReport") == ["START", "COMPLETE"]


def test_a_catalogue_that_hangs(tmp_path: Path, receiver: Receiver) -> None:
    """It delays a run by no more than the limit, fails nothing, and is noted once; the next run sends what was left."""
    receiver.answers.clear()
    folder = batch_of(tmp_path / "batch", "abc").parent
    ended = started(folder, *COMMAND, "run", "m.json")
    assert (ended.returncode, "lineage" in ended.stderr) == (0, False)
    (line,) = run_log(folder)
    assert "no answer within 3 s" in str(line["lineage"])
    assert float(str(line["seconds"])) < LIMIT_SECONDS + 10
    receiver.answers.set()
    (folder / "out/a.parquet").unlink()
    assert started(folder, *COMMAND, "run", "m.json").returncode == 0
    assert "lineage" not in run_log(folder)[-1]
    first = {
        each["run"]["runId"]: each["eventType"]
        for each in receiver.events
        if each["job"]["name"].endswith(".c")
    }
    assert list(first.values()) == ["COMPLETE"]


def test_a_catalogue_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is complete, prints nothing of it, and notes it in its log."""
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{free_port()}")
    folder = batch_of(tmp_path / "batch", "ab").parent
    began = time.monotonic()
    ended = started(folder, *COMMAND, "run", "m.json")
    assert time.monotonic() - began < LIMIT_SECONDS + 30
    assert ended.returncode == 0
    assert "onnection" not in ended.stderr
    (line,) = run_log(folder)
    assert line["lineage"]


def test_a_file_of_events(tmp_path: Path) -> None:
    """openlineage.yml in the working folder is enough, here with the client's file transport."""
    folder = batch_of(tmp_path / "batch", "a").parent
    settings = f"transport:\n  type: file\n  append: true\n  log_file_path: {tmp_path / 'events.jsonl'}\n"
    (folder / "openlineage.yml").write_text(settings, "utf-8")
    assert started(folder, *COMMAND, "run", "m.json").returncode == 0
    lines = (tmp_path / "events.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START"] * 2 + ["COMPLETE", "START"] + [
        "COMPLETE"
    ] * 2


@pytest.mark.parametrize(
    "disabled", [{}, {"OPENLINEAGE_URL": "http://127.0.0.1:9", "OPENLINEAGE_DISABLED": "true"}]
)
def test_off_unless_configured(tmp_path: Path, disabled: dict[str, str]) -> None:
    """A run of a client that is not configured, or disabled, neither imports it nor leaves anything in the state folder."""
    folder = batch_of(tmp_path / "batch", "a").parent
    code = (
        "import sys; from pipeline import load_manifest, run_batch; run_batch(load_manifest('m.json')); "
        "sys.exit('openlineage.client' in sys.modules)"
    )
    with running(folder, sys.executable, "-c", code, **disabled) as run:
        ended = run.end()
    assert ended.returncode == 0, ended.stderr
    assert not list(folder.glob(".*.state/lineage"))
