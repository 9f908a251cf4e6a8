"""The examples of `--help` can be typed as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli.commands import cli
from tests.support.builders import clips, write_jsonl
from tests.support.checkout import copy_demo
from tests.support.processes import environment


def examples(command: click.Command) -> list[str]:
    """The command lines that the help of a command shows, those that run on in one piece."""
    shown = command.get_help(click.Context(command, info_name="second-opinion"))
    return re.findall(r"^ +(second-opinion (?:.*\\\n)*.*)$", shown, re.MULTILINE)


def every_example() -> Iterator[str]:
    """The examples of the command itself, then of each command below it."""
    yield from examples(cli)
    for command in cli.commands.values():
        yield from examples(command)


@pytest.fixture
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, and small files under the names that the examples use."""
    copy_demo(tmp_path / "manifests", tmp_path_factory)
    for place in (tmp_path, tmp_path / "corpora"):
        write_jsonl(place / "dover.jsonl", clips("c0", "c1", score=1))
        pq.write_table(pa.table({"clip_id": ["c0", "c1"], "f": [0.5, 1.5]}), place / "clips.parquet")
    return tmp_path


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_an_example_of_itself(name: str) -> None:
    """The help of each command shows how to type it."""
    assert any(each.split()[1] == name for each in examples(cli.commands[name]))


def test_every_example_runs(folder: Path) -> None:
    """All examples succeed, typed one after another where the files that they name are."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    ended = subprocess.run(
        ["bash", "-ex"],
        cwd=folder,
        env=environment(PATH=path),
        input="\n".join(every_example()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
