"""What a manifest declares of scorers: it is checked, carried into the reports, and decides what a table is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ManifestError, UsageError
from pipeline.join.materialize import materialize
from pipeline.manifest.batch import load_manifest
from tests.support.builders import clips, run_main, run_manifest, small_batch, write_json, write_jsonl

DECLARED = {"direction": "higher", "scale": [0, 15], "revision": "f1ddc96", "trained_on": ["LSVQ"]}


def declare(folder: Path, rows: int = 3, **scorers: Any) -> Path:
    """The manifest of a small batch with these declarations."""
    manifest = small_batch(folder, rows, audit_json="joined/t.audit.json")
    return write_json(manifest, json.loads(manifest.read_text()) | {"scorers": scorers})


def test_scores_outside_the_scale_are_counted_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run says which scores are outside, the report and the audit count them; the table is joined all the same."""
    manifest = declare(tmp_path, dover=DECLARED)
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 0
    assert "t: dover: 1 score outside the declared scale 0 to 15: 'c2' 20" in ended.err
    report = json.loads((tmp_path / "m.report.json").read_text())
    audit = json.loads((tmp_path / "joined/t.audit.json").read_text())
    for covered in (report["tables"][0]["summary"]["competitors"]["dover"], audit["competitors"]["dover"]):
        assert covered["direction"] == "higher"
        assert covered["scale"] == [0, 15]
        assert covered["revision"] == "f1ddc96"
        assert covered["outside_scale"] == {"scores": 1, "examples": [{"key": "c2", "score": 20.0}]}


def test_bad_rows_are_never_outside_the_scale(tmp_path: Path) -> None:
    """What a scorer left where it failed says nothing of its scale."""
    write_jsonl(tmp_path / "f.jsonl", clips("a", "b"))
    rows = [{"clip_id": "a", "score": 5}, {"clip_id": "b", "score": -1, "status": "failed"}]
    write_jsonl(tmp_path / "s.jsonl", rows)
    made = materialize(
        "f.jsonl", ["nr=s.jsonl"], "o.jsonl", scorers={"NR": {"scale": [0, 9]}}, base_dir=tmp_path
    )
    assert made.summary["competitors"]["nr"]["outside_scale"]["scores"] == 0


def test_a_declaration_that_the_join_shows_makes_its_tables_stale(tmp_path: Path) -> None:
    """A changed scale makes the table again, and so does one that is taken away; a changed `trained_on` does not."""
    run_manifest(declare(tmp_path, dover=DECLARED))
    made = (tmp_path / "joined/t.audit.json").read_bytes()
    run_manifest(declare(tmp_path, dover=DECLARED | {"trained_on": ["KonIQ"]}))
    assert (tmp_path / "joined/t.audit.json").read_bytes() == made
    run_manifest(declare(tmp_path, dover=DECLARED | {"scale": [0, 20]}))
    assert b'"outside_scale": {\n        "examples": [],' in (tmp_path / "joined/t.audit.json").read_bytes()
    run_manifest(declare(tmp_path))
    assert b"outside_scale" not in (tmp_path / "joined/t.audit.json").read_bytes()


def test_the_audit_replays_with_its_declarations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command in an audit's provenance makes the same bytes again."""
    run_manifest(declare(tmp_path, dover=DECLARED))
    audit = tmp_path / "joined/t.audit.json"
    made = audit.read_bytes()
    argv = json.loads(made)["run_provenance"]["argv"]
    audit.unlink()
    monkeypatch.chdir(tmp_path)
    assert run_main(capsys, *argv[1:]).code == 0
    assert audit.read_bytes() == made


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "reversed scale": (
        {"dover": {"scale": [100, 0]}},
        r"scorers\.dover\.scale: found \[100\.0, 0\.0\]; expected",
    ),
    "empty scale": ({"dover": {"scale": [1, 1]}}, r"scorers\.dover\.scale: found"),
    "one end": ({"dover": {"scale": [0]}}, r"scorers\.dover\.scale"),
    "direction": (
        {"dover": {"direction": "up"}},
        r"scorers\.dover\.direction: found 'up'; expected one of higher, lower",
    ),
    "unknown key": (
        {"dover": {"skale": [0, 1]}},
        r"scorers\.dover\.skale: unknown key; did you mean scale\?",
    ),
    "no name": ({"--": {}}, r"scorers\.'--': expected a name with at least one letter or digit"),
    "one slug": ({"Q-Align": {}, "q_align": {}}, r"scorers\.q_align: shares its columns with 'Q-Align'"),
}


