"""The package as pip installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.checkout import copy_manifests

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip install .` would install, built from a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "pipeline", source / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(source),
        str(source),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return next(source.glob("*.whl"))


def test_wheel_holds_the_whole_package(wheel: Path) -> None:
    """Every module, schema and template and the mark of a typed package are in the wheel, and nothing else is."""
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = {
        f"second_opinion/{path.relative_to(ROOT / 'pipeline').as_posix()}"
        for path in (ROOT / "pipeline").rglob("*")
        if path.suffix in (".py", ".json", ".typed", ".j2", ".css", ".js")
    }
    assert shipped == source


def test_wheel_puts_the_command_on_the_path(wheel: Path) -> None:
    """The command `second-opinion` comes with the package."""
    archive = zipfile.ZipFile(wheel)
    entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "second-opinion = second_opinion.cli.main:main" in archive.read(entry_points).decode("utf-8")


ONE_COPY = """
import importlib, sys
first, second = sys.argv[1:]
package, again = (importlib.import_module(name) for name in (first, second))
keys, same = (importlib.import_module(f"{name}.join.keys") for name in (first, second))
assert package is again and keys is same and keys.__spec__.name == keys.__name__
assert importlib.import_module(f"{second}.tasks.graph").JoinedTable is package.JoinedTable
assert package.JoinedTable.__module__ == f"{first}.tasks.graph"
"""
FOREIGN = """
import pipeline, second_opinion
assert pipeline.mine and second_opinion.materialize and second_opinion.JoinedTable
import pipeline
assert pipeline.mine
"""
RUN_AS_MAIN = """
import importlib, runpy, sys
first, second = sys.argv[1:]
importlib.import_module(first)
sys.argv = ["second-opinion", "--help"]
runpy.run_module(second, run_name="__main__")
"""
SECOND_FIRST = """
import second_opinion, pipeline
assert pipeline.mine and second_opinion.JoinedTable.__module__ == "second_opinion.tasks.graph"
"""


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's Python with the wheel; what it depends on is that of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    here = [path for path in map(Path, sys.path) if path.name == "site-packages"]
    (packages / "shared.pth").write_text("".join(f"{path}\n" for path in here))
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        f"--target={packages}",
        str(wheel),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder / "bin/python"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of a project that has a module `pipeline` of its own."""
    (tmp_path / "pipeline.py").write_text("mine = True\n")
    return tmp_path


def run(
    python: Path | str, folder: Path, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder that is on its path, as PYTHONPATH=. of Luigi users puts it there."""
    environment = os.environ | {"PYTHONPATH": ".", "LUIGI_CONFIG_PATH": str(ROOT / "luigi.cfg")} | environ
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("program", [FOREIGN, SECOND_FIRST])
def test_a_foreign_pipeline_stays(installed: Path, foreign: Path, program: str) -> None:
    """`import second_opinion` gives the public names beside a foreign module `pipeline`, whichever comes first."""
    ended = run(installed, foreign, "-c", program)
    assert ended.returncode == 0, ended.stderr


def test_the_command_runs_beside_a_foreign_pipeline(installed: Path, foreign: Path) -> None:
    """The installed command makes a batch, and so does Luigi's own by the installed name."""
    copy_manifests(foreign / "manifests")
    ended = run(installed, foreign, "-m", "second_opinion", "run", "manifests/first.json")
    assert ended.returncode == 0, ended.stderr
    script = "from second_opinion.cli.main import main; main()"
    assert run(installed, foreign, "-c", script, "status", "manifests/first.json").returncode == 0
    luigi = ("-m", "luigi", "--module", "second_opinion", "second_opinion.BatchReport", "--local-scheduler")
    ended = run(installed, foreign, *luigi, "--manifest", "manifests/first.json", "--no-lock")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "names", [("pipeline", "second_opinion"), ("second_opinion", "pipeline")], ids=" ".join
)
def test_one_copy_under_two_names(tmp_path: Path, names: tuple[str, str]) -> None:
    """Where both names lead to the checkout, each module and task is there once, whichever name comes first."""
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    (tmp_path / "second_opinion").symlink_to(ROOT / "pipeline")
    ended = run(sys.executable, tmp_path, "-c", ONE_COPY, *names)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "names", [("pipeline", "second_opinion"), ("second_opinion", "pipeline")], ids=" ".join
)
def test_either_name_can_be_run(tmp_path: Path, names: tuple[str, str]) -> None:
    """`runpy` and `python -m` run the command under the other name than the one that is imported."""
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    (tmp_path / "second_opinion").symlink_to(ROOT / "pipeline")
    ended = run(sys.executable, tmp_path, "-c", RUN_AS_MAIN, *names)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Usage: " in ended.stdout
