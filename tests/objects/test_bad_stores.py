"""Stores that refuse, fail, cut connections or lack what is needed: an error of ours, and nothing half-written."""

from __future__ import annotations

import pytest

from tests.objects.conftest import Stored
from tests.support.proxies import Fault

pytestmark = pytest.mark.objects


def of_writes(stored: Stored, fault: Fault, part: str) -> None:
    """Have every write of an object whose path holds `part` fail."""

    def decide(method: str, path: str) -> Fault | None:
        return fault if method in ("PUT", "POST") and part in path else None

    stored.proxy.fault = decide


def heal(stored: Stored) -> None:
    """The store works again."""
    stored.proxy.fault = lambda _method, _path: None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault(403, "AccessDenied"),
            "the store refuses it (403 AccessDenied); expected credentials that may write it",
        ),
        (Fault(503), "the store is too busy or fails (503 SlowDown), after retries"),
        (Fault(0), "the store cannot be reached, or cut the connection, after retries"),
        (
            Fault(403, "RequestTimeTooSkewed"),
            "the store refuses it (403 RequestTimeTooSkewed); expected a clock that is as late as the store's; set this host's clock",
        ),
        (Fault(404, "NoSuchBucket"), "found no such bucket"),
    ],
    ids=["refused", "busy", "cut", "clock", "bucket"],
)
def test_an_output_that_cannot_be_written(stored: Stored, fault: Fault, said: str) -> None:
    """The table fails with its URI and the cause (exit 1); the others are made, and the next run finishes."""
    of_writes(stored, fault, "/out/b.parquet")
    ended = stored("run")
    assert ended.returncode == 1
    assert f"out/b.parquet: cannot be written: {said}" in ended.stderr.replace("\n", " ")
    assert "secret123" not in ended.stderr
    assert set(stored.outputs()) == {"out/a.parquet", "out/a.audit.json", "out/c.parquet", "out/c.audit.json"}
    heal(stored)
    assert stored("run").returncode == 0


@pytest.mark.parametrize("part", [".state/", "m.lock"])
def test_records_that_cannot_be_written(stored: Stored, part: str) -> None:
    """Without its records or its lock a batch cannot run: one sentence with the URI (exit 1), no report."""
    of_writes(stored, Fault(403, "AccessDenied"), part)
    ended = stored("run")
    assert ended.returncode == 1
    assert "cannot be written: the store refuses it (403 AccessDenied)" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "m.report.json" not in stored.bucket.etags()
    heal(stored)
    assert stored("run").returncode == 0


def test_a_secret_that_is_wrong(stored: Stored) -> None:
    """The manifest cannot be read (exit 2); the message has its URI, and no secret."""
    environ = {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    ended = stored("run", **environ)
    assert ended.returncode == 2
    assert f"{stored.manifest}: cannot be read: the store refuses it (403)" in ended.stderr
    assert "wrong-secret" not in ended.stderr


def test_a_read_that_is_cut_in_the_middle(stored: Stored) -> None:
    """A read that is cut once is tried again; one that is always cut fails its table with the URI."""
    cuts = iter([Fault(after_bytes=10)])
    stored.proxy.fault = lambda method, path: (
        next(cuts, None) if method == "GET" and "a.jsonl" in path else None
    )
    assert stored("run").returncode == 0
    stored.bucket.put("a.jsonl", stored.bucket.get("a.jsonl") + b"\n")
    stored.proxy.fault = lambda method, path: (
        Fault(after_bytes=5) if method == "GET" and "a.jsonl" in path else None
    )
    ended = stored("run")
    assert ended.returncode == 1
    assert "a.jsonl: cannot be read: the store cannot be reached, or cut the connection" in ended.stderr


def test_a_store_without_conditional_writes(stored: Stored) -> None:
    """It is found out at the start and refused by name (exit 2); who is alone may say so."""
    of_writes(stored, Fault(200), "m.lock")  # what such a store answers to a write that must fail
    ended = stored("run")
    assert ended.returncode == 2
    assert (
        "the store of s3://tests has written an object that was to be written only if absent" in ended.stderr
    )
    assert stored.outputs() == {}
    assert "m.lock" not in stored.bucket.etags()
    assert stored("run", "--assume-single-writer").returncode == 0
    assert stored("status").returncode == 0


def test_who_may_only_read_can_check(stored: Stored) -> None:
    """A batch that is complete can be run, asked for its status and verified without permission to write."""
    assert stored("run").returncode == 0
    stored.proxy.fault = lambda method, _path: (
        Fault(403, "AccessDenied") if method not in ("GET", "HEAD") else None
    )
    for command in ("run", "status", "verify", "cite"):
        assert stored(command).returncode == 0
