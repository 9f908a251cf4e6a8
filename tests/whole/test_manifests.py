"""The examples in manifests/: each runs from a fresh checkout, on data that the project can write again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import load_manifest
from pipeline.evidence.state import document_paths, failed_paths
from pipeline.manifest.batch import failed_path
from pipeline.storage.formats import table_format
from tests.support.builders import run_main, tree
from tests.support.checkout import MANIFESTS, copy_manifests, is_left_behind, shipped_manifests
from tools import make_demo


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The folder of examples as a fresh checkout has it."""
    return copy_manifests(tmp_path)


def test_what_runs_leave_is_no_example(examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a run or its evidence leaves beside a manifest, git ignores, and these tests take it for no manifest."""
    assert run_main(capsys, "run", examples / "first.json").code == 0
    batch = load_manifest(examples / "first.json")
    evidence = [path for name in ("audit", "impact", "page") for path in document_paths(batch, name)]
    evidence += [path for kind in ("audit", "impact") for path in failed_paths(batch, kind)]
    failed = [failed_path(batch.report_json), failed_path(batch.report_md)]
    new = {path.name for path in examples.iterdir()} - {
        path.name for path in MANIFESTS.iterdir() if not is_left_behind(path.name)
    }
    assert new >= {
        "joined",
        "first.report.json",
        "first.run-log.jsonl",
        "first.lock",
        ".first.report.json.state",
    }
    assert [
        name for name in (*new, *(path.name for path in (*evidence, *failed))) if not is_left_behind(name)
    ] == []


@pytest.mark.parametrize("name", [path.name for path in shipped_manifests()])
def test_example_runs(name: str, examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every manifest that ships is without fault and makes a complete batch."""
    assert run_main(capsys, "check", examples / name).code == 0
    assert run_main(capsys, "run", examples / name).code == 0
    report = json.loads((examples / name).with_suffix(".report.json").read_text("utf-8"))
    assert report["status"] == "ok"


def test_demo_data_are_what_the_script_writes(tmp_path: Path) -> None:
    """`tools/make_demo.py` writes the demo's data again: text to the byte, compressed text and Parquet to the value."""
    make_demo.main(tmp_path)
    written, shipped = tree(tmp_path), tree(MANIFESTS / "demo")
    assert written.keys() == shipped.keys()
    for name in written:
        if name.endswith(".parquet"):
            assert pq.read_table(tmp_path / name).equals(pq.read_table(MANIFESTS / "demo" / name))
        elif not name.endswith((".gz", ".zst")):
            assert written[name] == shipped[name], name


def test_demo_is_small() -> None:
    """The demo's data stay well under one megabyte."""
    assert sum(map(len, tree(MANIFESTS / "demo").values())) < 500_000


def test_demo_uses_every_table_format() -> None:
    """Every format of a feature table or joined table, and both compressions, are in use."""
    batch = load_manifest(MANIFESTS / "demo.json")
    paths = [path for table in batch.tables for path in (table.features.path, table.out)]
    assert {table_format(path) for path in paths} == {"parquet", "jsonl", "json", "csv", "tsv"}
    assert {suffix for path in paths for suffix in Path(path).suffixes} >= {".gz", ".zst", ".pq", ".ndjson"}
    assert "rows" in json.loads((MANIFESTS / "demo/netflix/features.json").read_text("utf-8"))


def test_demo_uses_every_sidecar_shape() -> None:
    """Every shape of a sidecar is in use: lines, one object, a list, rows, results, several objects, csv, tsv."""
    batch = load_manifest(MANIFESTS / "demo.json")
    shapes = {
        _shape(MANIFESTS / name)
        for table in batch.tables
        for entry in table.scores
        for name, _ in entry.files(MANIFESTS)
    }
    assert shapes == {"jsonl", "object", "list", "rows", "results", "several objects", "csv", "tsv"}


def test_demo_has_missing_and_bad_rows(examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some rows of the demo are missing and some bad, and at least three scorers take part."""
    run_main(capsys, "run", examples / "demo.json")
    covered = list(_coverage(examples / "demo.report.json"))
    assert len({each["competitor"] for each in covered}) >= 3
    assert sum(each["missing_rows"] for each in covered) > 0
    assert sum(each["bad_rows"] for each in covered) > 0


def _coverage(report: Path) -> Iterator[dict[str, Any]]:
    for table in json.loads(report.read_text("utf-8"))["tables"]:
        yield from table["summary"]["competitors"].values()


def _shape(path: Path) -> str:
    form = table_format(path.name)
    if form != "json" or path.suffix == ".gz":
        return "rows" if form == "json" else str(form)
    text = path.read_text("utf-8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return "several objects"
    if isinstance(value, list):
        return "list"
    return next((name for name in ("rows", "results") if name in value), "object")
