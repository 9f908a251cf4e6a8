"""Telling without reading that a file is still what it was, and never telling so when it is not."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, InputMissingError
from pipeline.records.snapshots import (
    COARSE_TICK_NS,
    Snapshot,
    check_unchanged,
    look_again,
    of_written,
    snapshot,
)
from pipeline.storage import files, writing
from pipeline.storage.files import TICK_NS, Hash, Signature
from tests.support.builders import write_text

SECOND_NS = 1_000_000_000


def sha256(content: bytes) -> str:
    """The digest of a content."""
    return hashlib.sha256(content).hexdigest()


def changed_at(path: Path, time_ns: int) -> None:
    """Set the time at which the file's content was last changed."""
    os.utime(path, ns=(time_ns, time_ns))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that was written just now."""
    return write_text(tmp_path / "file", "one")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the clock, not that of the file system, show so much more than it does."""
    now = time.time_ns

    def shift(by_ns: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: now() + by_ns)

    return shift


def test_a_snapshot_is_of_the_content(path: Path) -> None:
    """It holds the digest of the bytes, and comes back whole from a record."""
    taken = snapshot(path)
    assert taken.sha256 == sha256(b"one")
    assert (taken.signature.size, taken.signature.inode) == (3, path.stat().st_ino)
    assert Snapshot.from_record(taken.as_record()) == taken


def test_right_after_a_change(path: Path) -> None:
    """A file that is read within a tick of its own last change may change again unseen: it is read again."""
    taken = snapshot(path)
    assert not taken.settled
    assert look_again(path, taken) is not taken


def test_a_tick_after_a_change(path: Path, later: Callable[[int], None]) -> None:
    """A file that is read more than a tick after its last change is taken as unchanged while it looks the same."""
    later(SECOND_NS)
    taken = snapshot(path)
    assert taken.settled
    assert look_again(path, taken) is taken


def test_an_old_time_does_not_settle(path: Path) -> None:
    """A file whose time of change was set back is as young as the setting."""
    changed_at(path, time.time_ns() - 60 * SECOND_NS)
    assert not snapshot(path).settled


