"""The argv of an audit, run again from the base folder, makes the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.join.materialize import materialize
from pipeline.manifest.options import JoinOptions
from tests.support.builders import run_main, tree, write_jsonl

ENTRIES: dict[str, str | dict[str, Any]] = {
    "path": "scores.jsonl",
    "label": "dover=scores.jsonl",
    "object": {"path": "scores.jsonl", "label": "dover", "score_field": "mos", "key_field": "clip_id"},
    "aspects": {"path": "scores.jsonl", "label": "dover", "score_fields": {"a b": "mos", "c": "score"}},
    "equals sign": {"path": "a=b.jsonl", "label": "dover"},
    "pattern": {"path": "per=clip/*.json", "key_from": "file", "label": "dover"},
    "pattern without a label": {"path": "per=clip/**/*.json"},
    "brace": "{scores}.jsonl",
}


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a feature table and sidecars under names that are hard to quote."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "f.jsonl", [{"clip_id": "0012_48", "x": 1}, {"clip_id": "b", "x": 2}])
    row = {"clip_id": "0012_48", "competitor": "dover", "mos": 2.5, "score": 2.5}
    for name in ("scores.jsonl", "a=b.jsonl", "{scores}.jsonl", "per=clip/0012_48.json"):
        write_jsonl(tmp_path / name, [row])
    return tmp_path


def replays(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The outputs are made again, to the byte, by the command that their audit names."""
    made = tree(base)
    argv = json.loads((base / "t.audit.json").read_bytes())["run_provenance"]["argv"]
    for name in ("t.parquet", "t.audit.json"):
        (base / name).unlink()
    assert argv[0] == "second-opinion"
    ended = run_main(capsys, *argv[1:])
    assert (ended.code, ended.err) == (0, "")
    assert tree(base) == made


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_any_sidecar_entry(
    base: Path, capsys: pytest.CaptureFixture[str], entry: str | dict[str, Any]
) -> None:
    """However a sidecar was given, the command names it so that the table is the same."""
    options = JoinOptions(missing_policy="mark", key_normalize="stem")
    materialize("f.jsonl", [entry], "t.parquet", audit_json="t.audit.json", options=options)
    replays(base, capsys)


def test_every_option(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option that is not at its default stands in the command."""
    options = JoinOptions(
        key_column="clip_id",
        score_key_field="clip_id",
        score_field="mos",
        key_normalize="raw",
        key_regex="^([0-9]+)",
        score_key_regex="^([0-9]+)",
        missing_policy="drop",
        min_coverage=0.5,
        prefix="--prefix with blanks",
        overwrite=True,
    )
    assert all(value != getattr(JoinOptions(), name) for name, value in options.as_json().items())
    materialize("f.jsonl", ["scores.jsonl"], "t.parquet", audit_json="t.audit.json", options=options)
    replays(base, capsys)
