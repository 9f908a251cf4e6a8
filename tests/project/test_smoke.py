"""A release is tried as it is installed, away from the checkout."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.builders import write_text
from tools.smoke import smoke


def _script(path: Path, body: str) -> Path:
    write_text(path, f"#!/bin/sh\n{body}\n").chmod(0o755)
    return path


def test_an_installed_command_that_works() -> None:
    """The demo's batch is run, audited and verified in a folder of its own, by the command that is installed."""
    smoke(Path(sys.executable).with_name("second-opinion"))


def test_an_installed_command_that_does_not_work(tmp_path: Path) -> None:
    """What fails is named, with what it printed; the checkout is not on its path."""
    body = 'test "$1" = run || exit 0\necho "no such thing$PYTHONPATH"; exit 3'
    with pytest.raises(SystemExit, match=r"command run demo\.json: exit code 3\nno such thing\n"):
        smoke(_script(tmp_path / "command", body))
