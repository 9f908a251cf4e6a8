"""The pipeline around a batch that docs/pipelines.md shows: extract, join, report, train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import stamps
from tests.support.checkout import copy_manifests
from tests.support.processes import ROOT, Luigid, Running, luigid, running

TASKS = ("ExtractFeatures", "ExtractedTable", "ExtractedReport", "Retrain")
# The example, whose tasks fail while a file of their name is there.
SABOTAGED = f"""
import retrain_chain
from retrain_chain import HERE, Retrain

def failing(task):
    run = task.run
    def run_or_fail(self):
        if (HERE / f"fail.{{task.__name__}}").exists():
            raise RuntimeError(f"{{task.__name__}} fails")
        run(self)
    task.run = run_or_fail

for name in {TASKS}:
    failing(getattr(retrain_chain, name))
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """The folder of the example in a fresh checkout."""
    copy_manifests(tmp_path / "manifests")
    (tmp_path / "manifests/sabotaged.py").write_text(SABOTAGED, "utf-8")
    return tmp_path / "manifests/chain"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Luigid]:
    """A luigid."""
    with luigid(tmp_path_factory.mktemp("luigid")) as started_server:
        yield started_server


def command(*how: str) -> list[str]:
    """Luigi's own command line, asked for the last task."""
    return [sys.executable, "-m", "luigi", "--module", "sabotaged", "Retrain", "--no-lock", *how]


def path_of(chain: Path) -> str:
    """PYTHONPATH as the page sets it."""
    return f"{ROOT}{os.pathsep}{chain.parent}"


def run(chain: Path, *how: str) -> subprocess.CompletedProcess[str]:
    """Run the chain to its end."""
    with running(chain, *command(*how), PYTHONPATH=path_of(chain)) as process:
        return process.end()


def check_retrained(chain: Path) -> None:
    """The last task has trained on the batch that the report cites."""
    document = json.loads((chain / "retrained.json").read_text("utf-8"))
    assert (document["rows"], document["with_score"]) == (3, 2)
    assert len(document["batch"]) == 64


def test_with_the_local_scheduler(chain: Path) -> None:
    """One command runs the whole chain, and a second one changes nothing."""
    assert run(chain, "--local-scheduler").returncode == 0
    check_retrained(chain)
    before = stamps(chain)
    assert run(chain, "--local-scheduler").returncode == 0
    assert stamps(chain) == before


def test_two_workers_of_a_luigid(chain: Path, server: Luigid) -> None:
    """Two workers that begin at once share the tasks, and the chain is complete when both have ended."""
    how = ("--scheduler-url", server.url, "--worker-keep-alive")
    with (
        running(chain, *command(*how), PYTHONPATH=path_of(chain)) as first,
        running(chain, *command(*how), PYTHONPATH=path_of(chain)) as second,
    ):
        ended: list[Running] = [first, second]
        errors = [each.end().stderr for each in ended]
    assert (chain / "retrained.json").is_file(), errors
    check_retrained(chain)


@pytest.mark.parametrize("failing", TASKS)
def test_after_a_failure(chain: Path, failing: str) -> None:
    """A task that fails ends the command with exit code 1; the next run makes what was left and nothing else."""
    marker = chain / f"fail.{failing}"
    marker.touch()
    assert run(chain, "--local-scheduler").returncode == 1
    assert not (chain / "retrained.json").exists()
    marker.unlink()
    left = {
        name: stamp
        for name, stamp in stamps(chain).items()
        if name in ("features.jsonl", "joined/clips.parquet")
    }
    assert run(chain, "--local-scheduler").returncode == 0
    check_retrained(chain)
    assert {name: stamps(chain)[name] for name in left} == left
