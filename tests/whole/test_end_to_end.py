"""The real command, and Luigi's own, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import lasting, small_batch, tree, write_jsonl, write_manifest
from tests.support.forks import forked
from tests.support.processes import FRESH, FRESH_LUIGI, running, started, until, writers


def second_opinion(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the project's command in `folder`."""
    return started(folder, *FRESH, *arguments)


def luigi(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Luigi's own command line in `folder`."""
    return started(folder, *FRESH_LUIGI, "--local-scheduler", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch `m.json` of three tables in three formats with their audits."""
    place = tmp_path / "one"
    small_batch(place, rows=50)
    tables = [
        {
            "id": form,
            "features": "features.jsonl",
            "scores": ["dover=dover.jsonl"],
            "out": f"out/t.{form}",
            "audit_json": f"out/{form}.audit.json",
        }
        for form in ("parquet", "csv.gz", "jsonl.zst")
    ]
    write_manifest(place / "m.json", tables)
    return place


def test_the_same_bytes_anywhere(folder: Path) -> None:
    """Two runs in two folders with different worker counts leave the same bytes, and print the same digest."""
    other = Path(shutil.copytree(folder, folder.parent / "two" / "deeper"))
    one = second_opinion(folder, "run", "m.json", "--workers", "1")
    two = second_opinion(other, "run", "m.json", "--workers", "2")
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert lasting(folder) == lasting(other)
    assert len(lasting(folder)) == 3 + 6 + 2
    assert one.stdout.splitlines()[-1] == two.stdout.splitlines()[-1]


def test_the_replay_of_a_report(folder: Path) -> None:
    """The canonical command of a report, run on a copy of the inputs, makes the same bytes and prints the same digest."""
    manifest = folder / "sets" / "m.json"
    manifest.parent.mkdir()
    (folder / "m.json").rename(manifest)
    copy = Path(shutil.copytree(folder, folder.parent / "copy"))
    first = second_opinion(folder.parent, "run", str(manifest), "--base-dir", str(folder))
    argv = json.loads((manifest.parent / "m.report.json").read_bytes())["run_provenance"]["argv"]
    assert argv[0] == "second-opinion"
    again = second_opinion(copy, *argv[1:])
    assert (first.returncode, again.returncode) == (0, 0)
    assert lasting(copy) == lasting(folder)
    assert again.stdout.splitlines()[-1] == first.stdout.splitlines()[-1]


def test_luigis_own_command_line(folder: Path) -> None:
    """Luigi's command line makes the same bytes as `second-opinion run`, and exits 0."""
    other = Path(shutil.copytree(folder, folder.parent / "two"))
    assert second_opinion(folder, "run", "m.json").returncode == 0
    ended = luigi(other, "second_opinion.BatchReport", "--manifest", "m.json")
    assert ended.returncode == 0, ended.stderr
    assert lasting(other) == lasting(folder)
    again = luigi(other, "second_opinion.BatchReport", "--manifest", "m.json")
    assert "1 complete ones were encountered" in again.stderr


def test_one_table_by_luigis_own_command_line(folder: Path) -> None:
    """A table is a task of its own, which makes that table only."""
    ended = luigi(folder, "second_opinion.JoinedTable", "--manifest", "m.json", "--table", "parquet")
    assert ended.returncode == 0, ended.stderr
    assert set(tree(folder / "out")) == {"t.parquet", "parquet.audit.json"}


def test_luigis_return_codes(folder: Path) -> None:
    """With the project's `luigi.cfg`, Luigi exits 1 where a table fails, and 2 for an unusable manifest."""
    task = ("second_opinion.BatchReport", "--manifest", "m.json")
    write_jsonl(folder / "dover.jsonl", [{"clip_id": "c0", "score": "good"}])
    failed = luigi(folder, *task)
    assert failed.returncode == 1
    assert "dover.jsonl line 1" in failed.stderr
    assert not (folder / "out").exists()
    (folder / "m.json").write_text("{}")
    unusable = luigi(folder, *task)
    assert unusable.returncode == 2
    assert "m.json: " in unusable.stderr


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("dover.jsonl", 3),
        ("m.json", 2),
    ],
    ids=["an input is not there", "no manifest"],
)
def test_exit_codes(folder: Path, spoil: str, code: int) -> None:
    """The process ends with the documented exit code and a message, never a traceback."""
    (folder / spoil).unlink()
    ended = second_opinion(folder, "run", "m.json")
    assert ended.returncode == code
    assert f"{spoil}: the file is not there yet" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt(folder: Path, workers: str, number: signal.Signals) -> None:
    """An interrupt while tables are written ends with 130 and leaves no file of them; the next run finishes."""
    features = folder / "features.jsonl"
    small = features.read_bytes()
    features.write_bytes(small * 4000)
    with running(folder, *FRESH, "run", "m.json", "--workers", workers) as run:
        until(lambda: writers(run, folder / "out"), "a table that is being written")
        os.killpg(run.pid, number)
        ended = run.end()
    assert ended.returncode == 130
    assert ended.stderr.splitlines()[-1] == "second-opinion: interrupted; nothing is half-written"
    assert "Traceback" not in ended.stderr
    assert tree(folder / "out") == {}
    assert not (folder / "m.report.json").exists()
    features.write_bytes(small)
    assert forked(folder, "run", "m.json").returncode == 0
