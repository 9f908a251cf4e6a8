"""Runs in a bucket that are killed: nothing is half-written, nothing is left, the next run finishes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.objects.conftest import Stored
from tests.support.builders import write_jsonl
from tests.support.processes import COMMAND, Running, running, until

pytestmark = pytest.mark.objects

ROWS = 120_000
"""So many that a joined table is uploaded in parts."""


@pytest.fixture
def large(stored: Stored) -> Stored:
    """The batch with one table that is uploaded in parts."""
    rows = ({"clip_id": f"c{row}", "f": f"{row * 7919:0>90}"} for row in range(ROWS))
    write_jsonl(stored.folder / "a.jsonl", rows)
    manifest = (stored.folder / "m.json").read_text().replace("out/a.parquet", "out/a.jsonl")
    stored.bucket.put("m.json", manifest.encode())
    stored.bucket.put("a.jsonl", (stored.folder / "a.jsonl").read_bytes())
    return stored


@pytest.fixture
def uploading(large: Stored, tmp_path: Path) -> Iterator[Running]:
    """A run that is uploading a part of the large table."""
    with running(tmp_path, *COMMAND, "run", large.manifest, "--workers", "2", **large.environ) as run:
        until(lambda: _parts(large), "a part that is uploaded")
        yield run


def _parts(stored: Stored) -> list[str]:
    return [
        path
        for method, path in stored.proxy.seen
        if method == "PUT" and re.search(r"partNumber|comp=block\b", path)
    ]


def _uploads(stored: Stored) -> int:
    """Uploads that were begun, and neither completed nor aborted."""
    begun = [path for method, path in stored.proxy.seen if method == "POST" and path.endswith("?uploads=")]
    ended = [
        path for method, path in stored.proxy.seen if method in ("POST", "DELETE") and "uploadId=" in path
    ]
    return len(begun) - len(ended)


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name
)
def test_a_run_that_is_ended_in_an_upload(uploading: Running, large: Stored, number: signal.Signals) -> None:
    """The object is not there, its upload is aborted, the lock is free at once, and the next run finishes."""
    os.killpg(uploading.pid, number)
    uploading.end()
    until(lambda: not _uploads(large), "the end of the upload")
    assert "out/a.jsonl" not in large.bucket.etags()
    until(lambda: "m.lock" not in large.bucket.etags(), "a free lock")
    ended = large("run")
    assert ended.returncode == 0, ended.stderr
    assert large("verify").returncode == 0
    assert large.bucket.get("out/a.jsonl").count(b"\n") == ROWS


def test_the_death_of_what_asks_the_store_in_an_upload(uploading: Running, large: Stored) -> None:
    """The table fails with its URI (exit 1), nothing of it is there, and the next run finishes."""
    for helper in _helpers(uploading):
        os.kill(helper, signal.SIGKILL)
    ended = uploading.end()
    assert ended.returncode == 1
    assert "the process that asks object stores has died; run again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "out/a.jsonl" not in large.bucket.etags()
    assert large("run", SECOND_OPINION_LEASE_SECONDS="1").returncode == 0


def _helpers(run: Running) -> list[int]:
    """The processes that ask stores for a run: they are of no session of its own, but have its environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            is_helper = b"objects/helper.py" in (place / "cmdline").read_bytes()
            if is_helper and (place / "cwd").readlink() == Path(f"/proc/{run.pid}/cwd").readlink():
                found.append(int(place.name))
        except OSError:
            continue
    return found
