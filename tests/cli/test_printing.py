"""Where the command prints may break: the work is done, and the exit code is that of the work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import batch_of, clips, small_batch, table_entry, write_jsonl, write_manifest
from tests.support.forks import begun
from tests.support.processes import COMMAND, environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch `m.json` that has not run, and one `bad.json` whose table fails."""
    batch_of(tmp_path, "ab")
    write_jsonl(tmp_path / "c.jsonl", clips("c0"))
    write_jsonl(tmp_path / "c.dover.jsonl", clips("c0", score="good"))
    write_manifest(tmp_path / "bad.json", [table_entry("c")])
    return tmp_path


@pytest.mark.parametrize(
    ("command", "code"),
    [("run m.json", 0), ("run bad.json", 1), ("status m.json", 1), ("check m.json", 0), ("check none", 2)],
)
@pytest.mark.parametrize("broken", ["stdout", "stderr", "both"])
@pytest.mark.parametrize("how", ["full", "gone"])
def test_a_place_that_takes_nothing(folder: Path, command: str, code: int, broken: str, how: str) -> None:
    """A full disk (`>/dev/full`) or a reader that has gone (`2>&1 | head -1`) changes no exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    if how == "full":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    with (folder / "shown").open("wb") as shown:
        out = shown.fileno() if broken == "stderr" else writing
        err = shown.fileno() if broken == "stdout" else writing
        ended = begun(folder, command.split(), out, err)()
    os.close(writing)
    assert ended == code
    printed = (folder / "shown").read_bytes()
    assert b"Traceback" not in printed
    assert b"Exception ignored" not in printed


@pytest.mark.parametrize("command", [["run", "m.json"], ["--help"]])
def test_a_log_in_ascii(tmp_path: Path, command: list[str]) -> None:
    """A scorer whose name the log cannot hold is shown escaped."""
    small_batch(tmp_path, scores=["DÖVER=dover.jsonl"])
    ended = subprocess.run(
        [*COMMAND, *command],
        capture_output=True,
        env=environment(PYTHONIOENCODING="ascii"),
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert (rb"D\xd6VER 3/0/0" in ended.stdout) == (command[0] == "run")
