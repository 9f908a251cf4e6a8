"""The crontab line of docs/operating.md, run as cron runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import tree
from tests.support.checkout import copy_manifests
from tests.support.processes import DEADLINE_SECONDS, ROOT

EXAMPLE = "/srv/second-opinion"


def crontab_line() -> str:
    """The first line of the first `cron` block of the page."""
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    block = re.search(r"^```cron\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].splitlines()[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as the page has it: its manifests with their data, its environment in `.venv`."""
    place = tmp_path / "checkout"
    copy_manifests(place / "manifests")
    (place / ".venv").symlink_to(sys.prefix)
    return place


def run_by_cron(command: str, home: Path) -> int:
    """Run a command as cron does: by /bin/sh, at home, with next to no environment. Gives its exit code."""
    bare = {"HOME": str(home), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "nobody"}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], cwd=home, env=bare, timeout=DEADLINE_SECONDS, check=False
    )
    return ended.returncode


def times(folder: Path) -> dict[str, int]:
    """When each file below the folder was last changed."""
    return {name: (folder / name).stat().st_mtime_ns for name in tree(folder)}


def test_the_crontab_line(checkout: Path, tmp_path: Path) -> None:
    """The line of the docs makes the batch and leaves its report; when it comes round again it does nothing."""
    *when, command = crontab_line().split(maxsplit=5)
    assert len(when) == 5
    assert "%" not in command, "cron would end the line there"
    home = tmp_path / "home"
    home.mkdir()
    command = command.replace(EXAMPLE, str(checkout))
    assert run_by_cron(command, home) == 0
    (report,) = (checkout / "manifests").glob("*.report.json")
    assert json.loads(report.read_bytes())["status"] == "ok"
    before = times(checkout / "manifests")
    assert run_by_cron(command, home) == 0
    assert times(checkout / "manifests") == before
    assert tree(home) == {}
