"""Signals: the first is never lost, and one that is ignored stays so."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from pipeline.tasks import interruption
from pipeline.tasks.interruption import interruptible
from pipeline.tasks.run import BatchResult
from tests.support.builders import batch_of, read_jsonl, run_manifest, small_batch, tree
from tests.support.processes import COMMAND, heeding, running, started, until, writers

# Python drops what is raised in such a hook, and shows a traceback.
IN_A_FORK = """
import os, signal
import pipeline.tasks.shared
from pipeline.cli.main import main
pipeline.tasks.shared.SMALL_BYTES = -1
told = []
def hook():
    if not told:
        told.append(True)
        os.kill(os.getpid(), signal.{signal})
os.register_at_fork(after_in_parent=hook, after_in_child=hook)
main(["run", "m.json", "--workers", "2"])
"""


# A terminal of its own for the command behind it, which SIGUSR1 closes; ends as the command does.
IN_A_TERMINAL = """
import os, pty, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
signal.sigwait([signal.SIGUSR1])
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
NAMES = ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring coverage would write to the disk that is full, and act on the signals and forks that are tried here."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_while_a_worker_begins(tmp_path: Path, name: str) -> None:
    """A signal that arrives within a fork, on either side, ends the run as any other does: exit code 130."""
    batch_of(tmp_path, "abcd")
    ended = started(tmp_path, sys.executable, "-c", IN_A_FORK.format(signal=name))
    assert ended.returncode == 130, ended.stderr
    assert ended.stderr.lstrip("\n") == "second-opinion: interrupted; nothing is half-written\n"
    assert not (tmp_path / "m.report.json").exists()


def test_signals_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal soon after the first does not cut short what the first began; a later one does."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with heeding(), interruptible():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        now = 0.5
        os.kill(os.getpid(), signal.SIGINT)
        now = 2.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interruption.reset()


def test_a_signal_that_was_dropped() -> None:
    """A signal whose exception came to nothing is told of at the next occasion, at the latest at the end."""
    with heeding(), pytest.raises(KeyboardInterrupt), interruptible(), contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_that_is_ignored(name: str) -> None:
    """What whoever began the run has ignored stays ignored, and the others are heeded."""
    number = getattr(signal, name)
    with heeding():
        before = signal.signal(number, signal.SIG_IGN)
        try:
            with interruptible():
                os.kill(os.getpid(), number)
                heeded = [each for each in NAMES if callable(signal.getsignal(getattr(signal, each)))]
            assert heeded == [each for each in NAMES if each != name]
            assert signal.getsignal(number) is signal.SIG_IGN
        finally:
            signal.signal(number, before)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_run_whose_caller_ignores_a_signal(tmp_path: Path, name: str, workers: str) -> None:
    """A run under nohup, or in the background of a script, is not ended by what these ignore: it completes."""
    small_batch(tmp_path, rows=20_000)
    ignoring = ("sh", "-c", f"trap '' {name.removeprefix('SIG')}; exec \"$@\"", "sh")
    with running(tmp_path, *ignoring, *COMMAND, "run", "m.json", "--workers", workers) as run:
        until(lambda: writers(run, tmp_path / "joined"), "a table that is being written")
        os.killpg(run.pid, getattr(signal, name))
        ended = run.end()
    assert (ended.returncode, ended.stderr) == (0, "t: complete (1 of 1)\n")
    assert len(read_jsonl(tmp_path / "joined/t.jsonl")) == 20_000


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_terminal_that_is_closed(tmp_path: Path, workers: str) -> None:
    """A run whose terminal or connection goes ends with 130 and leaves nothing half-written."""
    small_batch(tmp_path, rows=40_000)
    command = (sys.executable, "-c", IN_A_TERMINAL, *COMMAND, "run", "m.json", "--workers", workers)
    with running(tmp_path, *command) as run:
        until(lambda: writers(run, tmp_path / "joined"), "a table that is being written")
        os.kill(run.pid, signal.SIGUSR1)
        assert run.end().returncode == 130
    assert tree(tmp_path / "joined") == {}


def test_a_run_in_a_thread(tmp_path: Path) -> None:
    """A batch can be run in a thread, which may not say what becomes of signals."""
    manifest = batch_of(tmp_path, "a")
    results: list[BatchResult] = []
    thread = threading.Thread(target=lambda: results.append(run_manifest(manifest)))
    thread.start()
    thread.join()
    assert [result.exit_code for result in results] == [0]
