"""Signals: the first is never lost, and one that is ignored stays so."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from pipeline import interruption
from pipeline.interruption import interruptible
from pipeline.run import BatchResult
from tests.builders import batch_of, run_manifest
from tests.processes import started

# Python drops what is raised in such a hook.
IN_A_FORK = """
import os, signal
import pipeline.tasks
from pipeline.__main__ import main
pipeline.tasks.SMALL_BYTES = -1
told = []
def hook():
    if not told:
        told.append(True)
        os.kill(os.getpid(), signal.{signal})
os.register_at_fork(after_in_parent=hook)
main(["run", "m.json", "--workers", "2"])
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_a_worker_begins(tmp_path: Path, name: str) -> None:
    """A signal that Python drops, as it arrives within a fork, ends the run all the same: exit code 130."""
    batch_of(tmp_path, "abcd")
    ended = started(tmp_path, sys.executable, "-c", IN_A_FORK.format(signal=name))
    assert ended.returncode == 130, ended.stderr
    assert ended.stderr.endswith("second-opinion: interrupted; nothing is half-written\n")
    assert not (tmp_path / "m.report.json").exists()


def test_signals_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal soon after the first does not cut short what the first began; a later one does."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        now = 0.5
        os.kill(os.getpid(), signal.SIGINT)
        now = 2.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interruption.forget()


def test_a_signal_that_was_dropped() -> None:
    """A signal whose exception came to nothing is told of at the next occasion, at the latest at the end."""
    with pytest.raises(KeyboardInterrupt), interruptible(), contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_is_ignored() -> None:
    """What whoever began the run has ignored stays ignored (nohup, a shell's background job)."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_in_a_thread(tmp_path: Path) -> None:
    """A batch can be run in a thread, which may not say what becomes of signals."""
    manifest = batch_of(tmp_path, "a")
    results: list[BatchResult] = []
    thread = threading.Thread(target=lambda: results.append(run_manifest(manifest)))
    thread.start()
    thread.join()
    assert [result.exit_code for result in results] == [0]