@pytest.mark.parametrize("given", FAULTS)
def test_faulty_declarations(tmp_path: Path, given: str) -> None:
    """A declaration that cannot be is a fault of the manifest with its place, and of `materialize` too."""
    scorers, message = FAULTS[given]
    with pytest.raises(ManifestError, match=message):
        load_manifest(declare(tmp_path, **scorers))


def test_faulty_declarations_of_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`join --declare` takes what a manifest's `scorers` takes, and refuses what it refuses."""
    declare(tmp_path)
    with pytest.raises(UsageError, match=r"scorers\.dover\.scale: found"):
        materialize(
            "features.jsonl",
            ["dover=dover.jsonl"],
            "o.jsonl",
            scorers={"dover": {"scale": [1, 0]}},
            base_dir=tmp_path,
        )
    joining = ["join", "--features", tmp_path / "features.jsonl", "--scores", f"dover={tmp_path}/dover.jsonl"]
    joining += ["--out", tmp_path / "o.jsonl", "--declare"]
    unusable = run_main(capsys, *joining, '{"dover": {"scale": "wide"}}')
    assert (unusable.code, "dover.scale: found 'wide'; expected a list" in unusable.err) == (2, True)
    assert run_main(capsys, *joining, "{").code == 2


def test_evidence_is_checked(tmp_path: Path) -> None:
    """A request of evidence names a label, and one way to tell contents apart."""
    manifest = small_batch(tmp_path, evidence={"group": "g", "each_row_is_content": True})
    with pytest.raises(ManifestError, match=r"tables\[0\]\.evidence\.target: missing; expected a text"):
        load_manifest(manifest)
    manifest = small_batch(tmp_path, evidence={"target": "mos", "group": "g", "each_row_is_content": True})
    with pytest.raises(
        ManifestError, match=r"tables\[0\]\.evidence\.each_row_is_content: given together with group"
    ):
        load_manifest(manifest)
    (table,) = load_manifest(small_batch(tmp_path, evidence={"target": "mos", "features": ["f*"]})).tables
    assert table.evidence is not None
    assert (table.evidence.target, table.evidence.features) == ("mos", ("f*",))


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ({"target_sd": "mos"}, r"target_sd: found 'mos', which is also the target"),
        ({"target_n": "sd", "target_sd": "sd"}, r"target_n: found 'sd', which is also the target_sd"),
        ({"reference_metric": "mos"}, r"reference_metric: found 'mos', which is also the target"),
        ({"group": "mos"}, r"group: found 'mos', which is also the target"),
        ({"categories": ["kind", "mos"]}, r"categories\[1\]: found 'mos', which is also the target"),
        ({"corpus": "a", "corpus_column": "b"}, r"corpus_column: given together with corpus"),
    ],
)
def test_a_column_is_one_thing(tmp_path: Path, declared: dict[str, object], fault: str) -> None:
    """A label is not its own deviation, content or category; the message names both keys."""
    manifest = small_batch(tmp_path, evidence={"target": "mos", **declared})
    with pytest.raises(ManifestError, match=rf"tables\[0\]\.evidence\.{fault}"):
        load_manifest(manifest)


def test_the_corpus_may_be_the_content(tmp_path: Path) -> None:
    """Names of one column may serve as both; categories may repeat either."""
    evidence = {"target": "mos", "group": "source", "corpus_column": "source", "categories": ["source"]}
    assert load_manifest(small_batch(tmp_path, evidence=evidence)).tables[0].evidence is not None
