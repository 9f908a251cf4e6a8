"""What the events say of tables, and that they follow the published schemas."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import clips, run_manifest, table_entry, write_jsonl, write_manifest
from tests.support.lineage_schemas import faults
from tests.support.receiver import Event, Receiver, receiving


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Receiver]]:
    """The folder and the events of a batch: a joined as Parquet, b as CSV with a pattern, c without its sidecar's scores."""
    folder = tmp_path_factory.mktemp("batch")
    for name in "abc":
        write_jsonl(folder / f"{name}.jsonl", clips("c0", "c1", "c2", blur=0.5))
        write_jsonl(folder / f"{name}.dover.jsonl", clips("c0", "c1", score=1))
    write_jsonl(folder / "c.dover.jsonl", clips("c0", score="good"))
    csv = {"out": "out/b.csv", "scores": [{"path": "b.*.jsonl", "label": "dover", "score_field": "score"}]}
    tables = [table_entry("a"), table_entry("b", **csv), table_entry("c")]
    write_manifest(folder / "m.json", tables, missing_policy="mark")
    with receiving() as receiver:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENLINEAGE_URL", receiver.url)
            run_manifest(folder / "m.json")
        yield folder, receiver


def last(receiver: Receiver, job: str) -> Event:
    """The last event of a job."""
    return [each for each in receiver.events if each["job"]["name"].endswith(job)][-1]


def test_every_event_follows_the_schemas(received: tuple[Path, Receiver]) -> None:
    """Events, facets and their members are those of the published schemas."""
    events = received[1].events
    assert {each["eventType"] for each in events} == {"START", "COMPLETE", "FAIL"}
    assert [fault for each in events for fault in faults(each)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("eventType",), "DONE"),
        (("run", "runId"), 7),
        (("outputs", 0, "outputFacets", "outputStatistics", "rowCount"), "3"),
        (("outputs", 0, "facets", "schema", "fields", 0, "surprise"), "x"),
        (("run", "facets", "parent", "_schemaURL"), "https://openlineage.io/spec/facets/9-9-9/X.json"),
    ],
)
def test_the_check_finds_faults(
    received: tuple[Path, Receiver], path: tuple[Any, ...], value: object
) -> None:
    """An event that breaks a schema is found."""
    event = copy.deepcopy(last(received[1], "JoinedTable.a"))
    changed: Any = event
    for step in path[:-1]:
        changed = changed[step]
    changed[path[-1]] = value
    assert faults(event)


def test_each_run_begins_and_ends_once(received: tuple[Path, Receiver]) -> None:
    """The batch and each of its tables has one START and one end, and the batch is the parent."""
    receiver = received[1]
    receiver.check_pairs()
    assert receiver.of("m.json") == ["START", "FAIL"]
    assert [receiver.of(f"JoinedTable.{name}")[-1] for name in "abc"] == ["COMPLETE", "COMPLETE", "FAIL"]
    assert receiver.batches == {last(receiver, "m.json")["run"]["runId"]}


def test_a_parquet_table(received: tuple[Path, Receiver]) -> None:
    """A joined table has its columns with types and nulls, its rows, its digest, and where each column comes from."""
    folder, receiver = received
    event = last(receiver, "JoinedTable.a")
    assert [each["name"] for each in event["inputs"]] == [
        str(folder / "a.jsonl"),
        str(folder / "a.dover.jsonl"),
    ]
    output = event["outputs"][0]
    assert (output["namespace"], output["name"]) == ("file", str(folder / "out/a.parquet"))
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 3
    facets = output["facets"]
    typed = {each["name"]: each["type"] for each in facets["schema"]["fields"]}
    assert (typed["blur"], typed["second_opinion_dover_score"]) == ("double", "double")
    assert facets["dataQualityMetrics"]["columnMetrics"]["second_opinion_dover_score"]["nullCount"] == 1
    assert len(facets["version"]["datasetVersion"]) == 64
    origin = facets["columnLineage"]["fields"]
    found = {
        name: (origin[name]["inputFields"][0]["name"], origin[name]["inputFields"][0]["field"])
        for name in origin
    }
    assert found["blur"] == (str(folder / "a.jsonl"), "blur")
    assert found["second_opinion_dover_score"] == (str(folder / "a.dover.jsonl"), "score")
    assert facets["columnLineage"]["dataset"][0]["field"] == "clip_id"


def test_a_pattern_is_one_dataset(received: tuple[Path, Receiver]) -> None:
    """The files of a pattern are one input, and the nulls of appended columns are known for text too."""
    folder, receiver = received
    event = last(receiver, "JoinedTable.b")
    scores = event["inputs"][1]
    assert scores["name"] == str(folder / "b.*.jsonl")
    assert scores["inputFacets"]["inputStatistics"]["fileCount"] == 1
    nulls = event["outputs"][0]["facets"]["dataQualityMetrics"]["columnMetrics"]
    assert nulls["second_opinion_dover_score"]["nullCount"] == 1


def test_a_failure_has_its_message(received: tuple[Path, Receiver]) -> None:
    """FAIL has the message that the failed report has; the batch says how many tables failed."""
    receiver = received[1]
    message = last(receiver, "JoinedTable.c")["run"]["facets"]["errorMessage"]
    assert "c.dover.jsonl line 1: field score: found 'good'" in message["message"]
    assert last(receiver, "m.json")["run"]["facets"]["errorMessage"]["message"] == "1 table failed"


def test_the_report_reads_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report's task has the joined tables as inputs and both forms of the report as outputs."""
    write_jsonl(tmp_path / "a.jsonl", clips("c0"))
    write_jsonl(tmp_path / "a.dover.jsonl", clips("c0", score=1))
    write_manifest(tmp_path / "m.json", [table_entry("a")])
    with receiving() as receiver:
        monkeypatch.setenv("OPENLINEAGE_URL", receiver.url)
        result = run_manifest(tmp_path / "m.json")
        event = last(receiver, "BatchReport")
    assert event["eventType"] == "COMPLETE"
    assert [each["name"] for each in event["inputs"]] == [str(tmp_path / "out/a.parquet")]
    assert event["outputs"][0]["facets"]["version"]["datasetVersion"] == result.sha256
    assert event["run"]["facets"]["processing_engine"]["name"] == "Luigi"


def test_a_table_in_shards(tmp_path: Path) -> None:
    """Each shard has a run with its features, the sidecars and its joined file; the table reads all features as one dataset."""
    for name in "ab":
        write_jsonl(tmp_path / f"features/{name}.jsonl", clips(name))
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1))
    table = {"id": "t", "features": "features/", "scores": ["dover=dover.jsonl"], "out": "joined/"}
    write_manifest(tmp_path / "m.json", [table])
    with receiving() as receiver:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENLINEAGE_URL", receiver.url)
            run_manifest(tmp_path / "m.json")
        receiver.check_pairs()
        assert [fault for each in receiver.events for fault in faults(each)] == []
        shard = last(receiver, "JoinedShard.t.a.jsonl")
        assert [each["name"] for each in shard["inputs"]] == [
            str(tmp_path / "features/a.jsonl"),
            str(tmp_path / "dover.jsonl"),
        ]
        assert [each["name"] for each in shard["outputs"]] == [str(tmp_path / "joined/a.jsonl")]
        whole = last(receiver, "JoinedTable.t")
        assert whole["inputs"][0]["name"] == str(tmp_path / "features")
        assert whole["inputs"][0]["inputFacets"]["inputStatistics"]["fileCount"] == 2
        assert str(tmp_path / "joined/_second_opinion.json") in [each["name"] for each in whole["outputs"]]
