"""Tables in shards: each shard is a task, the whole is judged, and what changed is made again alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import luigi
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.errors import InputError, ManifestError
from pipeline.join.large.prepared import folder_of, groups
from pipeline.join.large.shards import index_shards
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry
from pipeline.tasks import shards
from pipeline.tasks.graph import BatchReport, JoinedTable
from pipeline.tasks.shards import JoinedShard, PreparedScores
from tests.join.test_oracle import COMMON
from tests.support.builders import (
    lasting,
    read_jsonl,
    run_main,
    run_manifest,
    stamps,
    tree,
    write_jsonl,
    write_manifest,
)
from tests.support.forks import forked
from tests.support.processes import COMMAND, luigid, running, started, until

SHARDS = {"corpus=bvi/part-0": (5, 9), "corpus=chug/part-0": (0, 5), "corpus=chug/part-1": (9, 10)}


def rows(first: int, last: int) -> list[dict[str, Any]]:
    """The features of some clips."""
    return [{"clip_id": f"c{clip}", "f": clip * 1.5} for clip in range(first, last)]


def scores(last: int = 12) -> list[dict[str, Any]]:
    """The scores of the first clips."""
    return [{"clip_id": f"c{clip}", "score": clip / 10} for clip in range(last)]


def entry(**changed: Any) -> dict[str, Any]:
    """The table in shards as its manifest has it."""
    return {
        "id": "t",
        "features": "features/",
        "scores": ["dover=dover.jsonl"],
        "out": "joined/",
        "audit_json": "t.audit.json",
        **changed,
    }


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    """A Parquet file of these columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def sharded(folder: Path, **changed: Any) -> Path:
    """A manifest `m.json` of a table in three shards with hive partitions."""
    for name, (first, last) in SHARDS.items():
        write_jsonl(folder / f"features/{name}.jsonl", rows(first, last))
    write_jsonl(folder / "dover.jsonl", scores())
    return write_manifest(folder / "m.json", [entry(**changed)])


def summary(folder: Path, name: str = "m") -> Any:
    """What the report says of the first table."""
    return json.loads((folder / f"{name}.report.json").read_text())["tables"][0]["summary"]


def made(folder: Path, before: dict[str, tuple[int, int, int]]) -> set[str]:
    """The joined files and the audit that were written since."""
    now = stamps(folder)
    return {
        name
        for name in now
        if before.get(name) != now[name]
        and name.startswith(("joined/", "t.audit"))
        and (folder / name).is_file()
    }


def test_it_is_the_table_of_all_rows(tmp_path: Path) -> None:
    """Rows, order of columns and counts are those of one table that holds the rows of all shards."""
    manifest = sharded(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    write_jsonl(tmp_path / "all.jsonl", [row for each in SHARDS.values() for row in rows(*each)])
    write_manifest(tmp_path / "one.json", [entry(features="all.jsonl", out="one.jsonl", audit_json=None)])
    assert run_manifest(tmp_path / "one.json").exit_code == 0
    joined = [row for name in SHARDS for row in read_jsonl(tmp_path / f"joined/{name}.jsonl")]
    assert joined == read_jsonl(tmp_path / "one.jsonl")
    assert summary(tmp_path) == summary(tmp_path, "one")
    index = json.loads((tmp_path / "joined/_second_opinion.json").read_text())
    assert [each["input_rows"] for each in index["shards"].values()] == [4, 5, 1]
    assert json.loads((tmp_path / "t.audit.json").read_text())["competitors"] == index["competitors"]


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([["a/x.mp4", "b/y.mp4"], ["c/x.mp4", None]], {"key_column": "path"}),
        ([["A", "b"], ["c", "c"]], {}),
        ([["v/1.mp4"], ["w/2.mp4", "3.mp4"]], {"key_column": "path"}),
        ([["none", "of"], ["these", "c"]], {}),
    ],
    ids=["shared", "letter case", "closer", "low match"],
)
def test_the_whole_is_judged_as_one_table(
    tmp_path: Path, keys: list[list[str | None]], options: dict[str, str]
) -> None:
    """Shared scores, keys that differ in letter case, refused scores, explanations: all over every shard."""
    name = options.get("key_column", "clip_id")
    for number, some in enumerate(keys):
        write_jsonl(tmp_path / f"features/{number}.jsonl", [{name: key, "f": 1} for key in some])
    write_jsonl(tmp_path / "all.jsonl", [{name: key, "f": 1} for some in keys for key in some])
    write_jsonl(
        tmp_path / "dover.jsonl",
        [{name: key, "score": 1} for key in ("x.mp4", "a", "B", "c", "v/1.mp4", "q/2.mp4")],
    )
    write_manifest(tmp_path / "m.json", [entry(**options)])
    write_manifest(
        tmp_path / "one.json", [entry(features="all.jsonl", out="one.jsonl", audit_json=None, **options)]
    )
    ended = [forked(tmp_path, "run", manifest) for manifest in ("m.json", "one.json")]
    assert ended[0].returncode == ended[1].returncode
    if not ended[0].returncode:
        assert summary(tmp_path) == summary(tmp_path, "one")
    else:
        said = [each.stderr.split("\n", 1)[-1] for each in ended]
        assert said[0] == said[1]


