"""The order of the rooms, who may import whom, and how large anything may be."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent

ROOMS = (
    "cli",
    "evidence",
    "starter",
    "tasks",
    "lineage",
    "report",
    "join",
    "records",
    "manifest",
    "storage",
    "errors",
    "alias",
)
"""From top to bottom: a room imports from itself and from those below it."""

MAX_ENTRIES, MAX_LINES, MAX_FUNCTION_LINES = 12, 350, 45
KNOWING_LUIGI = {
    "tasks.scheduling",
    "tasks.shards",
    "tasks.luigi_internals",
    "tasks.graph",
    "tasks.inputs",
    "tasks.lineage_events",
    "tasks.shared",
    "tasks.targets",
    "evidence.tasks",
}

KNOWING_PANDAS = {"join.frames", "report.opened", "report.comparison", "report.drift"}

FILE_CALLS = {
    "absolute", "access", "chmod", "exists", "expanduser", "fdopen", "fsync", "getsize", "glob", "hardlink_to", "input_stream",
    "is_dir", "is_file", "is_symlink", "isdir", "isfile", "islink", "iterdir", "lexists", "link", "listdir", "lstat",
    "makedirs", "memory_map", "mkdir", "open", "OSFile", "output_stream", "read_bytes", "read_text", "readlink", "realpath",
    "rename", "resolve", "rglob", "rmdir", "samefile", "scandir", "stat", "symlink_to", "touch", "unlink", "utime",
    "walk", "write_bytes", "write_text", "ParquetFile", "ParquetWriter",
}  # fmt: skip
"""What Path, os, os.path and pyarrow call what they do to a file or folder."""

FILE_MODULES = {"fcntl", "fileinput", "glob", "mmap", "shutil", "tempfile"}

FILE_CALLS_ELSEWHERE = {
    ("alias", "os.path.realpath"): "the folders that the import system found, before any room is imported",
    ("cli", "os.open"): "the null device, which takes the place of a closed standard output",
    ("starter", "self.features.open"): "a function of this project, which opens a table by its reader",
    ("join", "pq.ParquetFile"): "pyarrow reads columns without Python's lock if it opens the file itself",
    ("join", "pq.ParquetWriter"): "likewise; it writes to memory, or to a temporary file of storage",
}
"""Calls outside storage/ that look like operations on a path, each with the reason why it is there."""


def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed, by its name below the package; relative imports are made absolute."""
    return {_name(path): _parsed(path) for path in sorted(ROOT.rglob("*.py"))}


