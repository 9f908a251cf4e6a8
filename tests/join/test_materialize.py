"""One table by itself: its outputs, its audit, and nothing at all where it fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline.errors import BatchError, InputMissingError, JoinError, UsageError
from pipeline.join.materialize import materialize
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from pipeline.records.materialized import Materialized
from pipeline.storage import files
from pipeline.storage.schema import load_schema
from tests.support.builders import read_jsonl, small_batch, tree, write_jsonl, write_text

MARK = JoinOptions(missing_policy="mark")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a feature table of three clips and a sidecar that knows two of them."""
    write_jsonl(tmp_path / "in" / "f.jsonl", [{"clip_id": f"c{row}", "x": row} for row in range(3)])
    scores: list[dict[str, Any]] = [
        {"clip_id": "c0", "score": 1},
        {"clip_id": "c1", "status": "timeout"},
        {"clip_id": "c9", "score": 9},
    ]
    write_jsonl(tmp_path / "in" / "s.jsonl", scores)
    return tmp_path


def make(folder: Path, **arguments: Any) -> Materialized:
    """Join the folder's table with its audit."""
    given: dict[str, Any] = {
        "out": "out/t.jsonl",
        "audit_json": "out/t.audit.json",
        "options": MARK,
    } | arguments
    return materialize("in/f.jsonl", ["dover=in/s.jsonl"], base_dir=folder, **given)


def test_what_a_table_leaves_behind(folder: Path) -> None:
    """The joined table and its audit stand where they were asked for, in folders that were not there."""
    made = make(folder)
    assert set(tree(folder)) == {"in/f.jsonl", "in/s.jsonl", "out/t.jsonl", "out/t.audit.json"}
    assert [row["second_opinion_dover_status"] for row in read_jsonl(folder / "out/t.jsonl")] == [
        "ok",
        "bad",
        "missing",
    ]
    assert made.outputs == {
        "out": files.describe(folder / "out/t.jsonl", folder),
        "audit_json": files.describe(folder / "out/t.audit.json", folder),
    }


def test_no_audit_unless_asked_for(folder: Path) -> None:
    """The audit is optional."""
    assert set(make(folder, audit_json=None).outputs) == {"out"}
    assert set(tree(folder)) == {"in/f.jsonl", "in/s.jsonl", "out/t.jsonl"}


def test_the_audit(folder: Path) -> None:
    """The audit says what was joined how, and per scorer what it covers."""
    make(folder)
    audit = json.loads((folder / "out/t.audit.json").read_bytes())
    provenance = audit.pop("run_provenance")
    assert audit == {
        "feature_table": "in/f.jsonl",
        "output": "out/t.jsonl",
        "key_column": "clip_id",
        "key_normalize": "auto",
        "input_rows": 3,
        "output_rows": 3,
        "missing_policy": "mark",
        "competitors": {
            "dover": {
                "competitor": "dover",
                "column_prefix": "second_opinion_dover",
                "scores_loaded": 3,
                "matched_rows": 1,
                "missing_rows": 1,
                "bad_rows": 1,
                "unused_scores": 1,
                "shared_rows": 0,
            }
        },
    }
    assert provenance["inputs"] == {
        "features": files.describe(folder / "in/f.jsonl", folder),
        "scores[0]": files.describe(folder / "in/s.jsonl", folder),
    }
    assert provenance["outputs"] == {"out": files.describe(folder / "out/t.jsonl", folder)}


def test_the_provenance_of_an_audit(folder: Path) -> None:
    """`run_provenance` keeps to its schema, and names the entry point, the versions and sorted arguments."""
    from jsonschema import Draft202012Validator

    make(folder)
    provenance = json.loads((folder / "out/t.audit.json").read_bytes())["run_provenance"]
    schema = load_schema("report")
    Draft202012Validator({"$defs": schema["$defs"], "$ref": "#/$defs/run_provenance"}).validate(provenance)
    main = Path(pipeline.__file__).with_name("__main__.py")
    assert provenance["entrypoint"] == files.describe(main, main.parent.parent)
    assert list(provenance["args"]) == sorted(provenance["args"])
    assert provenance["versions"]["second-opinion"] == pipeline.__version__
    assert {"luigi", "pandas", "pyarrow"} < set(provenance["versions"])


def test_drop_counts_rows_out(folder: Path) -> None:
    """`input_rows` and `output_rows` differ by the rows that were dropped; a bad row is not missing."""
    summary = make(folder, options=JoinOptions(missing_policy="drop")).summary
    assert (summary["input_rows"], summary["output_rows"]) == (3, 2)
    assert [row["clip_id"] for row in read_jsonl(folder / "out/t.jsonl")] == ["c0", "c1"]


def spoil_features(folder: Path) -> None:
    """A row of the feature table is cut off."""
    write_text(folder / "in/f.jsonl", '{"clip_id": "c0"}\n{"clip')


def spoil_scores(folder: Path) -> None:
    """A score is no number."""
    write_jsonl(folder / "in/s.jsonl", [{"clip_id": "c0", "score": "good"}])


def remove_scores(folder: Path) -> None:
    """The sidecar is not there."""
    (folder / "in/s.jsonl").unlink()


def mix_types(folder: Path) -> None:
    """A column mixes types, which is found while the Parquet output is made."""
    write_jsonl(folder / "in/f.jsonl", [{"clip_id": "c0", "x": 1}, {"clip_id": "c1", "x": "1"}])


