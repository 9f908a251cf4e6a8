"""The README and the docs say what is so: their commands run, their output is the real one."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.checkout import copy_demo, copy_manifests
from tests.support.processes import ROOT, free_port, running, until
from tests.tasks.test_cron import EXAMPLE, crontab_line

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
# What .ci/run itself runs, this test among it.
RUN_BY_CI = ("make test", "make demo")
# What no test runs, by the beginning of its line.
LEFT_OUT = (
    *RUN_BY_CI,  # `make test-lowest` among it, which runs this test under other versions
    "make demo-hosts",  # tests/whole/test_hosts.py runs what it runs
    "make bench",  # minutes; the benchmarks that it runs are tried below, at tiny sizes
    "mkdir /sys/fs/cgroup/",  # the superuser's, and only where there is a cgroup of version 1
    "echo 3000000000 >",  # the same
)
PROGRAMS = re.compile(r"(second-opinion|luigid?|make|python|pip|mkdir|echo|\.|cd|cp) ")
# Sizes that make any benchmark short.
TINY = {
    "join": "--rows 1000 --columns 3 --scorers 2 --runs 1",
    "small": "--rows 1000 --columns 3 --scorers 2 --runs 1",
    "audit": "--rows 1000 --columns 3 --scorers 2 --runs 1",
    "frames": "--clips 20 --frames 3 --runs 1",
    "groups": "--groups 20 --columns 3 --runs 1",
    "growth": "--rows 1000 2000 --scorers 1 2 --scorers-rows 1000 --columns 3 6 --columns-rows 1000 "
    "--tables 2 4 --runs 1",
    "coverage": "--tables 1 --designs 1",
    "noop": "--tables 2 --megabytes 0.1 --runs 1",
    "luigid_overhead": "--tables 2 --runs 1",
    "large": "--rows 1000 --columns 3 --runs 1",
    "shards": "--shards 3 --rows 1000 --columns 3 --scorers 2 --runs 1",
    "together": "--tables 2 --rows 1000 --columns 3 --scorers 2 --runs 1",
    "shapes": "--scale 0.002 --runs 1",
    "objects": "--rows 1000 --columns 3 --scorers 2 --runs 1",
}


class Fence(NamedTuple):
    """A block of commands on a page, and the `text` block that stands right behind it: what it prints."""

    language: str
    body: str
    shown: str | None


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def fences(page: Path) -> list[Fence]:
    """The shell and Python blocks of a page, in order, without the lines that are left out."""
    pattern = r"^```(sh|python)\n(.*?)^```\n(?:(?=\n```text\n(.*?)^```)|)"
    found = re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    read = (Fence(language, _kept(body), shown or None) for language, body, shown in found)
    return [fence for fence in read if fence.body]


def _kept(body: str) -> str:
    return "".join(line for line in body.splitlines(keepends=True) if not line.startswith(LEFT_OUT))


def workers_of_a_luigid() -> list[str]:
    """The commands that docs/operating.md shows for a luigid and its worker."""
    (block,) = (each for each in blocks(ROOT / "docs" / "operating.md", "text") if each.startswith("luigid "))
    return block.splitlines()


def benchmarks() -> list[str]:
    """The benchmarks that a page names, in a block or in a line, with their arguments."""
    pattern = r'python -m benchmarks\.(\w+(?: (?:[-\w]+|"[^"]*"))*)'
    return sorted({found for page in PAGES for found in re.findall(pattern, page.read_text("utf-8"))})


def units() -> list[str]:
    """What the systemd units on the pages start."""
    started = []
    for page in PAGES:
        for block in blocks(page, "ini"):
            unit = configparser.ConfigParser(interpolation=None)
            unit.read_string(block)
            started.append(unit["Service"]["ExecStart"])
    return started


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a fresh checkout holds, as far as commands in the docs name it."""
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "luigi.cfg", tmp_path)
    copy_manifests(tmp_path / "manifests")
    return tmp_path


