"""The folder `manifests/` as a fresh checkout has it, whatever its manifests have left beside themselves here."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.processes import second_opinion
from tests.support.shared import once

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
LEFT_BEHIND = tuple(
    Path(line).name
    for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)
"""Patterns of the names of what git ignores: what runs leave in `manifests/` is among it."""


def is_left_behind(name: str) -> bool:
    """Whether a file or folder of this name in `manifests/` is what a run has left."""
    return any(fnmatch(name, pattern) for pattern in LEFT_BEHIND)


def shipped_manifests() -> list[Path]:
    """The manifests of a fresh checkout, in order of their names."""
    return sorted(path for path in MANIFESTS.glob("*.json") if not is_left_behind(path.name))


def copy_manifests(to: Path) -> Path:
    """Copy what a fresh checkout has in `manifests/` to the folder `to`, which is made; gives `to`."""
    return Path(
        shutil.copytree(MANIFESTS, to, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)
    )


def copy_demo(to: Path, temporary: pytest.TempPathFactory) -> Path:
    """Copy `manifests/` as `make demo` leaves it, with the impact in full, to the folder `to`, which is made; gives `to`.

    The evidence of the demo takes a while, so the processes of a test run share one demo.
    """
    demo = once(temporary, "demo", _make_demo)
    return Path(shutil.copytree(demo / "manifests", to, dirs_exist_ok=True))


def _make_demo(folder: Path) -> None:
    copy_manifests(folder / "manifests")
    ended = second_opinion(folder, "impact", "manifests/demo.json", "--full", "--workers", "2", timeout=1800)
    assert ended.returncode == 0, ended.stderr
