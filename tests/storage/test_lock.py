"""One run of a batch at a time on a host, unless the runs share it."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from multiprocessing.util import Finalize, register_after_fork
from pathlib import Path

import pytest

from pipeline.errors import BatchBusyError, OutputError
from pipeline.storage.shared.lock import holding
from tests.support.builders import (
    batch_of,
    forking,
    run_main,
    run_manifest,
    stamps,
    table_entry,
    write_manifest,
)
from tests.support.processes import Running, running, until

# Holds the lock file that it is told, says so by another file, and never ends by itself.
HOLD = """
import signal, sys
from pathlib import Path
from pipeline.storage.shared.lock import holding
with holding(Path(sys.argv[1]), shared=False):
    Path(sys.argv[2]).touch()
    signal.pause()
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A batch that has not run yet."""
    return batch_of(tmp_path / "batch", "ab")


@pytest.fixture
def holder(manifest: Path, tmp_path: Path) -> Iterator[Running]:
    """Another process that holds the batch."""
    told = tmp_path / "told"
    lock = manifest.with_name("m.lock")
    with running(tmp_path, sys.executable, "-c", HOLD, str(lock), str(told)) as process:
        until(told.exists, "a holder of the lock")
        yield process


def test_a_second_run(manifest: Path, holder: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """While a run holds the batch another one stops at once, says who it is, and changes nothing: exit code 4."""
    before = stamps(manifest.parent)
    ended = run_main(capsys, "run", manifest)
    assert (ended.code, ended.out) == (4, "")
    assert ended.err == (
        f"second-opinion: {manifest.with_name('m.lock')}: process {holder.pid} on {socket.gethostname()!r}, "
        "or a worker that it started, holds this batch; wait for it, or stop it\n"
    )
    assert stamps(manifest.parent) == before


def test_the_lock_of_a_dead_process(
    manifest: Path, holder: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was killed holds nothing, though its lock file is still there."""
    holder.kill()
    assert manifest.with_name("m.lock").exists()
    assert run_main(capsys, "run", manifest).code == 0


def test_what_needs_no_lock(manifest: Path, holder: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` and `status` write nothing, and answer while a run holds the batch."""
    assert holder.runs
    assert run_main(capsys, "check", manifest).code == 0
    assert run_main(capsys, "status", manifest).out.startswith("a: missing\n")


def test_a_complete_batch_is_told_while_it_is_held(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that has nothing to do disturbs no other: exit code 0."""
    run_manifest(manifest)
    with holding(manifest.with_name("m.lock"), shared=False):
        assert run_main(capsys, "run", manifest).code == 0


def test_the_end_of_a_run_is_the_end_of_its_workers(
    manifest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes that are slow to end after their last table do not hold the batch against the next run."""
    forking(monkeypatch)

    class Slow:
        """What is registered as long as it is there: each worker takes its time to end."""

        def __init__(self) -> None:
            register_after_fork(self, lambda _: Finalize(None, time.sleep, args=[0.5], exitpriority=0))

    slow = Slow()
    assert run_main(capsys, "run", manifest, "--workers", "2").code == 0
    del slow
    (manifest.parent / "out/a.parquet").unlink()
    assert run_main(capsys, "run", manifest).code == 0


def test_another_batch_is_not_held(
    manifest: Path, holder: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """Batches beside each other, each with a manifest of its own, run at the same time."""
    assert holder.runs
    other = write_manifest(
        manifest.with_name("other.json"), [table_entry("a", out="other.csv", audit_json=None)]
    )
    assert run_main(capsys, "run", other).code == 0


def take(lock: Path, *, shared: bool) -> None:
    """Hold the lock, and let it go."""
    with holding(lock, shared=shared):
        assert lock.is_file()


def test_it_is_free_again(tmp_path: Path) -> None:
    """After its block, also one that failed, the lock is free."""
    lock = tmp_path / "new/folder/lock"
    with pytest.raises(KeyError, match="inside"), holding(lock, shared=False):
        raise KeyError("inside")
    take(lock, shared=False)


@pytest.mark.parametrize(
    ("first", "second"),
    [(False, False), (False, True), (True, False)],
    ids=["both alone", "then shared", "then alone"],
)
def test_held_twice(tmp_path: Path, first: bool, second: bool) -> None:
    """Who holds it alone holds it against everyone, who shares it against those that want it alone."""
    lock = tmp_path / "lock"
    expected = (
        r"lock: process \d+ on '.+', or a worker that it started, holds this batch; wait for it, or stop it"
    )
    with holding(lock, shared=first), pytest.raises(BatchBusyError, match=expected):
        take(lock, shared=second)


def test_shared(tmp_path: Path) -> None:
    """Runs that share it hold it together; it is free when the last of them has ended."""
    lock = tmp_path / "lock"
    with holding(lock, shared=True):
        take(lock, shared=True)
        with pytest.raises(BatchBusyError, match="holds this batch"):
            take(lock, shared=False)
    take(lock, shared=False)


@pytest.mark.parametrize("content", ["", "not JSON", "[]", '{"pid": 1}'])
def test_a_holder_that_has_not_said_who_it_is(tmp_path: Path, content: str) -> None:
    """What stands in the file is for the message alone: the lock holds without it."""
    lock = tmp_path / "lock"
    with holding(lock, shared=False):
        lock.write_text(content, "utf-8")
        with pytest.raises(BatchBusyError, match="lock: another run holds this batch"):
            take(lock, shared=False)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder in its place is an error that names it."""
    (tmp_path / "lock").mkdir()
    with pytest.raises(OutputError, match="lock: cannot be written: Is a directory"):
        take(tmp_path / "lock", shared=False)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock whose holder cannot be written down is held all the same."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = tmp_path / "lock"
    with holding(lock, shared=False), pytest.raises(BatchBusyError, match="another run holds this batch"):
        take(lock, shared=False)