@pytest.mark.parametrize("spoil", [spoil_features, spoil_scores, remove_scores, mix_types])
def test_a_failed_table_writes_nothing(folder: Path, spoil: Callable[[Path], None]) -> None:
    """A table that fails writes neither output nor audit, and no folder for them."""
    spoil(folder)
    before = tree(folder)
    with pytest.raises(BatchError, match=r"in/[fs]\.jsonl"):
        make(folder, out="out/t.parquet")
    assert tree(folder) == before


@pytest.mark.parametrize("spoil", [spoil_features, spoil_scores, remove_scores, mix_types])
def test_a_failed_table_keeps_the_old_output(folder: Path, spoil: Callable[[Path], None]) -> None:
    """What an earlier run has made still stands, audit included."""
    make(folder, out="out/t.parquet")
    spoil(folder)
    before = tree(folder)
    with pytest.raises(BatchError, match=r"in/[fs]\.jsonl"):
        make(folder, out="out/t.parquet")
    assert tree(folder) == before


def test_an_input_that_changes_meanwhile(folder: Path) -> None:
    """An input that changes while the table is made fails it: its digest would not be that of what was read."""

    def meddle(doing: str, _share: float) -> None:
        if doing.startswith("written"):
            write_text(folder / "in/s.jsonl", "{}")

    with pytest.raises(BatchError, match=r"s\.jsonl: the file changed while it was being read; run again"):
        make(folder, progress=meddle)
    assert "out/t.jsonl" not in tree(folder)


def test_a_missing_input_says_which(folder: Path) -> None:
    """The message says which file is not there yet."""
    remove_scores(folder)
    with pytest.raises(InputMissingError, match=r"s\.jsonl: the file is not there yet"):
        make(folder)


def test_unusable_arguments(folder: Path) -> None:
    """All faults of the arguments are told at once and nothing is written."""
    before = tree(folder)
    with pytest.raises(UsageError, match=r"(?s)nothing was written.*out: found 't\.xls'.*min_coverage: "):
        make(folder, out="t.xls", options=JoinOptions(min_coverage=2))
    assert tree(folder) == before


def test_an_output_is_no_input(folder: Path) -> None:
    """An output that is also an input is refused, also by another name of its folder."""
    (folder / "link").symlink_to(folder / "in")
    with pytest.raises(UsageError, match=r"out: .*link/f\.jsonl' is also read, as features"):
        make(folder, out="link/f.jsonl")


def test_progress_is_told(folder: Path) -> None:
    """The caller is told what is being done, with a share that grows to the end."""
    told: list[tuple[str, float]] = []
    make(folder, progress=lambda doing, share: told.append((doing, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert ("reading in/s.jsonl", 0.1) in told
    assert told[-1][0] == "written 3 of 3 rows"


def test_the_same_bytes_anywhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Outputs and audit are the same bytes in another folder, and again in the same one."""
    make(folder)
    first = tree(folder)
    make(folder)
    assert tree(folder) == first
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(folder / "in", other / "in")
    make(other)
    assert tree(other) == first


def test_scores_may_come_in_any_form(folder: Path) -> None:
    """A sidecar is given as a text, as a manifest's object or as an entry."""
    made = [
        materialize("in/f.jsonl", [given], "t.jsonl", base_dir=folder, options=MARK)
        for given in ("d=in/s.jsonl", {"path": "in/s.jsonl", "label": "d"}, SidecarEntry("in/s.jsonl", "d"))
    ]
    assert made[0] == made[1] == made[2]


def test_no_match_at_all(folder: Path) -> None:
    """A scorer that matches no row fails the table under every policy."""
    write_jsonl(folder / "in/s.jsonl", [{"clip_id": "other", "score": 1}])
    with pytest.raises(JoinError, match=r"'dover': 0 of 3 rows matched.*no row matched"):
        make(folder)


def test_a_whole_number_is_the_same_share(tmp_path: Path) -> None:
    """`min_coverage` 1 and 1.0 are one option, so a manifest and its replay make the same bytes."""
    small_batch(tmp_path, min_coverage=1, audit_json="t.audit.json")
    batch = load_manifest(tmp_path / "m.json")
    assert batch.tables[0].as_json()["config"]["min_coverage"] == 1.0
    assert repr(batch.tables[0].options.min_coverage) == "1.0"


@pytest.mark.parametrize(
    ("scores", "scorers", "message"),
    [
        (
            [{"path": "dover.jsonl", "labell": "x"}],
            {},
            r"scores\[0\]\.labell: unknown key; did you mean label\?",
        ),
        ([{"label": "x"}], {}, r"scores\[0\]\.path: missing; expected a text"),
        (
            ["dover=dover.jsonl"],
            {"dover": {"scale": "wide"}},
            r"scorers\.dover\.scale: found 'wide'; expected a list",
        ),
    ],
    ids=["unknown key", "no path", "declaration"],
)
def test_objects_are_those_of_a_manifest(
    tmp_path: Path, scores: list[Any], scorers: dict[str, Any], message: str
) -> None:
    """An object that no manifest may hold is refused with its place, and nothing is read or written."""
    with pytest.raises(UsageError, match=message):
        materialize("f.jsonl", scores, "o.jsonl", scorers=scorers, base_dir=tmp_path)