@pytest.fixture
def checkout_with_demo(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after `make demo`, which is the README's first command."""
    copy_demo(checkout / "manifests", tmp_path_factory)
    return checkout


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


@pytest.mark.parametrize("page", [page for page in PAGES if fences(page)], ids=lambda page: page.name)
def test_every_command_runs_and_prints_what_the_page_shows(page: Path, checkout_with_demo: Path) -> None:
    """Every shell and Python block runs after `make demo`, in the page's order; a `text` block behind is its output."""
    for fence in fences(page):
        if fence.language == "sh":
            ended = run(["bash", "-e"], checkout_with_demo, f"exec 2>&1\n{fence.body}")
        else:
            ended = run([sys.executable, "-W", "error", "-"], checkout_with_demo, fence.body)
        assert ended.returncode == 0, f"{fence.body}{ended.stdout}{ended.stderr}"
        if fence.shown is not None:
            printed = "\n".join(_comparable(ended.stdout))
            assert re.fullmatch(_as_shown(fence.shown), printed), f"{fence.shown}\nis not\n{printed}"


def test_no_command_goes_unproved() -> None:
    """What looks like a command in a block of output is run below or left out; a crontab line is tested by itself."""
    output = [block for page in PAGES for kind in ("text", "console") for block in blocks(page, kind)]
    lines = [line for block in output for line in block.splitlines()]
    commands = [line for line in lines if PROGRAMS.match(line) and not line.startswith(LEFT_OUT)]
    assert [
        line for line in commands if not line.startswith("python -m benchmarks.")
    ] == workers_of_a_luigid()
    assert [block.strip() for page in PAGES for block in blocks(page, "cron")] == [crontab_line()]


@pytest.mark.parametrize(
    ("luigid", "worker"), [workers_of_a_luigid(), units()], ids=["by hand", "as systemd units"]
)
def test_workers_of_a_luigid(luigid: str, worker: str, checkout: Path) -> None:
    """The luigid of the docs answers, and the worker beside it makes the batch."""
    port = free_port()
    places = {
        f"{EXAMPLE}/.venv/bin": str(Path(sys.executable).parent),
        EXAMPLE: str(checkout),
        "/var/log/second-opinion": str(checkout),
        "/var/lib/second-opinion": str(checkout),
        "8082": str(port),
        "run m.json": "run manifests/first.json",
    }
    for shown, real in places.items():
        luigid, worker = luigid.replace(shown, real), worker.replace(shown, real)
    bin_folder = str(Path(sys.executable).parent)
    with running(
        checkout, *shlex.split(luigid), PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    ) as server:
        until(lambda: not server.runs or _listens(port), "a luigid that listens")
        ended = run(shlex.split(worker), checkout)
    assert ended.returncode == 0, ended.stderr
    assert (checkout / "manifests" / "first.report.json").is_file()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("command", benchmarks())
def test_every_benchmark_of_the_docs_runs(command: str) -> None:
    """A benchmark that a page names runs with the arguments it is given there, at tiny sizes."""
    for name in ("duckdb", "orjson", "polars"):
        pytest.importorskip(name, reason="the extra `bench` is not installed: make bench")
    name, *arguments = shlex.split(command)
    ended = run([sys.executable, "-m", f"benchmarks.{name}", *arguments, *TINY[name].split()], ROOT)
    assert ended.returncode == 0, ended.stderr


def test_no_block_is_of_a_kind_that_no_test_looks_at() -> None:
    """Each block of a page is one of commands or a program, of configuration, of output, or shows a file."""
    kinds = {
        kind for page in PAGES for kind in re.findall(r"^```(.+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    assert kinds <= {"sh", "python", "py", "cron", "ini", "text", "console", "json"}


def test_ci_runs_the_commands_of_the_readme() -> None:
    """The two commands at the top of the README are the ones that CI runs."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    top = blocks(ROOT / "README.md", "sh")[0]
    assert [command for command in RUN_BY_CI if command in ci and command in top] == list(RUN_BY_CI)


def test_readme_shows_the_real_output_of_the_demo(checkout: Path) -> None:
    """The README's picture of the demo's end is what the demo prints, but for digests and blanks at line ends."""
    ended = run(["second-opinion", "run", "manifests/demo.json"], checkout)
    shown = blocks(ROOT / "README.md", "text")[0].split("Joined tables")[0]
    assert re.fullmatch(_as_shown(shown), "\n".join(_comparable(ended.stdout)))


def test_readme_shows_nothing_that_every_change_makes_wrong() -> None:
    """No digest, count of tests or time stands in the README's pictures of its first two commands."""
    start = (ROOT / "README.md").read_text("utf-8").split("\n## ")[0]
    assert re.findall(r"[0-9a-f]{16,}|\d+ (?:passed|skipped|source files|files already)", start) == []


def test_readme_shows_a_manifest_that_runs() -> None:
    """The manifest in the README is the file it names."""
    assert blocks(ROOT / "README.md", "json")[0] == (ROOT / "manifests" / "first.json").read_text("utf-8")


def test_pipelines_shows_the_files_it_names() -> None:
    """The programs on docs/pipelines.md are the files of manifests/ that it names, whole."""
    shown = blocks(ROOT / "docs" / "pipelines.md", "py")
    assert shown == [
        (ROOT / "manifests" / name).read_text("utf-8") for name in ("retrain.py", "retrain_chain.py")
    ]


def test_links_lead_somewhere() -> None:
    """Every relative link of a page names a file of the project, and a heading where it names one."""
    for page in PAGES:
        for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
            target = page.parent / link if link else page
            assert target.exists(), f"{page.name}: {link}"
            assert not heading or heading in _headings(target), f"{page.name}: {link}#{heading}"


def _headings(page: Path) -> Iterator[str]:
    for title in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _comparable(text: str) -> list[str]:
    lines = (re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", line.rstrip()) for line in text.splitlines())
    return [line for line in lines if line]


def _as_shown(text: str) -> str:
    """A pattern of what a page shows: a line of `...` stands for any lines, `…` for any part of one."""
    lines = (re.escape(line).replace("…", ".*") for line in _comparable(text))
    return "\n".join(r"[\s\S]*" if line == re.escape("...") else line for line in lines)
