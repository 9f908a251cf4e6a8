"""What is not released yet is in fragments that towncrier reads."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import write_text
from tests.support.processes import ROOT

FRAGMENTS = ROOT / "changelog.d"
NAME = r"\+[a-z0-9-]+\.(added|changed|fixed)\.md"
MAX_COLUMNS = 125


def faults(fragment: Path) -> Iterator[str]:
    """What is wrong with a fragment, if anything."""
    text = fragment.read_text("utf-8")
    if not re.fullmatch(NAME, fragment.name):
        yield f"{fragment.name}: expected a name like +subject.added.md (added, changed or fixed)"
    if not text.strip() or re.match(r"\s*[-*#]", text):
        yield f"{fragment.name}: expected the text of one entry, without a bullet or heading"
    if not text.endswith("\n") or max(map(len, text.splitlines()), default=0) > MAX_COLUMNS:
        yield f"{fragment.name}: expected lines of at most {MAX_COLUMNS} characters, the last one ended"


def test_fragments_are_well_formed() -> None:
    """Each fragment is named by its subject and kind, and holds one entry without a bullet."""
    fragments = [path for path in FRAGMENTS.iterdir() if path.name != "README.md"]
    assert [fault for path in fragments for fault in faults(path)] == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("speed.md", "Faster.\n", "expected a name like"),
        ("+speed.feature.md", "Faster.\n", "expected a name like"),
        ("+speed.changed.md", "\n", "expected the text of one entry"),
        ("+speed.changed.md", "* Faster.\n", "expected the text of one entry"),
        ("+speed.changed.md", "Faster.", "expected lines of at most"),
        ("+speed.changed.md", "x" * 126 + "\n", "expected lines of at most"),
    ],
)
def test_a_fragment_that_is_not_well_formed(name: str, text: str, message: str, tmp_path: Path) -> None:
    """A misspelled kind would be left out of the changelog in silence; a bullet would be there twice."""
    assert [message in fault for fault in faults(write_text(tmp_path / name, text))] == [True]


def test_a_release_moves_the_fragments_into_the_changelog(tmp_path: Path) -> None:
    """The newest section comes first, under the version, and its fragments are removed; what was there stays."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    write_text(tmp_path / "pipeline" / "__init__.py", '__version__ = "7.8.9"\n')
    write_text(tmp_path / "changelog.d" / "+speed.changed.md", "A run of\nnothing is faster.\n")
    before = (tmp_path / "CHANGELOG.md").read_text("utf-8")
    start, old = before.split("<!-- releases: the newest comes next -->\n")
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--date", "2031-02-03"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    now = (tmp_path / "CHANGELOG.md").read_text("utf-8")
    assert now.startswith(start)
    assert now.endswith(old)
    added = "## 7.8.9 (2031-02-03)\n\n### Changed\n\n- A run of\n  nothing is faster.\n"
    assert added in now.removesuffix(old)
    assert list((tmp_path / "changelog.d").iterdir()) == []