KEYS = st.sampled_from(["a", "A", "b/a", "c/a", "c/B.mp4", "B.mp4", "x", "", None])


@settings(COMMON, max_examples=12)
@given(
    cut=st.lists(st.lists(KEYS, min_size=1, max_size=4), min_size=1, max_size=3),
    scored=st.lists(KEYS.filter(bool), unique=True, max_size=6),
    normalize=st.sampled_from(["auto", "raw", "basename", "stem"]),
    policy=st.sampled_from(["mark", "drop", "fail"]),
)
def test_however_rows_are_cut(
    cut: list[list[str | None]], scored: list[str], normalize: str, policy: str
) -> None:
    """Rows and coverage, or the refusal, are those of one table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, some in enumerate(cut):
            write_jsonl(folder / f"features/{number}.jsonl", [{"path": key, "f": 1} for key in some])
        write_jsonl(folder / "all.jsonl", [{"path": key, "f": 1} for some in cut for key in some])
        write_jsonl(folder / "dover.jsonl", [{"path": key, "score": at} for at, key in enumerate(scored)])
        options = {"key_normalize": normalize, "missing_policy": policy, "audit_json": None}
        write_manifest(folder / "m.json", [entry(**options)])
        write_manifest(folder / "one.json", [entry(features="all.jsonl", out="one.jsonl", **options)])
        codes = [run_manifest(folder / each).exit_code for each in ("m.json", "one.json")]
        assert codes[0] == codes[1]
        if codes == [0, 0]:
            assert summary(folder) == summary(folder, "one")
            joined = [row for at in range(len(cut)) for row in read_jsonl(folder / f"joined/{at}.jsonl")]
            assert joined == read_jsonl(folder / "one.jsonl")
        else:
            failed = [
                json.loads((folder / f"{each}.report.failed.json").read_text()) for each in ("m", "one")
            ]
            assert len({each["tables"][0]["error"] for each in failed}) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing_policy": "fail"}, "8 of 10 rows matched, 2 missing; expected a score for every row"),
        ({"min_coverage": 0.9}, "8 of 10 rows matched, 2 missing; expected a share of at least 0.9"),
    ],
    ids=["fail", "min_coverage"],
)
def test_policies_are_the_tables(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    """They are judged over all shards, the index is not written, and a shard without a match is no fault by itself."""
    sharded(tmp_path, **options)
    write_jsonl(tmp_path / "dover.jsonl", scores(8))
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert not (tmp_path / "joined/_second_opinion.json").exists()
    write_manifest(tmp_path / "m.json", [entry()])
    before = stamps(tmp_path)
    assert forked(tmp_path, "run", "m.json").returncode == 0
    assert made(tmp_path, before) == {"joined/_second_opinion.json", "t.audit.json"}


def new_shard(folder: Path) -> None:
    """One more shard."""
    write_jsonl(folder / "features/corpus=new/part-0.jsonl", rows(10, 12))


def changed_shard(folder: Path) -> None:
    """Another row in a shard."""
    write_jsonl(folder / "features/corpus=bvi/part-0.jsonl", rows(5, 8))


def gone_with_its_output(folder: Path) -> None:
    """A shard and its joined file are removed."""
    (folder / "features/corpus=chug/part-1.jsonl").unlink()
    (folder / "joined/corpus=chug/part-1.jsonl").unlink()


WHOLE = {"joined/_second_opinion.json", "t.audit.json"}
CHANGES: dict[str, tuple[Callable[[Path], object], str, set[str]]] = {
    "new": (new_shard, "new input", WHOLE | {"joined/corpus=new/part-0.jsonl"}),
    "changed": (
        changed_shard,
        "features/corpus=bvi/part-0.jsonl: changed",
        WHOLE | {"joined/corpus=bvi/part-0.jsonl"},
    ),
    "edited": (
        lambda folder: (folder / "joined/corpus=bvi/part-0.jsonl").write_text("x"),
        "out/corpus=bvi/part-0.jsonl: edited",
        {"joined/corpus=bvi/part-0.jsonl"},
    ),
    "sidecar": (
        lambda folder: write_jsonl(folder / "dover.jsonl", scores(11)),
        "scores[0]: changed",
        WHOLE | {f"joined/{name}.jsonl" for name in SHARDS},
    ),
    "index": (lambda folder: (folder / "joined/_second_opinion.json").unlink(), "out: deleted", WHOLE),
    "gone": (gone_with_its_output, "out/corpus=chug/part-1.jsonl: deleted", WHOLE),
}


@pytest.mark.parametrize(("change", "said", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_makes_again_what_depends_on_it(
    tmp_path: Path, change: Callable[[Path], object], said: str, expected: set[str]
) -> None:
    """`status` says what changed; the next run makes that shard and the index, and the one after it nothing."""
    manifest = sharded(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    change(tmp_path)
    assert said in forked(tmp_path, "status", "m.json").stdout
    before = stamps(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    assert made(tmp_path, before) == expected
    before = stamps(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    assert stamps(tmp_path) == before
    assert forked(tmp_path, "verify", "m.report.json").returncode == 0


def test_a_shard_that_has_gone_without_its_output(tmp_path: Path) -> None:
    """Its table stays; once it must be made again, the joined file that nothing explains is named."""
    manifest = sharded(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    (tmp_path / "features/corpus=chug/part-1.jsonl").unlink()
    ended = forked(tmp_path, "status", "m.json")
    assert ended.returncode == 0
    assert "input is missing, features/corpus=chug/part-1.jsonl" in ended.stdout
    changed_shard(tmp_path)
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 1
    assert "1 shard of which joined files are there have gone" in ended.stderr
    assert "joined/corpus=chug/part-1.jsonl" in ended.stderr


def test_columns_that_differ(tmp_path: Path) -> None:
    """The table fails, and the message names the first two shards that differ and the columns."""
    manifest = sharded(tmp_path)
    write_jsonl(tmp_path / "features/corpus=chug/part-0.jsonl", [{"clip_id": "c0", "g": 1}])
    assert run_manifest(manifest).exit_code == 1
    error = json.loads((tmp_path / "m.report.failed.json").read_text())["tables"][0]["error"]
    assert "the columns of 'corpus=bvi/part-0.jsonl' and 'corpus=chug/part-0.jsonl' differ: 'f', 'g'" in error


def test_types_that_differ(tmp_path: Path) -> None:
    """A Parquet column of types that no type holds fails the table; integers beside floats do not."""
    for number, values in enumerate(([1, 2], [0.5, 1.5])):
        write_parquet(tmp_path / f"features/{number}.parquet", {"clip_id": ["a", "b"], "f": values})
    write_jsonl(tmp_path / "dover.jsonl", [{"clip_id": "a", "score": 1}])
    manifest = write_manifest(tmp_path / "m.json", [entry()])
    assert run_manifest(manifest).exit_code == 0
    frame = pipeline.open_batch(tmp_path / "m.report.json").table("t").to_pandas()
    assert frame["f"].tolist() == [1.0, 2.0, 0.5, 1.5]
    write_parquet(tmp_path / "features/1.parquet", {"clip_id": ["a", "b"], "f": ["x", "y"]})
    assert run_manifest(manifest).exit_code == 1
    error = json.loads((tmp_path / "m.report.failed.json").read_text())["tables"][0]["error"]
    assert "the columns of '0.parquet' and '1.parquet' differ: 'f' (int64 and string)" in error


def test_a_first_shard_without_rows(tmp_path: Path) -> None:
    """An empty JSON Lines file has no columns, which is no difference."""
    manifest = sharded(tmp_path)
    (tmp_path / "features/corpus=aaa").mkdir()
    (tmp_path / "features/corpus=aaa/empty.jsonl").write_text("")
    assert run_manifest(manifest).exit_code == 0
    assert summary(tmp_path)["input_rows"] == 10
    assert len(pipeline.open_batch(tmp_path / "m.report.json").table("t").to_pandas()) == 10


def test_a_sidecar_that_changes_before_the_index(tmp_path: Path) -> None:
    """Shards that were joined from other scores are no part of an index: nothing is written."""
    batch = load_manifest(sharded(tmp_path))
    (table,) = BatchReport.of(batch).requires()
    assert luigi.build([*table.requires().values()], local_scheduler=True, log_level="CRITICAL")
    write_jsonl(tmp_path / "dover.jsonl", scores(11))
    with pytest.raises(InputError, match="shards or sidecars changed while they were joined"):
        table.run()
    assert not (tmp_path / "joined/_second_opinion.json").exists()


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ("dover.jsonl", {"clip_id": "z", "score": 1}),
        ("features/corpus=bvi/part-0.jsonl", {"clip_id": "z", "f": 1}),
    ],
)
def test_what_changes_while_the_whole_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, row: dict[str, object]
) -> None:
    """It is noticed before the index takes its name, and the next run makes all anew."""
    manifest = sharded(tmp_path)

    def changing(*given: Any) -> Any:
        write_jsonl(tmp_path / changed, [*read_jsonl(tmp_path / changed), row])
        return index_shards(*given)

    with monkeypatch.context() as patch:
        patch.setattr(shards, "index_shards", changing)
        assert run_manifest(manifest).exit_code == 1
    assert not (tmp_path / "joined/_second_opinion.json").exists()
    assert run_manifest(manifest).exit_code == 0


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


def test_a_faulty_shard_and_a_faulty_sidecar_fail_the_table(tmp_path: Path) -> None:
    """Why is in the failed report and on the screen, and what is sound is made."""
    sharded(tmp_path)
    (tmp_path / "features/corpus=chug/part-1.jsonl").write_text("nonsense\n")
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 1
    assert "features/corpus=chug/part-1.jsonl" in ended.stderr
    assert (tmp_path / "joined/corpus=bvi/part-0.jsonl").exists()
    write_jsonl(tmp_path / "dover.jsonl", [{"clip_id": "c0", "score": "good"}])
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 1
    assert "dover.jsonl line 1" in ended.stderr


def test_it_waits_for_the_first_shard(tmp_path: Path) -> None:
    """A folder without a table is waited for (exit 3), as is a sidecar."""
    manifest = sharded(tmp_path)
    shutil.move(tmp_path / "features", tmp_path / "later")
    assert run_manifest(manifest).exit_code == 3
    shutil.move(tmp_path / "later", tmp_path / "features")
    (tmp_path / "dover.jsonl").rename(tmp_path / "d")
    assert run_manifest(manifest).exit_code == 3
    (tmp_path / "d").rename(tmp_path / "dover.jsonl")
    assert run_manifest(manifest).exit_code == 0


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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"out": "joined.parquet"},
            r"tables\[0\]\.out: found 'joined\.parquet'; expected a folder such as 'joined/'",
        ),
        ({"features": "f.jsonl"}, r"tables\[0\]\.out: found the folder 'joined/'; expected a file"),
        ({"out_format": "xlsx"}, r"tables\[0\]\.out_format: found 'xlsx'; expected one of \.parquet"),
        (
            {"features": "f.jsonl", "out": "o.jsonl", "out_format": "csv"},
            r"tables\[0\]\.out_format: expected it with an out that is a folder",
        ),
        ({"features": "*/**/*.jsonl"}, "would be read, as"),
        ({"features": "features/corpus=*/*.jsonl", "out": "features/"}, "is also read|would be read"),
    ],
)
def test_faults_of_the_manifest(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    """A folder goes with many files, a file with one; no output may be among the features."""
    manifest = sharded(tmp_path, **changed)
    with pytest.raises(ManifestError, match=said):
        load_manifest(manifest)


def test_two_shards_of_one_name(tmp_path: Path) -> None:
    """Files whose joined names would be equal are named."""
    manifest = sharded(tmp_path, out_format="csv")
    (tmp_path / "features/corpus=bvi/part-0.csv").write_text("clip_id,f\nc1,2\n")
    assert run_manifest(manifest).exit_code == 1
    error = json.loads((tmp_path / "m.report.failed.json").read_text())["tables"][0]["error"]
    assert "would both be joined as 'joined/corpus=bvi/part-0.csv'" in error


def test_a_pattern_and_another_format(tmp_path: Path) -> None:
    """A pattern's shards keep their names below its fixed part; hidden files and those of other programs are left out."""
    manifest = sharded(tmp_path, features="features/corpus=chug/*.jsonl", out_format="csv.gz")
    (tmp_path / "features/_SUCCESS").write_text("")
    (tmp_path / "features/.part.crc").write_text("")
    assert run_manifest(manifest).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "joined").iterdir()) == [
        "_second_opinion.json",
        "part-0.csv.gz",
        "part-1.csv.gz",
    ]
    write_manifest(tmp_path / "n.json", [entry(out="other/", audit_json=None)])
    assert run_manifest(tmp_path / "n.json").exit_code == 0
    assert len([*(tmp_path / "other").rglob("*.jsonl")]) == 3


