"""What a manifest may hold that is not read: keys that begin with `_`, defaults and audits that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ManifestError, UsageError
from pipeline.join.materialize import materialize
from pipeline.manifest.batch import load_manifest
from tests.support.builders import clips, read_jsonl, run_manifest, table_entry, write_jsonl, write_text

COMMENTED: dict[str, Any] = {
    "_comment": "two shards of one corpus",
    "defaults": {"key_normalize": "raw", "_why": ["keys are ids"]},
    "scorers": {"_note": 7, "dover": {"direction": "higher", "_from": {"the": "paper"}}},
    "tables": [
        table_entry(
            "a",
            _owner="video",
            scores=[{"path": "a.dover.jsonl", "label": "dover", "_made": "on the cluster"}],
        )
    ],
}


def test_comments_are_not_read(tmp_path: Path) -> None:
    """A key that begins with `_` is a comment wherever an object stands; the batch is that of the manifest without it."""
    write_jsonl(tmp_path / "a.jsonl", clips("c0"))
    write_jsonl(tmp_path / "a.dover.jsonl", clips("c0", score=1))
    write_text(tmp_path / "m.json", json.dumps(COMMENTED))
    (table,) = load_manifest(tmp_path / "m.json").tables
    assert "_" not in {name[0] for name in [*table.as_json(), *table.as_json()["scorers"]]}
    assert run_manifest(tmp_path / "m.json").report["status"] == "ok"


def test_repeated_comments_are_no_fault(tmp_path: Path) -> None:
    """A comment may stand twice; another key may not."""
    write_text(tmp_path / "m.json", '{"_": 1, "_": 2, "tables": [], "tables": []}')
    with pytest.raises(ManifestError) as caught:
        load_manifest(tmp_path / "m.json")
    assert "tables: the key appears twice" in str(caught.value)
    assert "_: the key" not in str(caught.value)


def test_a_comment_does_not_excuse_a_misspelt_key(tmp_path: Path) -> None:
    """An unknown key that is no comment is refused beside comments, with the nearest known key."""
    write_text(tmp_path / "m.json", json.dumps({"_comment": "x", "tabels": [], "tables": [table_entry("a")]}))
    with pytest.raises(ManifestError, match="tabels: unknown key; did you mean tables"):
        load_manifest(tmp_path / "m.json")


@pytest.mark.parametrize("audit", [None, ""])
def test_null_and_empty_are_none(tmp_path: Path, audit: str | None) -> None:
    """`"defaults": null` is no default, `"audit_json": null` or `""` no audit."""
    manifest = {"defaults": None, "tables": [table_entry("a", audit_json=audit)]}
    write_text(tmp_path / "m.json", json.dumps(manifest))
    (table,) = load_manifest(tmp_path / "m.json").tables
    assert table.audit_json is None


def test_comments_in_objects_of_the_library(tmp_path: Path) -> None:
    """The objects that `materialize` takes may hold comments as those of a manifest may, and no other unknown key."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0"))
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    entry = {"path": "s.jsonl", "label": "dover", "_comment": "x"}
    materialize("f.jsonl", [entry], "o.jsonl", scorers={"dover": {"_x": 1}}, audit_json="", base_dir=tmp_path)
    assert read_jsonl(tmp_path / "o.jsonl")[0]["second_opinion_dover_score"] == 1
    with pytest.raises(UsageError, match="comment: unknown key"):
        materialize("f.jsonl", [entry | {"comment": 1}], "o.jsonl", base_dir=tmp_path)


def test_a_published_manifest_runs_unchanged(tmp_path: Path) -> None:
    """Two tables with a comment, inputs relative to `--base-dir` and absolute outputs: 5 rows in, 5 out, 2 tables."""
    base, outs = tmp_path / "corpora", tmp_path / "outs"
    write_jsonl(base / "chug/features.jsonl", clips("a", "b", "c", mos=3.5))
    write_jsonl(base / "chug/dover.jsonl", clips("a", "b", competitor="dover-mobile", score=0.5))
    write_jsonl(base / "konvid/features.jsonl", clips("k1", "k2", mos=4))
    write_jsonl(base / "konvid/nr.jsonl", clips("k1", "k2", predicted_mos=4.25, status="ok"))
    manifest = {
        "_comment": "paths are relative to --base-dir",
        "tables": [
            {
                "id": "chug_hdr",
                "features": "chug/features.jsonl",
                "scores": ["chug/dover.jsonl"],
                "out": str(outs / "chug.parquet"),
            },
            {
                "id": "konvid",
                "features": "konvid/features.jsonl",
                "scores": ["fork-nr=konvid/nr.jsonl"],
                "out": str(outs / "konvid.jsonl"),
                "audit_json": str(outs / "konvid.audit.json"),
            },
        ],
    }
    write_text(tmp_path / "manifests/m.json", json.dumps(manifest))
    report = run_manifest(tmp_path / "manifests/m.json", base_dir=base).report
    counts = {name: report["summary"][name] for name in ("tables", "input_rows", "output_rows")}
    assert counts == {"tables": 2, "input_rows": 5, "output_rows": 5}
    assert (outs / "chug.parquet").is_file()
    assert read_jsonl(outs / "konvid.jsonl")[0]["second_opinion_fork_nr_status"] == "ok"
