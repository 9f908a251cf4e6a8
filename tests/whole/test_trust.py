"""What is read is data: nothing runs it, and nothing listens where others reach it unless someone says so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.manifest.batch import load_manifest
from pipeline.tasks.graph import BatchReport
from tests.support.builders import small_batch

PACKAGE = Path(pipeline.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "luigi.cfg", *(ROOT / "docs").glob("*.md")]
)
# modules that make objects, and so run code, of what they read; or run a text by themselves
RUNNING_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
    "code",
    "subprocess",
    "pty",
}
RUNNING_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "read_pickle", "to_pickle"}
RUNNING_FLAGS = {"allow_pickle", "shell"}
STARTING = {"storage/objects/client.py": ["subprocess"]}
"""The one module that starts a program: a file of the package, as obstore does not survive a fork."""

LUIGID = re.compile(r"(?:^|[/ =`])luigid (-[^\n`]*)", re.MULTILINE)


def runs(tree: ast.AST) -> Iterator[str]:
    """What in a module could run what was read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.partition(".")[0] in RUNNING_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in RUNNING_MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in RUNNING_CALLS or (name.rpartition(".")[2] in RUNNING_CALLS and name != "re.compile"):
                yield name
            yield from (str(each.arg) for each in node.keywords if each.arg in RUNNING_FLAGS)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_runs_what_it_reads(source: Path) -> None:
    """No module unpickles, evaluates or runs a text, nor starts a program but one of the package's own."""
    expected = STARTING.get(source.relative_to(PACKAGE).as_posix(), [])
    assert list(runs(ast.parse(source.read_text("utf-8")))) == expected


def test_the_program_that_is_started_is_fixed() -> None:
    """It is started once, by this Python, from the package, and gets no more than the number of a socket."""
    tree = ast.parse((PACKAGE / "storage/objects/client.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    started = [node for node in calls if ast.unparse(node.func).startswith("subprocess.")]
    assert [ast.unparse(node.args[0]) for node in started] == [
        "[sys.executable, '-P', str(_HELPER), str(theirs.fileno())]"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from yaml import load",
        "eval(x)",
        "np.load(x, allow_pickle=True)",
        "pd.read_pickle(x)",
        "os.system(x)",
    ],
)
def test_what_runs_is_seen(text: str) -> None:
    """Each way to run what was read is one that the rule above would find."""
    assert len(list(runs(ast.parse(text)))) == 1


def test_luigid_listens_on_loopback() -> None:
    """Every luigid that the docs start listens on the loopback address, and one of them says why."""
    found = {page.name: LUIGID.findall(page.read_text("utf-8")) for page in PAGES}
    commands = [command for each in found.values() for command in each]
    assert commands
    assert [command for command in commands if "--address 127.0.0.1" not in command] == []
    said = (ROOT / "docs/operating.md").read_text("utf-8")
    assert "luigid has no authentication" in said


def test_the_visualiser_is_told_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Luigi's visualiser shows of a table's progress, which it takes for HTML, has no tag of a file's name."""
    monkeypatch.setattr("pipeline.tasks.graph._MESSAGE_SECONDS", -1.0)
    manifest = small_batch(tmp_path, scores=["dover=<b>dover.jsonl"])
    (tmp_path / "dover.jsonl").rename(tmp_path / "<b>dover.jsonl")
    (task,) = BatchReport.of(load_manifest(manifest)).requires()
    said: list[str] = []
    monkeypatch.setattr(task, "set_status_message", said.append)
    monkeypatch.setattr(task, "set_progress_percentage", lambda _: None)
    task.run()
    assert "reading &lt;b&gt;dover.jsonl" in said
    assert [each for each in said if "<" in each] == []
