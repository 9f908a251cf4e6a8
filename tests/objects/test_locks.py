"""The lock of a batch, local and in a bucket: one run alone, or several that share it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import BatchBusyError
from pipeline.storage.locations import Location, located
from pipeline.storage.shared.lock import holding
from tests.support.processes import until
from tests.support.stores import Bucket

pytestmark = pytest.mark.objects


@pytest.fixture(params=["local", "object"])
def lock(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """The place of a lock, in each implementation."""
    if request.param == "local":
        return tmp_path / "m.lock"
    request.getfixturevalue("proxy")
    bucket: Bucket = request.getfixturevalue("bucket")
    return located(Path(), f"{bucket.uri}/m.lock")


@contextlib.contextmanager
def holder(lock: Location, *, shared: bool) -> Iterator[int]:
    """A process that holds the lock until it is killed at the end of the block."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with holding(lock, shared=shared):
            os.write(writing, b"x")
            signal.pause()
    os.read(reading, 1)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, False)])
def test_who_is_alone_excludes_others(lock: Location, first: bool, second: bool) -> None:
    """A run alone excludes every other one, and is excluded by every other one; after the block it is free."""
    for _ in range(2):
        with (
            holder(lock, shared=first) as child,
            pytest.raises(BatchBusyError, match=rf"m\.lock: .*process {child} on .*"),
            holding(lock, shared=second),
        ):
            pass
        until(lambda: _is_free(lock), "a free lock")


def test_workers_share_it(lock: Location) -> None:
    """Runs that share it hold it at once."""
    with holding(lock, shared=True), holding(lock, shared=True):
        pass
    assert _is_free(lock)


def test_it_is_free_after_an_error(lock: Location) -> None:
    """A block that fails lets go of it."""
    with pytest.raises(ZeroDivisionError), holding(lock, shared=False):
        raise ZeroDivisionError
    assert _is_free(lock)


def test_an_old_lease_is_taken_over(bucket: Bucket, proxy: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock of a host that has ended holds for the time of a lease by the store's clock, and no longer."""
    assert proxy
    bucket.put("m.lock", b'{"host": "gone", "pid": 7}')
    lock = located(Path(), f"{bucket.uri}/m.lock")
    with (
        pytest.raises(BatchBusyError, match=r"process 7 on 'gone' holds this batch"),
        holding(lock, shared=False),
    ):
        pass
    monkeypatch.setenv("SECOND_OPINION_LEASE_SECONDS", "1")
    until(lambda: _is_free(lock), "a lease that is old", every=0.2)
    assert bucket.etags() == {}


def test_a_lease_that_is_renewed_is_not_old(
    bucket: Bucket, proxy: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a run takes, its lock holds: it is renewed three times in its time."""
    assert proxy
    monkeypatch.setenv("SECOND_OPINION_LEASE_SECONDS", "1")
    lock = located(Path(), f"{bucket.uri}/m.lock")
    with holding(lock, shared=False):
        before = _renewed(bucket)
        until(lambda: _renewed(bucket) - before > 3, "renewals for longer than a lease", every=0.3)
        assert not _is_free(lock)


def _renewed(bucket: Bucket) -> float:
    """When the lock was last written, by the store's clock."""
    return bucket.changed("m.lock")


def _is_free(lock: Location) -> bool:
    try:
        with holding(lock, shared=False):
            return True
    except BatchBusyError:
        return False
