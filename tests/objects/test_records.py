"""Records, local and in a bucket: the newest of each subject and kind counts, whoever wrote it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pipeline.storage.locations import given
from pipeline.storage.objects import ObjectPath
from pipeline.storage.shared import journal, object_journal
from pipeline.storage.shared.journal import Journals
from pipeline.storage.shared.object_journal import ObjectJournals
from tests.support.stores import Bucket

pytestmark = pytest.mark.objects

Opening: TypeAlias = Callable[[], Journals | ObjectJournals]


@pytest.fixture(params=["local", "object"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Opens the records of one folder as a process does that has read none yet, in each implementation."""
    if request.param == "local":

        def fresh_local() -> Journals:
            journal._journal.cache_clear()
            return Journals(tmp_path / "state")

        return fresh_local
    request.getfixturevalue("proxy")
    folder = given(request.getfixturevalue("bucket").uri) / "state"
    assert isinstance(folder, ObjectPath)

    def fresh() -> ObjectJournals:
        object_journal._known.cache_clear()
        return ObjectJournals(folder)

    return fresh


def value(records: Journals | ObjectJournals, subject: str, kind: str) -> object:
    """The value of the newest record; None: there is none."""
    record = records.newest(subject, kind)
    return None if record is None else record[kind]


def test_the_newest_counts(opened: Opening) -> None:
    """Records of one subject and kind replace each other; other kinds and subjects stay."""
    first, second = opened(), opened()
    first.append("a", "size", 1)
    first.append("a", "colour", "red")
    second.append("a", "size", 2)
    second.append("b", "size", 3)
    for records in (opened(), opened()):
        assert [value(records, *each) for each in (("a", "size"), ("a", "colour"), ("b", "size"))] == [
            2,
            "red",
            3,
        ]
    assert value(opened(), "c", "size") is None


def test_clocks_that_disagree(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded later is newer, also where the clock of who recorded first was ahead."""
    monkeypatch.setattr("time.time_ns", lambda: 2_000)
    opened().append("a", "size", 1)
    monkeypatch.setattr("time.time_ns", lambda: 1_000)
    records = opened()
    assert records.now() > 2_000
    records.append("a", "size", 2)
    assert value(opened(), "a", "size") == 2


def test_statuses_are_found_by_time(opened: Opening) -> None:
    """The subjects of a status since a time are found, also where a newer record has another status."""
    records = opened()
    records.append("a", "failed", {"status": "failed"})
    since = opened().now()
    records = opened()
    records.append("b", "failed", {"status": "failed"})
    records.append("b", "failed", {"status": "waiting"})
    assert opened().subjects_since("failed", "failed", since) == {"b"}
    assert opened().subjects_since("failed", "failed", 0) == {"a", "b"}


def test_many_processes_lose_nothing(opened: Opening) -> None:
    """Records that several processes add at once are all there."""
    children = []
    for number in range(4):
        children.append(os.fork())
        if not children[-1]:
            for at in range(3):
                opened().append(f"{number}-{at}", "size", at)
            os._exit(0)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert [value(opened(), f"{number}-{at}", "size") for number in range(4) for at in range(3)] == [
        0,
        1,
        2,
    ] * 4


def test_settling_keeps_the_newest(opened: Opening) -> None:
    """Records that are put together say the same, beside a reader that has begun and a writer that goes on."""
    writer, reader = opened(), opened()
    for size in range(3):
        writer.append("a", "size", size)
        writer.append(f"b{size}", "size", size)
    assert value(reader, "a", "size") == 2
    writer.settle()
    writer.settle()
    assert value(reader, "b1", "size") == 1
    writer.append("a", "size", 7)
    assert [value(opened(), name, "size") for name in ("a", "b0", "b1", "b2")] == [7, 0, 1, 2]


def test_one_subject_alone(bucket: Bucket, proxy: object) -> None:
    """Who asks about one subject sees its newest record, and lists those of no other."""
    assert proxy
    folder = given(bucket.uri)
    assert isinstance(folder, ObjectPath)
    for subject in ("a", "b"):
        ObjectJournals(folder).append(subject, "size", 1)
    object_journal._known.cache_clear()
    assert value(ObjectJournals(folder, "a"), "a", "size") == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[1]\n", b'{"out": "a", "size": 9, "format": 99, "at": 1}\n']
)
def test_a_record_that_is_damaged_is_left_out(bucket: Bucket, proxy: object, content: bytes) -> None:
    """An object among the records that holds none, or one of another format, changes nothing."""
    assert proxy
    folder = given(bucket.uri)
    assert isinstance(folder, ObjectPath)
    ObjectJournals(folder).append("a", "size", 1)
    bucket.put("other/x.jsonl", content)
    object_journal._known.cache_clear()
    assert value(ObjectJournals(folder), "a", "size") == 1
