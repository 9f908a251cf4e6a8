"""The most important of this folder's tests, over other stores than SeaweedFS: another of S3, and one of Azure."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.storage.locations import located
from tests.objects import test_batches, test_crashes, test_locks
from tests.objects.conftest import Stored
from tests.objects.test_crashes import large, uploading
from tests.support.other_stores import OTHER_STORES, OtherStore
from tests.support.processes import Running
from tests.support.stores import Bucket, reason_to_skip

pytestmark = pytest.mark.objects

__all__ = ["large", "uploading"]

HELD: dict[str, Callable[[Stored], None]] = {
    "same bytes": test_batches.test_a_run_gives_the_bytes_of_a_local_run,
    "a second run": test_batches.test_a_second_run_touches_and_reads_nothing,
    "half-failed": lambda stored: test_batches.test_a_half_failed_batch(stored, "2"),
    "verify": test_batches.test_verify_reads_everything,
    "opened": test_batches.test_tables_are_opened_by_uri,
}


@pytest.fixture(scope="module", params=[*OTHER_STORES])
def other(request: pytest.FixtureRequest) -> OtherStore:
    """A store of each kind."""
    return OTHER_STORES[request.param]


@pytest.fixture(scope="module")
def store_endpoint(other: OtherStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it is."""
    if (reason := reason_to_skip()) is not None and "obstore" in reason:
        pytest.skip(reason)
    with other.begun(tmp_path_factory.mktemp("store")) as endpoint:
        yield endpoint


@pytest.fixture
def store_environ(other: OtherStore) -> Callable[[str], dict[str, str]]:
    """What a user sets to read from it."""
    return other.environ


@pytest.fixture
def bucket(other: OtherStore, store_endpoint: str) -> Bucket:
    """A new folder of its bucket."""
    return other.bucket(store_endpoint, f"b{secrets.token_hex(6)}")


@pytest.mark.parametrize("holds", HELD.values(), ids=HELD.keys())
def test_what_holds_over_seaweedfs(stored: Stored, holds: Callable[[Stored], None]) -> None:
    """Equal bytes, a rerun that touches nothing, a half-failed batch, verification, opened tables: as there."""
    holds(stored)


def test_a_killed_run(uploading: Running, large: Stored) -> None:
    """As over SeaweedFS: nothing is half-written, the lock is free at once, the next run finishes."""
    test_crashes.test_a_run_that_is_ended_in_an_upload(uploading, large, signal.SIGKILL)


def test_workers_of_a_luigid(stored: Stored, tmp_path: Path) -> None:
    """As over SeaweedFS: each table is made once."""
    test_batches.test_workers_of_a_luigid_divide_a_batch(stored, tmp_path)


@pytest.mark.usefixtures("proxy")
def test_one_run_at_a_time(bucket: Bucket) -> None:
    """As over SeaweedFS: who is alone excludes others, whether they would be alone or not."""
    for first, second in ((False, False), (False, True), (True, False)):
        lock = located(Path(), f"{bucket.uri}/{secrets.token_hex(4)}/m.lock")
        test_locks.test_who_is_alone_excludes_others(lock, first, second)
