"""`check --preview`: what a run would make, shown without making it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.join.preview import Example, TablePreview, preview_batch
from pipeline.manifest.batch import load_manifest
from tests.support.builders import (
    batch_of,
    clips,
    read_jsonl,
    run_main,
    small_batch,
    table_entry,
    tree,
    write_jsonl,
    write_manifest,
)


def preview(manifest: Path) -> TablePreview:
    """The preview of a manifest's one table."""
    (table,) = preview_batch(load_manifest(manifest))
    return table


def test_counts_and_rows_are_shown_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Per table and scorer the counts and five rows as they would be joined; no file changes."""
    manifest = small_batch(tmp_path, rows=7)
    before = tree(tmp_path)
    ended = run_main(capsys, "check", manifest, "--preview")
    assert (ended.code, ended.err) == (0, "")
    lines = [re.sub(r" +", " ", line.strip()) for line in ended.out.splitlines()]
    assert lines == [
        f"{manifest}: 1 table, no fault",
        "t: ok, 7 rows, key column 'clip_id'",
        "dover: 7 matched, 0 missing, 0 bad, 0 unused",
        "key score status runtime_ms frames",
        *(f"c{row} {row * 10}.0 ok 0" for row in range(5)),
    ]
    assert tree(tmp_path) == before


def test_the_rows_are_those_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Score, status, runtime and frames of a previewed row are what `run` writes into it."""
    manifest = small_batch(tmp_path, missing_policy="mark")
    frames = [{"score": 1.0, "runtime_ms": 2.0}, {"score": 2.0, "runtime_ms": 2.5}]
    rows: list[dict[str, object]] = [
        {"clip_id": "c0", "frames": frames},
        {"clip_id": "c1", "status": "oom", "runtime_ms": 3},
    ]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    (scorer,) = preview(manifest).scorers
    assert run_main(capsys, "run", manifest).code == 0
    made = read_jsonl(tmp_path / "joined/t.jsonl")
    names = ("score", "status", "runtime_ms", "frames")
    expected = tuple(
        Example(row["clip_id"], *(row[f"second_opinion_dover_{name}"] for name in names)) for row in made
    )
    assert scorer.examples == expected
    assert [each.status for each in expected] == ["ok", "bad", "missing"]


def test_rows_that_match_are_shown_first(tmp_path: Path) -> None:
    """A scorer whose first match stands far below is still shown with a score, in the order of the table."""
    manifest = small_batch(tmp_path, rows=30, missing_policy="mark")
    write_jsonl(tmp_path / "dover.jsonl", clips("c29", "c20", score=1))
    (scorer,) = preview(manifest).scorers
    assert [each.key for each in scorer.examples] == ["c0", "c1", "c2", "c20", "c29"]


def test_rows_that_would_be_dropped_are_not_shown(tmp_path: Path) -> None:
    """Under `drop`, only rows that would be written are examples."""
    manifest = small_batch(tmp_path, rows=9, missing_policy="drop")
    write_jsonl(tmp_path / "dover.jsonl", clips("c3", "c5", score=1))
    (scorer,) = preview(manifest).scorers
    assert [each.key for each in scorer.examples] == ["c3", "c5"]


def test_a_low_match_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where fewer than half of the rows match, keys of both sides and a better rule are shown."""
    manifest = small_batch(tmp_path, rows=4, missing_policy="mark")
    rows = [{"clip_id": "c0", "score": 1}, *({"clip_id": f"d/c{row}.mp4", "score": 1} for row in range(1, 4))]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ended = run_main(capsys, "check", manifest, "--preview")
    assert ended.code == 0
    assert "unmatched keys of the feature table: 'c1', 'c2', 'c3'" in ended.out
    assert "key_normalize stem would match 4 rows" in ended.out


@pytest.mark.parametrize(
    ("faulty", "waiting", "code"), [((), (), 0), ((), ("b",), 3), (("a",), (), 1), (("a",), ("b",), 1)]
)
def test_the_exit_code_is_that_of_a_run(
    faulty: tuple[str, ...],
    waiting: tuple[str, ...],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A table that would fail or wait shows its error, the others still show; `run` ends with the same code."""
    manifest = batch_of(tmp_path, "abc")
    for name in faulty:
        write_jsonl(tmp_path / f"{name}.dover.jsonl", clips("c0", "c1", score="high"))
    for name in waiting:
        (tmp_path / f"{name}.dover.jsonl").unlink()
    ended = run_main(capsys, "check", manifest, "--preview")
    assert ended.code == code
    statuses = dict(re.findall(r"^(\w): (\w+)", ended.out, re.MULTILINE))
    expected = (
        dict.fromkeys("abc", "ok") | dict.fromkeys(faulty, "failed") | dict.fromkeys(waiting, "waiting")
    )
    assert statuses == expected
    for name in faulty:
        assert f"second-opinion: {name}: {name}.dover.jsonl: 2 faulty rows in the sidecar" in ended.err
    for name in waiting:
        assert f"{name}: not there yet: scores[0]: {tmp_path}/{name}.dover.jsonl" in ended.err
    assert run_main(capsys, "run", manifest).code == code


@pytest.mark.parametrize(
    ("features", "table", "said"),
    [
        (clips("c0", "x"), {"missing_policy": "fail"}, "expected a score for every row"),
        (clips("a", "b"), {}, "no row matched"),
        (clips("c0", second_opinion_dover_score=1), {}, "the feature table has 1 of the columns"),
        ([{"clip_id": "c0", "f": 1}, {"clip_id": "c1", "f": "x"}], {"out": "t.parquet"}, "column 'f'"),
        (clips("c0", "c1", f={}), {"out": "t.parquet"}, "a column cannot be stored in Parquet"),
    ],
    ids=["missing", "nothing", "columns", "types", "no-field"],
)
def test_what_a_run_would_refuse_is_told(
    features: list[dict[str, object]],
    table: dict[str, object],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is refused after matching is an error of the preview as well, beside the counts."""
    write_jsonl(tmp_path / "a.jsonl", features)
    write_jsonl(tmp_path / "a.dover.jsonl", clips("c0", "c1", score=1))
    manifest = write_manifest(tmp_path / "m.json", [table_entry("a", **table)])
    found = preview(manifest)
    assert found.status == "failed"
    assert found.rows == len(features)
    assert said in str(found.error)
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 1
    assert f"a: {found.error}".replace(f"{tmp_path}/", "") in ended.err


def test_a_manifest_with_faults_is_not_previewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The faults of the manifest come first: exit code 2."""
    ended = run_main(capsys, "check", small_batch(tmp_path, key_normalise="stem"), "--preview")
    assert (ended.code, ended.out) == (2, "")


def test_too_little_memory_is_an_error_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that is refused ends in a message."""

    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipeline.join.matching.open_table", starve)
    assert "not enough memory" in str(preview(small_batch(tmp_path)).error)


def test_a_table_without_rows(tmp_path: Path) -> None:
    """An empty table can be joined, and has no row to show."""
    found = preview(small_batch(tmp_path, rows=0))
    assert (found.status, found.rows, [each.examples for each in found.scorers]) == ("ok", 0, [()])
