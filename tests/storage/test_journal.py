"""Journals: the newest record of each subject and kind counts, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.storage import filenames
from pipeline.storage.shared.journal import Journals


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for journals, which does not exist yet."""
    return tmp_path / "state"


def test_the_newest_record_of_each_kind_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of one subject and kind replace each other, also those of another host; other kinds stay."""
    Journals(folder).append("a", "size", 1)
    Journals(folder).append("a", "colour", "red")
    monkeypatch.setattr(filenames, "host", lambda: "other")
    Journals(folder).append("a", "size", 2)
    found = Journals(folder)
    assert [(found.newest("a", kind) or {})[kind] for kind in ("size", "colour")] == [2, "red"]
    assert found.newest("b", "size") is None


def test_a_line_holds_one_record(folder: Path) -> None:
    """A record is a line of JSON with its subject, its date, its format and its value by its kind."""
    Journals(folder).append("a", "size", 1)
    (path,) = folder.iterdir()
    record = json.loads(path.read_bytes())
    assert record.pop("at") > 0
    assert record == {"out": "a", "size": 1, "format": 1}


def test_subjects_by_status_and_date(folder: Path) -> None:
    """Subjects are found by the status and the date of any of their records, newest or not."""
    journals = Journals(folder)
    journals.append("early", "tried", {"status": "failed"})
    since = journals.now()
    for subject, status in [("a", "failed"), ("a", "waiting"), ("b", "waiting")]:
        journals.append(subject, "tried", {"status": status})
    assert journals.subjects_since("tried", "failed", since) == {"a"}
    assert journals.subjects_since("tried", "waiting", since) == {"a", "b"}
    assert journals.subjects_since("tried", "failed", 0) == {"a", "early"}


def test_old_records_are_dropped(folder: Path) -> None:
    """Once there are more lines than wanted, only the newest records are kept."""
    for size in range(5):
        Journals(folder).append("a", "size", size)
    (path,) = folder.iterdir()
    Journals(folder).prepare(5)
    assert len(path.read_bytes().splitlines()) == 5
    Journals(folder).prepare(4)
    assert [json.loads(line)["size"] for line in path.read_bytes().splitlines()] == [4]


def test_a_folder_that_cannot_be_created(folder: Path) -> None:
    """A file where the folder should be is an error that names it."""
    folder.write_bytes(b"")
    with pytest.raises(OutputError, match="state: cannot be written"):
        Journals(folder).prepare(1)
