"""Tables in shards as others read them: opened batches, other programs, other commands."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pytest

import pipeline
from pipeline.errors import InputError
from tests.support.builders import (
    run_main,
    run_manifest,
    write_jsonl,
    write_manifest,
)
from tests.support.forks import forked
from tests.support.processes import COMMAND, started
from tests.support.sharded import entry, rows, scores, sharded, write_parquet


def test_columns_that_one_shard_has_no_values_of(tmp_path: Path) -> None:
    """In CSV a column without values is text; opened, the table has its numbers."""
    sharded(tmp_path, out_format="csv")
    timed = [{**row, "runtime_ms": 5} if row["clip_id"] in ("c5", "c6") else row for row in scores()]
    write_jsonl(tmp_path / "dover.jsonl", timed)
    assert run_manifest(tmp_path / "m.json").exit_code == 0
    frame = pipeline.open_batch(tmp_path / "m.report.json").table("t").to_pandas()
    assert frame["second_opinion_dover_runtime_ms"].dropna().tolist() == [5.0, 5.0]
    assert frame["second_opinion_dover_score"].sum() == pytest.approx(4.5)


def test_many_shards_are_opened_one_at_a_time(tmp_path: Path) -> None:
    """A process may have few files open."""
    for number in range(80):
        write_parquet(tmp_path / f"features/{number:02}.parquet", {"clip_id": [f"c{number}"]})
    write_jsonl(tmp_path / "dover.jsonl", [{"clip_id": f"c{number}", "score": 1} for number in range(80)])
    write_manifest(tmp_path / "m.json", [entry()])
    reading = "import pipeline; print(len(pipeline.open_batch('m.report.json').table('t').to_pandas()))"
    for command in ((*COMMAND, "run", "m.json"), (sys.executable, "-c", reading)):
        ended = started(tmp_path, "sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *command)
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "80\n"


def test_partitions_are_spelled_as_in_uris(tmp_path: Path) -> None:
    """Their values are decoded, Hive's word for null is null, and a column of the file wins."""
    names = ["corpus=a%20b", "corpus=__HIVE_DEFAULT_PARTITION__", "clip_id=other"]
    for name in names[:2]:
        write_jsonl(tmp_path / f"features/{name}/p.jsonl", rows(0, 1))
    write_jsonl(tmp_path / "dover.jsonl", scores(1))
    run_manifest(write_manifest(tmp_path / "m.json", [entry()]))
    frame = pipeline.open_batch(tmp_path / "m.report.json").table("t").to_pandas()
    assert frame["corpus"].dropna().tolist() == ["a b"]
    assert len(frame) == 2
    shutil.rmtree(tmp_path / "features")
    shutil.rmtree(tmp_path / "joined")
    write_jsonl(tmp_path / f"features/{names[2]}/p.jsonl", rows(0, 1))
    assert run_manifest(tmp_path / "m.json").exit_code == 0
    assert pipeline.open_batch(tmp_path / "m.report.json").table("t").to_pandas()["clip_id"].tolist() == [
        "c0"
    ]


def test_partitions_are_columns(tmp_path: Path) -> None:
    """They are the key where no column is, and columns for whoever opens the table or reads the folder."""
    manifest = sharded(tmp_path, key_column="corpus", out_format="parquet")
    write_jsonl(tmp_path / "dover.jsonl", [{"name": "bvi", "score": 1}, {"name": "chug", "score": 2}])
    assert run_manifest(manifest).exit_code == 0
    table = pipeline.open_batch(tmp_path / "m.report.json").table("t")
    frame = table.to_pandas()
    assert frame["corpus"].tolist() == ["bvi"] * 4 + ["chug"] * 6
    assert frame["second_opinion_dover_score"].tolist() == [1.0] * 4 + [2.0] * 6
    assert table.to_arrow(columns=["corpus", "f"]).column_names == ["corpus", "f"]
    assert sum(batch.num_rows for batch in table.batches()) == 10
    folder = tmp_path / "joined"
    assert ds.dataset(folder, format="parquet", partitioning="hive").count_rows() == 10
    found = duckdb.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True)
    assert found.aggregate("count(DISTINCT corpus)").fetchall() == [(2,)]
    assert pl.scan_parquet(folder / "**/*.parquet", hive_partitioning=True).collect().height == 10


def test_a_shard_that_was_edited_is_not_opened(tmp_path: Path) -> None:
    """No row of a file that is not the one that the report describes is returned."""
    manifest = sharded(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    write_jsonl(tmp_path / "joined/corpus=bvi/part-0.jsonl", rows(5, 9))
    table = pipeline.open_batch(tmp_path / "m.report.json").table("t")
    for read in (table.to_pandas, table.to_arrow, lambda: [*table.batches()]):
        with pytest.raises(InputError, match=r"corpus=bvi/part-0\.jsonl: the file has changed"):
            read()


def test_other_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check --preview`, `diff` and `cite` know such tables; `join` says that they need a manifest."""
    manifest = sharded(tmp_path)
    shown = run_main(capsys, "check", "--preview", manifest)
    assert "t: ok, 10 rows, key column 'clip_id'" in shown.out
    assert not (tmp_path / "joined").exists()
    assert run_manifest(manifest).exit_code == 0
    report = tmp_path / "m.report.json"
    assert "the batches are equal" in run_main(capsys, "diff", report, report).out
    assert "_second_opinion.json" in run_main(capsys, "cite", report).out
    refused = run_main(capsys, "join", "--features", "f/*.jsonl", "--scores", "a=s.jsonl", "--out", "o/")
    assert refused.code == 2
    assert "tables in shards need a manifest" in refused.err


def test_evidence_of_a_table_in_shards(tmp_path: Path) -> None:
    """The audit reads all shards, and a partition may be the group."""
    declared = {"target": "mos", "group": "corpus", "features": ["f*"]}
    sharded(tmp_path, evidence=declared)
    for number in range(8):
        some = [
            {"clip_id": f"c{clip}", "f": clip % 7, "mos": clip % 5}
            for clip in range(number * 9, number * 9 + 9)
        ]
        write_jsonl(tmp_path / f"features/corpus=x{number}/p.jsonl", [*some])
    shutil.rmtree(tmp_path / "features/corpus=bvi")
    shutil.rmtree(tmp_path / "features/corpus=chug")
    write_jsonl(tmp_path / "dover.jsonl", scores(72))
    ended = forked(tmp_path, "audit", "m.json")
    assert ended.returncode == 0, ended.stderr
    audit = json.loads((tmp_path / "m.audit.json").read_text())
    assert audit["tables"][0]["rows"] == 72