def test_the_tasks(tmp_path: Path) -> None:
    """The report needs the table, the table its shards, each shard its features and the scores that all share."""
    batch = load_manifest(sharded(tmp_path))
    (table,) = BatchReport.of(batch).requires()
    assert isinstance(table, JoinedTable)
    parts = table.requires()
    assert [*parts] == [f"features/{name}.jsonl" for name in SHARDS]
    assert all(isinstance(shard, JoinedShard) for shard in parts.values())
    needed = {shard.requires()["scores/0"].task_id for shard in parts.values()}
    assert len(needed) == 1
    assert table.output().path.endswith("joined/_second_opinion.json")
    assert luigi.build(
        [parts["features/corpus=bvi/part-0.jsonl"]], local_scheduler=True, log_level="CRITICAL"
    )
    assert (tmp_path / "joined/corpus=bvi/part-0.jsonl").exists()
    assert not (tmp_path / "joined/corpus=chug").exists()
    scores_task = parts["features/corpus=bvi/part-0.jsonl"].requires()["scores/0"]
    assert isinstance(scores_task, PreparedScores)
    assert scores_task.complete()
    write_jsonl(tmp_path / "dover.jsonl", scores(11))
    assert not scores_task.complete()


def test_prepared_scores_go_when_the_batch_is_complete(tmp_path: Path) -> None:
    """They are there as long as a shard may need them."""
    manifest = sharded(tmp_path, missing_policy="fail")
    write_jsonl(tmp_path / "dover.jsonl", scores(8))
    assert run_manifest(manifest).exit_code == 1
    folder = folder_of(load_manifest(manifest).state_dir)
    assert {path.suffix for path in folder.iterdir()} == {".arrow", ".json"}
    write_jsonl(tmp_path / "dover.jsonl", scores())
    assert run_manifest(manifest).exit_code == 0
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize("workers", [1, 4])
def test_the_bytes_do_not_depend_on_the_workers(tmp_path: Path, workers: int) -> None:
    """One worker and several write the same files."""
    for name, number in (("one", 1), ("several", workers)):
        (tmp_path / name).mkdir()
        ended = forked(tmp_path / name, "run", str(sharded(tmp_path / name)), "--workers", str(number))
        assert ended.returncode == 0, ended.stderr
    assert lasting(tmp_path / "one") == lasting(tmp_path / "several")


