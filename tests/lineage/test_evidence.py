"""The tasks of the evidence in the lineage of their batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the extra `evidence` is not installed")

from tests.support.builders import run_main
from tests.support.evidence_batches import evidence_batch
from tests.support.lineage_schemas import faults
from tests.support.processes import COMMAND, LUIGI, luigid, running, started
from tests.support.receiver import Event, Receiver, receiving

TASKS = ("TableAudit.a", "SignalMixAudit", "TableImpact.a", "RetrainImpact")
ONE_RUN = ["START", "COMPLETE"]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A catalogue, for which the client of commands that are started is configured."""
    with receiving() as listening:
        monkeypatch.setenv("OPENLINEAGE_URL", listening.url)
        yield listening


def names(event: Event, role: str) -> list[str]:
    """The inputs or the outputs of an event, by the names of their files."""
    return [Path(each["name"]).name for each in event[role]]


def completed(receiver: Receiver, task: str) -> Event:
    """The COMPLETE of a task."""
    (found,) = (
        each
        for each in receiver.events
        if each["job"]["name"].endswith(f"m.json.{task}") and each["eventType"] == "COMPLETE"
    )
    return found


def test_datasets(tmp_path: Path, receiver: Receiver) -> None:
    """From the joined table to the page, each task reads what the one before has written; all have versions."""
    folder = evidence_batch(tmp_path / "batch").parent
    assert started(folder, *COMMAND, "impact", "m.json").returncode == 0
    receiver.check_pairs()
    assert [receiver.of(f"m.json.{task}") for task in TASKS] == [ONE_RUN] * 4
    assert [fault for each in receiver.events for fault in faults(each)] == []
    events = [completed(receiver, task) for task in TASKS]
    assert [(names(each, "inputs"), names(each, "outputs")) for each in events] == [
        (["a.jsonl"], ["audit-a.json"]),
        (["m.report.json", "audit-a.json"], ["m.audit.json", "m.audit.md", "m.html"]),
        (["a.jsonl"], ["impact-a.json"]),
        (["m.report.json", "m.audit.json", "impact-a.json"], ["m.impact.json", "m.impact.md", "m.html"]),
    ]
    for each in (dataset for event in events for dataset in (*event["inputs"], *event["outputs"])):
        assert len(each["facets"]["version"]["datasetVersion"]) == 64
    digest = hashlib.sha256((folder / "m.impact.json").read_bytes()).hexdigest()
    assert events[-1]["outputs"][0]["facets"]["version"]["datasetVersion"] == digest


def test_their_parent_is_the_batch(tmp_path: Path, receiver: Receiver) -> None:
    """The tables have a run of the batch as their parent, and the evidence has the next; what is complete emits nothing."""
    folder = evidence_batch(tmp_path / "batch").parent
    for _ in range(2):
        assert started(folder, *COMMAND, "audit", "m.json").returncode == 0
    assert receiver.of("m.json") == ONE_RUN * 2
    runs = [each["run"]["runId"] for each in receiver.events if each["job"]["name"].endswith("m.json")][::2]
    parents = [
        completed(receiver, task)["run"]["facets"]["parent"]["run"]["runId"]
        for task in ("JoinedTable.a", "BatchReport", "TableAudit.a", "SignalMixAudit")
    ]
    assert parents == [runs[0]] * 2 + [runs[1]] * 2


def test_a_failure(tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    """A part that fails ends with the message that the command shows, and so does the run of the batch."""
    manifest = evidence_batch(tmp_path, target="dmos")
    assert run_main(capsys, "audit", manifest).code == 1
    receiver.check_pairs()
    assert receiver.of("m.json") == [*ONE_RUN, "START", "FAIL"]
    assert receiver.of("TableAudit.a") == ["START", "FAIL"]
    assert receiver.of("SignalMixAudit") == []
    failed = [each["run"]["facets"]["errorMessage"]["message"] for each in receiver.events[-2:]]
    assert all("found no numeric column named 'dmos'" in each for each in failed)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_luigis_own_command(tmp_path: Path, receiver: Receiver, workers: str) -> None:
    """Run by Luigi's own command, tables, report and evidence have one run of the batch as their parent."""
    folder = evidence_batch(tmp_path / "batch").parent
    command = (*LUIGI, "second_opinion.RetrainImpact", "--manifest", "m.json", "--local-scheduler")
    assert started(folder, *command, "--workers", workers).returncode == 0
    receiver.check_pairs()
    assert receiver.of("m.json") == ONE_RUN
    tasks = ("JoinedTable.a", "BatchReport", *TASKS)
    assert [receiver.of(f"m.json.{task}") for task in tasks] == [ONE_RUN] * 6
    assert len(receiver.batches) == 1


def test_two_workers(tmp_path: Path, receiver: Receiver) -> None:
    """Two workers of a luigid that give one audit have one run of each of its tasks."""
    folder = evidence_batch(tmp_path / "batch", "a", "b").parent
    with luigid(tmp_path / "luigid") as server:
        command = (*COMMAND, "audit", "m.json", "--scheduler", server.url)
        with running(folder, *command) as one, running(folder, *command) as two:
            assert [one.end().returncode, two.end().returncode] == [0, 0]
    receiver.check_pairs()
    tables = [f"{kind}.{table}" for kind in ("JoinedTable", "TableAudit") for table in "ab"]
    tasks = (*tables, "BatchReport", "SignalMixAudit")
    assert [receiver.of(f"m.json.{task}") for task in tasks] == [ONE_RUN] * 6
