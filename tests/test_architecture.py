"""How the modules stand to each other: imports point one way, and each duty has one home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent
# From top to bottom: a module imports only what stands below it. Modules on one line import none of each other.
LAYERS = (
    ("__main__",),
    ("evidence.run", "evidence.telling"),
    ("console", "run", "status", "flags"),
    ("starter",),
    ("starter.draft",),
    ("starter.discovery", "starter.proposal"),
    ("starter.globs", "starter.grouping", "starter.maps"),
    ("starter.clips",),
    ("starter.sources",),
    ("starter.meeting",),
    ("starter.cuts",),
    ("starter.setting", "starter.names", "starter.inspection"),
    ("starter.sampling",),
    ("starter.fields",),
    ("starter.samples",),
    ("preview",),
    ("evidence.tasks",),
    ("evidence.work",),
    ("evidence.page",),
    ("evidence.chapters",),
    ("evidence.figures",),
    ("evidence.svg",),
    ("evidence.reading", "evidence.standing"),
    ("evidence.ledger",),
    ("evidence.audit", "evidence.auditmarkdown"),
    ("evidence.impact", "evidence.impactmarkdown"),
    ("evidence.arms",),
    ("evidence.protocol",),
    ("evidence.findings", "evidence.association", "evidence.plots"),
    ("evidence.baseline", "evidence.signals"),
    ("evidence.models",),
    ("evidence.folds", "evidence.metrics"),
    ("evidence.resampling",),
    ("evidence.correlations", "evidence.families"),
    ("evidence.numerals",),
    ("evidence", "evidence.documents", "evidence.table"),
    ("runlog", "scheduling", "lock", "verification"),
    ("localscheduler", "interruption"),
    ("tasks",),
    ("targets",),
    ("freshness",),
    ("markdown",),
    ("report",),
    ("receipts",),
    ("materializer",),
    ("matching",),
    ("provenance", "coverage"),
    ("join",),
    ("alternatives", "duplicates"),
    ("sharing", "sidecars"),
    ("blocks",),
    ("scorerows",),
    ("rows",),
    ("columnrows", "delimitedrows", "shapes"),
    ("fields",),
    ("numbers",),
    ("tables",),
    ("tables.registry",),
    ("tables.extension",),
    ("tables.parquetsink",),
    ("tables.delimited", "tables.jsonrows", "tables.parquet"),
    ("tables.kinds", "tables.schemaentries"),
    (
        "tables.footer",
        "tables.forms",
        "tables.inference",
        "tables.beginning",
        "tables.cells",
        "tables.pandasentry",
    ),
    ("tables.base", "tables.thrift"),
    ("tables.views",),
    ("outcome",),
    ("snapshots",),
    ("manifest",),
    ("entries",),
    ("declarations", "schema", "keys", "places", "dialect"),
    ("options", "patterns", "texts", "fieldpaths"),
    ("files", "jsontext", "crew", "escaping"),
    ("formats", "errors"),
    ("__init__",),
)
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed, by its name below the package."""
    return {_name(path): ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


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


def _own(dotted: str) -> str | None:
    """The module of the package that an import reaches; None: it reaches outside."""
    package, _, name = dotted.partition(".")
    if package != "pipeline":
        return None
    while name and name not in RANK:
        name = name.rpartition(".")[0]
    return name or "__init__"


MODULES = modules()


def test_every_module_has_its_layer() -> None:
    """No module stands outside the order, and the order names none that is not there."""
    assert set(RANK) == set(MODULES)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__"}))
def test_imports_point_downwards(module: str) -> None:
    """A module imports only from layers below its own, inside functions too, so that no circle can arise."""
    reached = {own for dotted in imported(MODULES[module]) if (own := _own(dotted)) is not None}
    upwards = {own for own in reached - {module} if RANK[own] <= RANK[module]}
    assert upwards == set()


def test_only_the_tasks_and_targets_know_luigi() -> None:
    """Luigi is the scheduler and nothing else: what joins tables works without it."""
    knowing = {name for name, tree in MODULES.items() if _imports(tree, "luigi")}
    assert knowing == {"scheduling", "localscheduler", "tasks", "targets", "evidence.tasks"}


def test_no_module_knows_a_scorer_or_pandas() -> None:
    """The project joins tables: it imports no model, no tensor library, and reads tables without pandas."""
    known = {dotted.partition(".")[0] for tree in MODULES.values() for dotted in imported(tree)}
    assert known.isdisjoint({"torch", "tensorflow", "onnxruntime", "cv2", "pyiqa", "transformers", "pandas"})


def test_only_the_command_line_prints() -> None:
    """A library function returns what it has to say; only `__main__` writes it out."""
    printing = {name for name, tree in MODULES.items() for node in ast.walk(tree) if _prints(node)}
    assert printing == {"__main__"}


def test_the_public_names_are_exact_and_there() -> None:
    """`pipeline.__all__` lists all that the package offers, sorted, and each name can be imported."""
    assert pipeline.__all__ == [
        "JoinOptions",
        "SecondOpinionError",
        "__version__",
        "batch_status",
        "load_manifest",
        "materialize",
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
