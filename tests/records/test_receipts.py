"""The project's own records: what was made, how it failed; torn, foreign and old lines do no harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import TableEntry
from pipeline.records.materialized import Materialized
from pipeline.records.receipts import Failure, Receipts, ReportRecord
from pipeline.storage import filenames
from tests.support.builders import batch_of, lasting, local, run_manifest, table_entry, tree, write_manifest

FAILED = Failure("failed", "a.dover.jsonl: 1 faulty row in the sidecar", "cause")
WAITING = Failure("waiting", "b.jsonl: the file is not there yet", "cause")
Hosts = Callable[[str], Receipts]


@pytest.fixture
def entries(tmp_path: Path) -> dict[str, TableEntry]:
    """The tables a and b of a batch, by their ids."""
    return {entry.id: entry for entry in load_manifest(batch_of(tmp_path, "ab")).tables}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of records that are no run's."""
    return tmp_path / "state"


@pytest.fixture
def on(state: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """The records as another host sees them, which then is the one that adds to them."""

    def become(host: str) -> Receipts:
        monkeypatch.setattr(filenames, "host", lambda: host)
        return Receipts(state)

    return become


def made(name: str) -> Materialized:
    """What was made of a table, told apart by its fingerprint."""
    return Materialized(
        fingerprint=name,
        semantics=1,
        entry={},
        summary={"input_rows": 0, "output_rows": 0, "competitors": {}},
        inputs={},
        outputs={},
        versions={},
        seen={"out": ("0" * 64, 1, 2, 3, 4, True)},
    )


def journal(state: Path) -> Path:
    """The journal of the one host that has written."""
    (path,) = state.glob("*.jsonl")
    return path


def lines(state: Path) -> int:
    """How many lines all journals have."""
    return sum(len(path.read_bytes().splitlines()) for path in state.glob("*.jsonl"))


def test_nothing_is_known_at_first(state: Path, entries: dict[str, TableEntry]) -> None:
    """Without records nothing was made, nothing failed, and asking leaves nothing behind."""
    receipts = Receipts(state)
    assert (receipts.built(entries["a"]), receipts.failure(entries["a"]), receipts.report()) == (
        None,
        None,
        None,
    )
    assert not state.exists()


def test_the_newest_record_counts(state: Path, entries: dict[str, TableEntry]) -> None:
    """Of each table the last record counts, and that of one table says nothing of another."""
    receipts = Receipts(state)
    receipts.record_built(entries["a"], made("first"))
    receipts.record_built(entries["a"], made("second"))
    receipts.record_failure(entries["b"], WAITING)
    for known in (receipts, Receipts(state)):
        assert (known.built(entries["a"]), known.failure(entries["a"])) == (made("second"), None)
        assert (known.built(entries["b"]), known.failure(entries["b"])) == (None, WAITING)


def test_a_failure_does_not_unmake_a_table(state: Path, entries: dict[str, TableEntry]) -> None:
    """What was made before a failure is still known; what is made after it ends it."""
    receipts = Receipts(state)
    receipts.record_built(entries["a"], made("before"))
    receipts.record_failure(entries["a"], FAILED)
    assert (receipts.built(entries["a"]), receipts.failure(entries["a"])) == (made("before"), FAILED)
    receipts.record_built(entries["a"], made("after"))
    assert (receipts.built(entries["a"]), receipts.failure(entries["a"])) == (made("after"), None)


def test_a_failure_since(state: Path, entries: dict[str, TableEntry]) -> None:
    """Only a failure since the given time counts, and a table that waits or was made then has not failed."""
    receipts = Receipts(state)
    receipts.record_failure(entries["a"], FAILED)
    receipts.record_failure(entries["b"], WAITING)
    failed_ns = json.loads(journal(state).read_bytes().splitlines()[0])["at"]
    assert receipts.failure(entries["a"], failed_ns) == FAILED
    assert receipts.failure(entries["a"], failed_ns + 1) is None
    assert receipts.has_failed(entries.values(), failed_ns)
    assert not receipts.has_failed(entries.values(), failed_ns + 1)
    assert not receipts.has_failed([entries["b"]], failed_ns)
    receipts.record_built(entries["a"], made("a"))
    assert not receipts.has_failed(entries.values(), failed_ns)


def test_a_table_is_known_by_its_output(state: Path, entries: dict[str, TableEntry]) -> None:
    """A table keeps its record under another id, and under another output it has none."""
    Receipts(state).record_built(entries["a"], made("a"))
    assert Receipts(state).built(replace(entries["a"], id="renamed")) == made("a")
    assert Receipts(state).built(replace(entries["a"], out="out/other.parquet")) is None


def test_the_newest_of_two_hosts(on: Hosts, state: Path, entries: dict[str, TableEntry]) -> None:
    """Each host adds to a journal of its own; what was recorded last counts, wherever."""
    on("one").record_built(entries["a"], made("one"))
    on("two").record_built(entries["a"], made("two"))
    assert on("one").built(entries["a"]) == made("two")
    on("one").record_failure(entries["a"], FAILED)
    assert (on("two").built(entries["a"]), on("two").failure(entries["a"])) == (made("two"), FAILED)
    on("two").record_built(entries["a"], made("again"))
    assert (on("one").built(entries["a"]), on("one").failure(entries["a"])) == (made("again"), None)
    assert sorted(path.name for path in state.iterdir()) == ["one.jsonl", "two.jsonl"]


def test_a_torn_last_line(state: Path, entries: dict[str, TableEntry]) -> None:
    """What a process that died left torn is no record; the next one stands on a line of its own."""
    receipts = Receipts(state)
    receipts.record_built(entries["a"], made("whole"))
    receipts.record_built(entries["a"], made("torn"))
    journal(state).write_bytes(journal(state).read_bytes()[:-20])
    assert Receipts(state).built(entries["a"]) == made("whole")
    receipts.record_built(entries["b"], made("next"))
    assert [receipts.built(entries[name]) for name in "ab"] == [made("whole"), made("next")]


GARBAGE = {
    "zeros of a lost block": bytes(512),
    "no text": b"\xff\xfe\x80",
    "no object": b"[1, 2]",
    "empty object": b"{}",
    "blank": b"",
    "no time": b'{"format": 1, "out": "out/a.parquet", "made": {}}',
    "no table": b'{"format": 1, "at": 9999999999999999999, "made": {}}',
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_lines(state: Path, entries: dict[str, TableEntry], garbage: bytes) -> None:
    """A line that is no record is passed over; those before and behind it count."""
    receipts = Receipts(state)
    receipts.record_built(entries["a"], made("before"))
    with journal(state).open("ab") as stream:
        stream.write(garbage + b"\n")
    assert Receipts(state).built(entries["a"]) == made("before")
    receipts.record_built(entries["b"], made("behind"))
    assert [receipts.built(entries[name]) for name in "ab"] == [made("before"), made("behind")]


FOREIGN = {
    "another format": {"format": 2, "made": {"fingerprint": "x", "seen": {"out": [1]}}},
    "before formats": {"format": None, "made": {"fingerprint": "x"}},
    "a field more": {"failed": {"status": "failed", "error": "x", "cause": "y", "host": "z"}},
    "a field less": {"failed": {"status": "failed"}},
    "no object": {"made": "x"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_record_of_another_version(
    state: Path, entries: dict[str, TableEntry], foreign: dict[str, object]
) -> None:
    """A record that another version of the project wrote in its own way is as good as none."""
    receipts = Receipts(state)
    receipts.record_failure(entries["b"], WAITING)
    record = {"format": 1, "out": entries["a"].out, "at": 1, **foreign}
    with journal(state).open("ab") as stream:
        stream.write(json.dumps(record).encode() + b"\n")
    assert (receipts.built(entries["a"]), receipts.failure(entries["a"])) == (None, None)
    assert receipts.failure(entries["b"]) == WAITING


def test_journals_are_shortened(on: Hosts, state: Path, entries: dict[str, TableEntry]) -> None:
    """Once most lines are old, a run keeps of all hosts' journals what counts, in its own."""
    for number in range(40):
        on("one").record_built(entries["a"], made(str(number)))
        on("two").record_built(entries["b"], made(str(number)))
    on("two").record_failure(entries["b"], FAILED)
    report = ReportRecord("identity", [("0" * 64, 1, 2, 3, 4, True)])
    on("one").record_report(report)
    on("one").prepare(tables=2)
    assert (lines(state), journal(state).name) == (4, "one.jsonl")
    for host in ("one", "two"):
        known = on(host)
        assert [known.built(entries[name]) for name in "ab"] == [made("39")] * 2
        assert [known.failure(entries[name]) for name in "ab"] == [None, FAILED]
        found = known.report()
        assert found is not None
        assert found.identity == "identity"


def test_short_journals_are_left_alone(state: Path, entries: dict[str, TableEntry]) -> None:
    """While few lines are old, preparing changes no record; it makes the folder where there is none."""
    receipts = Receipts(state)
    receipts.prepare(tables=2)
    assert state.is_dir()
    for name in ("first", "second"):
        receipts.record_built(entries["a"], made(name))
    before = tree(state)
    receipts.prepare(tables=2)
    assert tree(state) == before


def test_journals_of_many_runs_stay_short(tmp_path: Path) -> None:
    """However often tables of a batch are made again, its records take no more lines than a few per table."""
    manifest = batch_of(tmp_path, "a")
    state = local(load_manifest(manifest).state_dir)
    Receipts(state).record_failure(load_manifest(manifest).tables[0], FAILED)
    journal(state).write_bytes(journal(state).read_bytes() * 1000)
    assert run_manifest(manifest).exit_code == 0
    assert lines(state) < 70


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda state: journal(state).write_bytes(b"\xff" * 99)])
def test_lost_records(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    """Without its records, or with none that can be read, a batch is made again, to the byte."""
    manifest = batch_of(tmp_path, "ab")
    first = run_manifest(manifest)
    before = lasting(tmp_path)
    spoil(local(load_manifest(manifest).state_dir))
    assert run_manifest(manifest).sha256 == first.sha256
    assert lasting(tmp_path) == before


def test_records_of_a_table_that_has_moved(tmp_path: Path) -> None:
    """A table that gets the output of another one is not taken for it."""
    manifest = batch_of(tmp_path, "ab")
    run_manifest(manifest)
    swapped = [table_entry("a", out="out/b.parquet"), table_entry("b", out="out/a.parquet")]
    write_manifest(manifest, swapped)
    tables = run_manifest(manifest).report["tables"]
    assert [(table["status"], table["features"], table["out"]) for table in tables] == [
        ("ok", "a.jsonl", "out/b.parquet"),
        ("ok", "b.jsonl", "out/a.parquet"),
    ]
    audit = json.loads((tmp_path / "out/a.audit.json").read_bytes())
    assert (audit["feature_table"], audit["output"]) == ("a.jsonl", "out/b.parquet")


def test_clocks_that_disagree(
    state: Path, entries: dict[str, TableEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded later is newer, also where the clock of who recorded first was ahead."""
    monkeypatch.setattr("pipeline.storage.filenames.host", lambda: "ahead")
    monkeypatch.setattr("time.time_ns", lambda: 2_000)
    Receipts(state).record_failure(entries["a"], FAILED)
    monkeypatch.setattr("pipeline.storage.filenames.host", lambda: "behind")
    monkeypatch.setattr("time.time_ns", lambda: 1_000)
    receipts = Receipts(state)
    since = receipts.now()
    assert not receipts.has_failed(entries.values(), since)
    receipts.record_built(entries["a"], made("a"))
    assert receipts.failure(entries["a"]) is None
    receipts.record_failure(entries["a"], FAILED)
    assert Receipts(state).has_failed(entries.values(), since)