def _parsed(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text("utf-8"))
    package = path.relative_to(ROOT.parent).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level or (node.module or "").partition(".")[0] != ROOT.name, (
                f"{path}: import it relatively"
            )
            above = package[: len(package) - node.level + 1] if node.level else ()
            node.module, node.level = ".".join([*above, *filter(None, [node.module])]), 0
    return tree


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(node: ast.AST) -> Iterator[str]:
    """Dotted names of all that is imported anywhere below `node`, but for type checkers only."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for below in ast.iter_child_nodes(node):
        yield from imported(below)


MODULES = modules()
STORAGE = {name.removeprefix("storage.") for name in MODULES if name.startswith("storage.")}
SMALLER = sorted(set(MODULES) - {"__init__", "__main__"})


def reached(module: str) -> set[str]:
    """The modules of the package that a module imports, inside functions too."""
    found = set()
    for dotted in imported(MODULES[module]):
        package, _, name = dotted.partition(".")
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if package == "pipeline" and name:
            found.add(name)
    return found - {module}


@pytest.mark.parametrize("module", SMALLER)
def test_imports_point_downwards(module: str) -> None:
    """A module imports from its own room and from rooms below it, inside functions too."""
    own = ROOMS.index(module.partition(".")[0])
    upwards = {other for other in reached(module) if ROOMS.index(other.partition(".")[0]) < own}
    assert upwards == set()


def test_no_modules_form_a_circle() -> None:
    """Each module can be read after those that it imports."""
    graph = {module: reached(module) for module in SMALLER}
    assert set(graphlib.TopologicalSorter(graph).static_order()) == set(SMALLER)


@pytest.mark.parametrize("room", sorted({path.parent for path in ROOT.rglob("*.py")} - {ROOT}), ids=_name)
def test_a_room_has_a_face(room: Path) -> None:
    """A room says what it is for, lists what is in it, and is small enough to take in at a look."""
    face = ast.parse((room / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(face)
    entries = {path.stem for path in room.glob("*.py")} | {
        path.parent.name for path in room.glob("*/__init__.py")
    }
    assert len(entries) <= MAX_ENTRIES
    listed = [
        node
        for node in face.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert listed, "the face has no __all__"


def test_files_and_functions_are_short() -> None:
    """No file is above 350 lines, no function above 45."""
    long_files = [
        path.name for path in ROOT.rglob("*.py") if len(path.read_text("utf-8").splitlines()) > MAX_LINES
    ]
    assert long_files == []
    long_functions = [
        f"{module}.{node.name}"
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long_functions == []


def test_only_the_tasks_know_luigi() -> None:
    """Luigi is the scheduler and nothing else: what joins tables works without it."""
    assert {name for name, tree in MODULES.items() if _imports(tree, "luigi")} == KNOWING_LUIGI


def test_no_module_knows_a_scorer() -> None:
    """The project joins tables: it imports no model and no tensor library."""
    known = {dotted.partition(".")[0] for tree in MODULES.values() for dotted in imported(tree)}
    assert known.isdisjoint({"torch", "tensorflow", "onnxruntime", "cv2", "pyiqa", "transformers"})


def test_only_what_gives_or_takes_frames_knows_pandas() -> None:
    """Tables are joined without pandas: importing it takes longer than joining a small table."""
    assert {name for name, tree in MODULES.items() if _imports(tree, "pandas")} == KNOWING_PANDAS


def test_only_the_command_line_prints() -> None:
    """A library function returns what it has to say; only the command line writes it out."""
    printing = {name for name, tree in MODULES.items() for node in ast.walk(tree) if _prints(node)}
    assert printing == {"cli.printing"}


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "storage"])
def test_only_storage_touches_files(room: str) -> None:
    """Only storage/ opens, lists, renames or removes files: another place for bytes is one more file in that room."""
    trees = [tree for name, tree in MODULES.items() if name.partition(".")[0] == room]
    assert not {name for name in FILE_MODULES for tree in trees if _imports(tree, name)}
    found = {ast.unparse(node) for tree in trees for node in ast.walk(tree) if _touches_files(node)}
    assert found == {call for name, call in FILE_CALLS_ELSEWHERE if name == room}


@pytest.mark.parametrize(
    "call",
    [
        "open(p)",
        "p.stat()",
        "p.replace(q)",
        "os.remove(p)",
        "map(Path.exists, p)",
        "os.path.realpath(p)",
        "pa.OSFile(p)",
    ],
)
def test_calls_that_touch_files_are_recognised(call: str) -> None:
    """The test above sees a call by its name, whatever it is called on, and a function that is passed on."""
    assert any(map(_touches_files, ast.walk(ast.parse(call))))


@pytest.mark.parametrize(
    "call", ["text.replace(a, b)", "filenames.exists(p)", "kinds.remove(k)", "replace(e, id=i)"]
)
def test_calls_that_touch_no_files_are_recognised(call: str) -> None:
    """Texts and lists have functions of the same names; functions of storage/ are the way to go."""
    assert not any(map(_touches_files, ast.walk(ast.parse(call))))


def test_the_public_names_are_exact_and_there() -> None:
    """`pipeline.__all__` lists all that the package offers, sorted, and each name can be imported."""
    assert pipeline.__all__ == [
        "BatchReport",
        "InputFile",
        "JoinOptions",
        "JoinedTable",
        "RetrainImpact",
        "SecondOpinionError",
        "SignalMixAudit",
        "__version__",
        "batch_status",
        "cite",
        "diff",
        "join_frame",
        "load_manifest",
        "materialize",
        "open_batch",
        "run_batch",
        "verify",
    ]
    named = {name: getattr(pipeline, name) for name in pipeline.__all__ if name != "__version__"}
    assert {name: thing.__name__ for name, thing in named.items()} == {name: name for name in named}


def test_a_name_that_the_package_has_not_is_an_attribute_error() -> None:
    """Names that are imported when first used do not hide a misspelled one."""
    with pytest.raises(AttributeError, match="module 'pipeline' has no attribute 'materialise'"):
        _ = pipeline.materialise


def _imports(tree: ast.Module, package: str) -> bool:
    return any(dotted.partition(".")[0] == package for dotted in imported(tree))


def _prints(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "click.echo", "click.secho")


def _touches_files(node: ast.AST) -> bool:
    """Whether a node calls, or passes on, an operation on a path; a function of storage/ is none."""
    if isinstance(node, ast.Name):
        return node.id == "open"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
        return len(node.args) == 1 and not node.keywords  # a path's; a text's takes two texts
    if not isinstance(node, ast.Attribute):
        return False
    owner = ast.unparse(node.value)
    if owner in STORAGE or "resources.files(" in owner:  # a file of the package may be in an archive
        return False
    return node.attr in FILE_CALLS or f"{owner}.{node.attr}" in ("os.remove", "os.replace")
