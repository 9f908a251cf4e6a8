"""`join` by itself: how it ends where it is stopped, killed or starved."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.join import matching
from tests.support.builders import run_main, run_manifest, small_batch, tree
from tests.support.processes import COMMAND, running, until, writers

JOIN = ("join", "--features", "features.jsonl", "--scores", "dover=dover.jsonl", "--out", "out/t.jsonl")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal(tmp_path: Path, sent: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a terminal that is closed leave nothing half-written: exit code 130."""
    small_batch(tmp_path, rows=60_000)
    with running(tmp_path, *COMMAND, *JOIN) as run:
        until(lambda: writers(run, tmp_path / "out"), "a table that is being written")
        os.kill(run.pid, sent)
        ended = run.end()
    assert ended.returncode == 130
    assert ended.stderr.strip() == "second-opinion: interrupted; nothing is half-written"
    assert not [name for name in tree(tmp_path) if name.startswith("out/")]


def test_what_a_killed_join_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next join clears what one left that was killed (-9) in the middle of the same table."""
    small_batch(tmp_path, rows=60_000)
    with running(tmp_path, *COMMAND, *JOIN) as run:
        until(lambda: writers(run, tmp_path / "out"), "a table that is being written")
        run.kill()
    assert [name for name in tree(tmp_path) if name.endswith(".tmp")]
    monkeypatch.chdir(tmp_path)
    assert run_main(capsys, *JOIN).code == 0
    assert [name for name in tree(tmp_path) if name.startswith("out/")] == ["out/t.jsonl"]


@pytest.mark.parametrize("error", [MemoryError(), pa.ArrowMemoryError("malloc of size 1 failed")])
def test_not_enough_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: MemoryError
) -> None:
    """Memory that is refused is an error of the table: exit code 1, no traceback, nothing left."""
    manifest = small_batch(tmp_path)

    def starve(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(matching, "open_table", starve)
    monkeypatch.chdir(tmp_path)
    ended = run_main(capsys, *JOIN)
    assert ended.code == 1
    assert "out/t.jsonl: not enough memory to join this table; what it needs is not known" in ended.err
    result = run_manifest(manifest)
    assert result.report["tables"][0]["error"].startswith("joined/t.jsonl: not enough memory")
