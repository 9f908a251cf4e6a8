"""The README and the docs say what is so: their commands run, their output is the real one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
# What .ci/run itself runs, this test among it.
RUN_BY_CI = ("make test", "make demo")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> str:
    """The shell commands on a page, in order, without those that CI runs by itself."""
    lines = "".join(blocks(page, "sh")).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(RUN_BY_CI))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a fresh checkout holds, as far as commands in the docs name it."""
    for name in ("pipeline", "manifests", "luigi.cfg"):
        source = ROOT / name
        ignored = shutil.ignore_patterns("joined", "*.report.*", "*.run-log.jsonl", ".*", "__pycache__")
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def run(argv: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program with the environment's commands on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        argv,
        cwd=folder,
        env=os.environ | {"PATH": path},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_runs(page: Path, checkout: Path) -> None:
    """Every shell command on a page runs in a fresh checkout, in the page's order, and succeeds."""
    ended = run(["bash", "-e"], checkout, commands(page))
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_every_python_block_runs(page: Path, checkout: Path) -> None:
    """Every Python block on a page runs in a fresh checkout, after the page's shell commands."""
    run(["bash", "-e"], checkout, commands(page))
    for block in blocks(page, "python"):
        ended = run([sys.executable, "-W", "error", "-"], checkout, block)
        assert ended.returncode == 0, ended.stderr


def test_ci_runs_the_commands_of_the_readme() -> None:
    """The two commands at the top of the README are the ones that CI runs."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    top = blocks(ROOT / "README.md", "sh")[0]
    assert [command for command in RUN_BY_CI if command in ci and command in top] == list(RUN_BY_CI)


def test_readme_shows_the_real_output_of_the_demo(checkout: Path) -> None:
    """The README's picture of the demo's end is what the demo prints, but for digests and blanks at line ends."""
    ended = run(["second-opinion", "run", "manifests/demo.json"], checkout)
    shown = blocks(ROOT / "README.md", "text")[0].split("Joined tables")[0]
    assert _comparable(shown) == _comparable(ended.stdout)


def test_readme_shows_a_manifest_that_runs() -> None:
    """The manifest in the README is the file it names."""
    assert blocks(ROOT / "README.md", "json")[0] == (ROOT / "manifests" / "first.json").read_text("utf-8")


def test_links_lead_somewhere() -> None:
    """Every relative link of a page names a file of the project."""
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def _comparable(text: str) -> list[str]:
    lines = (re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", line.rstrip()) for line in text.splitlines())
    return [line for line in lines if line]