def test_workers_of_a_luigid_divide_the_shards(tmp_path: Path) -> None:
    """Two workers join each shard once, and write one report: that of a run without a luigid."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for folder in (alone, shared):
        folder.mkdir()
        sharded(folder)
    assert run_manifest(alone / "m.json").exit_code == 0
    with luigid(tmp_path / "luigid") as scheduler, contextlib.ExitStack() as stack:
        command = (*COMMAND, "run", "m.json", "--scheduler", scheduler.url)
        runs = [stack.enter_context(running(shared, *command)) for _ in range(2)]
        ended = [run.end() for run in runs]
    assert [each.returncode for each in ended] == [0, 0], ended
    assert lasting(shared) == lasting(alone)


def test_killed_before_every_change_to_a_file(tmp_path: Path) -> None:
    """A run that is killed before any change it makes is finished by the next; whole shards are not made again."""
    origin, whole = tmp_path / "start", tmp_path / "whole"
    origin.mkdir()
    sharded(origin)
    shutil.copytree(origin, whole)
    assert run_manifest(whole / "m.json").exit_code == 0
    expected = lasting(whole)
    copies = tmp_path / "copies"
    copies.mkdir()
    ended = started(copies, sys.executable, "-m", "tests.support.crashing", str(origin), "run", "m.json")
    assert ended.returncode == 0, ended.stderr
    for copy in sorted(copies.iterdir()):
        there = {
            name: (copy / name).stat().st_mtime_ns
            for name, content in lasting(copy).items()
            if name.startswith("joined/corpus") and expected.get(name) == content
        }
        assert run_manifest(copy / "m.json").exit_code == 0
        assert lasting(copy) == expected, copy.name
        assert {name: (copy / name).stat().st_mtime_ns for name in there} == there
        assert [name for name in tree(copy) if name.endswith(".tmp")] == []


def test_a_run_that_is_killed_is_resumed(tmp_path: Path) -> None:
    """Kill -9 of a run with processes: shards that are there stay as they are."""
    manifest = sharded(tmp_path)
    for number in range(30):
        write_jsonl(tmp_path / f"features/corpus=more/{number:02}.jsonl", rows(0, 12))
    with running(tmp_path, *COMMAND, "run", "m.json", "--workers", "2") as run:
        until(lambda: len([*(tmp_path / "joined").rglob("*.jsonl")]) > 3, "some joined shards")
        os.killpg(run.pid, signal.SIGKILL)
        run.end()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "joined").rglob("[!.]*.jsonl")}
    assert run_manifest(manifest).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert summary(tmp_path)["input_rows"] == 370


def test_sidecars_are_prepared_in_groups(tmp_path: Path) -> None:
    """Sidecars of one label are read together, those of others beside them; without a label all are together."""
    manifest = sharded(
        tmp_path, scores=["dover=dover.jsonl", "q=q.jsonl", "dover=more.jsonl"], audit_json=None
    )
    write_jsonl(tmp_path / "more.jsonl", [{"clip_id": "c99", "score": 1}])
    write_jsonl(tmp_path / "q.jsonl", scores(5))
    write_jsonl(tmp_path / "all.jsonl", [row for each in SHARDS.values() for row in rows(*each)])
    table = load_manifest(manifest).table("t")
    assert groups(table) == [(0, 2), (1,)]
    assert groups(replace(table, scores=(*table.scores, SidecarEntry("free.jsonl")))) == [(0, 1, 2, 3)]
    assert run_manifest(manifest, workers=2).exit_code == 0
    one = entry(features="all.jsonl", out="one.jsonl", scores=[*table.as_json()["scores"]], audit_json=None)
    write_manifest(tmp_path / "one.json", [one])
    assert run_manifest(tmp_path / "one.json").exit_code == 0
    assert summary(tmp_path) == summary(tmp_path, "one")


def test_a_pattern_with_an_output_that_is_a_file(tmp_path: Path) -> None:
    """It is the name of one file, which may have a star; where there is none, the message says what a pattern needs."""
    sharded(tmp_path, features="f*.jsonl", out="o.jsonl")
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 3
    assert "for a pattern, expected an out that is a folder such as 'joined/'" in ended.stderr
    write_jsonl(tmp_path / "f*.jsonl", rows(0, 2))
    assert forked(tmp_path, "run", "m.json").returncode == 0
    assert len(read_jsonl(tmp_path / "o.jsonl")) == 2