@pytest.mark.parametrize(
    ("after_ns", "fraction_ns", "settled"),
    [
        (TICK_NS - 1, 1, False),
        (TICK_NS + 1, 1, True),
        (TICK_NS + 1, 0, False),
        (COARSE_TICK_NS - 1, 0, False),
        (COARSE_TICK_NS, 0, True),
    ],
)
def test_how_long_a_tick_is(
    path: Path, monkeypatch: pytest.MonkeyPatch, after_ns: int, fraction_ns: int, settled: bool
) -> None:
    """A time in whole seconds may be that of a file system that keeps no fractions: its tick is two seconds."""
    changed_ns = (time.time_ns() // SECOND_NS + 60) * SECOND_NS + fraction_ns
    changed_at(path, changed_ns)
    monkeypatch.setattr(time, "time_ns", lambda: changed_ns + after_ns)
    assert snapshot(path).settled is settled


def test_the_same_bytes_under_another_time(path: Path, later: Callable[[int], None]) -> None:
    """A file that was only touched is read again, and is what it was."""
    later(SECOND_NS)
    taken = snapshot(path)
    changed_at(path, 12345)
    again = look_again(path, taken)
    assert (again is taken, again.sha256) == (False, taken.sha256)


@pytest.mark.parametrize("known", [None, "settled"])
def test_a_file_that_has_gone(path: Path, later: Callable[[int], None], known: str | None) -> None:
    """A file that is not there is an error that says so, whatever was known of it."""
    later(SECOND_NS)
    taken = snapshot(path) if known else None
    path.unlink()
    with pytest.raises(InputMissingError, match=r"file: the file is not there yet"):
        look_again(path, taken)


def test_a_file_that_became_a_folder(path: Path, later: Callable[[int], None]) -> None:
    """A folder in its place is an error that says so."""
    later(SECOND_NS)
    taken = snapshot(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"file: found a folder, expected a file"):
        look_again(path, taken)


def test_a_file_that_changes_while_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest of half of one content and half of another is refused, with what to do."""
    digest_from = files.digest_from

    def slowly(read: Path, *args: Any) -> Hash:
        found = digest_from(read, *args)
        with read.open("ab") as stream:
            stream.write(b" more")
        return found

    monkeypatch.setattr(files, "digest_from", slowly)
    with pytest.raises(InputError, match=r"changed while it was being read; run again when nothing writes"):
        snapshot(path)


def test_a_file_that_changed_after_it_was_read(path: Path) -> None:
    """A file that is no longer the one that was read is refused; one that is passes."""
    taken = snapshot(path)
    check_unchanged(path, taken.signature)
    write_text(path, "other content")
    with pytest.raises(InputError, match=r"file: the file changed while it was being read"):
        check_unchanged(path, taken.signature)


def test_a_file_of_our_own_is_settled_at_once(tmp_path: Path) -> None:
    """An output is known by its signature as soon as it has its name: no second run needs to read it."""
    path = tmp_path / "out"
    taken = of_written(*writing.write_together({path: b"one"}))
    assert taken.settled
    assert look_again(path, taken) is taken
    write_text(path, "two")
    assert look_again(path, taken).sha256 == sha256(b"two")


@dataclass
class Disk:
    """A file on a file system whose clock has coarse ticks, and where time passes only when it is told to.

    Attributes:
        tick_ns: what its times are rounded down to.
        now_ns: what the clock shows.
    """

    path: Path
    tick_ns: int
    now_ns: int = 1_700_000_000_123_456_789
    _mtime: int = 0
    _ctime: int = 0
    _inode: int = 1

    def edit(self, content: bytes, how: str) -> None:
        """Change the file: in place, in place with its time put back or set to long ago, or by another file."""
        self.path.write_bytes(content)
        self._ctime = self._rounded(self.now_ns)
        if how != "put back":
            self._mtime = self._rounded(SECOND_NS if how == "dated" else self.now_ns)
        if how == "replaced":
            self._inode += 1

    def signature(self, _path: Path) -> Signature:
        """What this file system says of the file."""
        return Signature(self.path.stat().st_size, self._mtime, self._ctime, self._inode)

    def _rounded(self, time_ns: int) -> int:
        return time_ns - time_ns % self.tick_ns


@given(
    tick_ns=st.sampled_from([1, 4_000_000, TICK_NS, SECOND_NS, COARSE_TICK_NS]),
    steps=st.lists(
        st.tuples(
            st.integers(0, 3 * TICK_NS) | st.integers(0, 2 * COARSE_TICK_NS),
            st.sampled_from(["in place", "put back", "dated", "replaced", "read"]),
            st.sampled_from([b"one", b"two", b"longer"]),
        ),
        min_size=1,
        max_size=8,
    ),
)
@settings(deadline=None, max_examples=300)
def test_any_edit_is_seen(
    tmp_path_factory: pytest.TempPathFactory, tick_ns: int, steps: list[tuple[int, str, bytes]]
) -> None:
    """Whatever edits put back, and however they fall into a file system's ticks, a look tells what is there."""
    path = write_text(tmp_path_factory.getbasetemp() / "edited", "")
    disk = Disk(path, tick_ns)
    disk.edit(b"one", "in place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "signature", disk.signature)
        patch.setattr(time, "time_ns", lambda: disk.now_ns)
        known = snapshot(path)
        for passed_ns, how, content in steps:
            disk.now_ns += passed_ns
            if how != "read":
                disk.edit(content, how)
            known = look_again(path, Snapshot.from_record(known.as_record()))
            assert known.sha256 == sha256(path.read_bytes())


@pytest.mark.parametrize("content", ["one", "two", "longer"])
@pytest.mark.parametrize("replaced", [False, True], ids=["in place", "replaced"])
def test_an_edit_of_an_output_is_seen(tmp_path: Path, content: str, replaced: bool) -> None:
    """An output that is edited right after it was written is not taken for the one that was."""
    path = tmp_path / "out"
    known = of_written(*writing.write_together({path: b"one"}))
    edited = write_text(tmp_path / "other" if replaced else path, content)
    edited.replace(path)
    assert look_again(path, known).sha256 == sha256(content.encode())


def test_a_date_that_is_still_to_come(path: Path, later: Callable[[int], None]) -> None:
    """A file whose date someone has set into the future is read once, not at every look."""
    future = time.time_ns() + 3600 * SECOND_NS
    changed_at(path, future)
    later(SECOND_NS)
    known = snapshot(path)
    assert known.settled
    assert look_again(path, known) is known
