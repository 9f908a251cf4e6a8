"""A batch whose files are all in a bucket: reruns, failures, verification, copies, as for a local batch."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pipeline
from tests.objects.conftest import Stored
from tests.support.builders import clips, write_jsonl, write_manifest
from tests.support.forks import forked
from tests.support.processes import COMMAND, luigid, running

pytestmark = pytest.mark.objects


def scores(score: object = 1) -> bytes:
    """A sidecar of one clip more than the others have."""
    rows = [*clips("c0", "c1", score=2), *clips("new", score=score)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_run_gives_the_bytes_of_a_local_run(stored: Stored) -> None:
    """Joined tables, audits and reports are byte for byte those of the same files in a folder."""
    assert stored("run").returncode == 0
    assert stored.as_locally("out/", "m.rep") == 8


def test_a_second_run_touches_and_reads_nothing(stored: Stored) -> None:
    """Nothing is written again; no content is read, and requests are at most two per file and a listing per folder."""
    assert stored("run").returncode == 0
    before = stored.bucket.etags()
    assert stored("run").returncode == 0
    assert stored.bucket.etags() == before
    assert stored.read_contents() == []
    assert not [method for method, _ in stored.proxy.seen if method in ("PUT", "POST", "DELETE")]
    assert len(stored.proxy.seen) <= 2 * len(before) + 4
    assert stored("status").returncode == 0
    assert stored.read_contents() == []


@pytest.mark.parametrize(
    ("change", "said", "made"),
    [
        (lambda bucket: bucket.put("b.dover.jsonl", scores()), "b: stale\n    scores[0]: changed", {"b"}),
        (lambda bucket: bucket.delete("out/b.parquet"), "b: missing\n    out: deleted", {"b"}),
        (lambda bucket: bucket.put("out/b.parquet", b"edited"), "b: stale\n    out: edited", {"b"}),
        (lambda bucket: bucket.delete("out/c.audit.json"), "c: stale\n    audit_json: deleted", {"c"}),
    ],
    ids=["sidecar", "deleted", "edited", "audit"],
)
def test_a_change_rebuilds_its_table_alone(
    stored: Stored, change: Callable[[object], object], said: str, made: set[str]
) -> None:
    """`status` names the change, and the next run makes that table and leaves the others."""
    assert stored("run").returncode == 0
    change(stored.bucket)
    assert said in stored("status").stdout
    stored.proxy.seen.clear()
    assert stored("run").returncode == 0
    put = {Path(path).name[0] for method, path in stored.proxy.seen if method == "PUT" and "/out/" in path}
    assert put == made
    assert stored("status").returncode == 0


def test_a_deleted_input_invalidates_nothing(stored: Stored) -> None:
    """A table whose sidecar has gone stays complete."""
    assert stored("run").returncode == 0
    stored.bucket.delete("a.dover.jsonl")
    ended = stored("status")
    assert ended.returncode == 0
    assert "input is missing, scores[0]: a.dover.jsonl" in ended.stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_half_failed_batch(stored: Stored, workers: str) -> None:
    """The sound tables are there; the failed report lies beside the good one and goes with the next complete run."""
    assert stored("run").returncode == 0
    good = stored.bucket.get("m.report.json")
    stored.bucket.put("b.dover.jsonl", scores(score="good"))
    stored.bucket.put("c.dover.jsonl", scores(score=3))
    ended = stored("run", "--workers", workers)
    assert ended.returncode == 1
    assert "b.dover.jsonl line 3" in ended.stderr
    failed = json.loads(stored.bucket.get("m.report.failed.json"))
    assert [table["status"] for table in failed["tables"]] == ["ok", "failed", "ok"]
    assert stored.bucket.get("m.report.json") == good
    stored.bucket.put("b.dover.jsonl", scores(score=5))
    assert stored("run").returncode == 0
    assert not [name for name in stored.bucket.etags() if "failed" in name]
    assert stored.bucket.get("m.report.json") != good


def test_an_input_that_is_not_there_is_waited_for(stored: Stored) -> None:
    """A run waits for it (exit 3), and joins when it is there."""
    stored.bucket.delete("a.dover.jsonl")
    ended = stored("run")
    assert ended.returncode == 3
    assert "a.dover.jsonl: the file is not there yet" in ended.stderr
    stored.bucket.put("a.dover.jsonl", scores())
    assert stored("run").returncode == 0


def test_verify_reads_everything(stored: Stored) -> None:
    """An edited and a deleted object are found, each by its name; a sound batch has no fault."""
    assert stored("run").returncode == 0
    assert stored("verify").returncode == 0
    assert len({path for path in stored.read_contents() if "/out/" in path}) == 6
    stored.bucket.put("out/a.parquet", b"edited")
    stored.bucket.delete("out/b.parquet")
    ended = stored("verify")
    assert ended.returncode == 1
    assert "'out/a.parquet' has changed since the report was written" in ended.stderr
    assert "'out/b.parquet' is missing" in ended.stderr


def test_a_copy_verifies_where_it_is(stored: Stored, tmp_path: Path) -> None:
    """Reports name files from their base, so that a copy verifies in another folder of a store and on a disk."""
    assert stored("run").returncode == 0
    names = [name for name in stored.bucket.etags() if ".state" not in name]
    for name in names:
        content = stored.bucket.get(name)
        stored.bucket.put(f"copy/{name}", content)
        place = tmp_path / "copy" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for copy in (f"{stored.bucket.uri}/copy", str(tmp_path / "copy")):
        assert pipeline.verify(f"{copy}/m.report.json").ok
        assert pipeline.open_batch(f"{copy}/m.report.json").table("a").to_pandas().shape[0] == 2
        assert pipeline.diff(stored.report, f"{copy}/m.report.json").is_equal


def test_tables_are_opened_by_uri(stored: Stored) -> None:
    """A training job reads a table of the bucket as pandas and in batches, and is refused one that was edited."""
    assert stored("run").returncode == 0
    sha256 = hashlib.sha256(stored.bucket.get("m.report.json")).hexdigest()
    table = pipeline.open_batch(stored.report, sha256=sha256).table("a")
    assert "second_opinion_dover_score" in table.to_pandas().columns
    assert sum(batch.num_rows for batch in table.batches()) == 2
    stored.bucket.put("out/a.parquet", stored.bucket.get("out/b.parquet")[:-1] + b"x")
    with pytest.raises(pipeline.SecondOpinionError, match=r"out/a\.parquet: the file has changed"):
        pipeline.open_batch(stored.report).table("a").to_pandas()


def test_a_table_may_be_mixed_with_local_files(stored: Stored) -> None:
    """A local manifest joins a local table onto scores in a bucket, and writes into the bucket."""
    table = {
        "id": "t",
        "features": "a.jsonl",
        "scores": [f"dover={stored.bucket.uri}/a.dover.jsonl"],
        "out": f"{stored.bucket.uri}/mixed/t.jsonl",
        "audit_json": "t.audit.json",
    }
    (stored.folder / "mixed.json").write_text(json.dumps({"tables": [table]}))
    for _ in range(2):
        assert forked(stored.folder, "run", "mixed.json", **stored.environ).returncode == 0
    assert b"second_opinion_dover_score" in stored.bucket.get("mixed/t.jsonl")
    assert forked(stored.folder, "verify", "mixed.report.json", **stored.environ).returncode == 0
    outputs = json.loads((stored.folder / "mixed.report.json").read_text())["tables"][0]["outputs"]
    assert outputs["out"]["path"] == f"{stored.bucket.uri}/mixed/t.jsonl"


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl.gz", "t.json", "t.parquet"])
def test_join_writes_into_a_bucket(stored: Stored, name: str) -> None:
    """A single table in each format is the one that `join` writes locally."""
    uri = stored.bucket.uri
    given = ("join", "--features", f"{uri}/a.jsonl", "--scores", f"dover={uri}/a.dover.jsonl", "--out")
    ended = forked(stored.folder, *given, f"{uri}/joined/{name}", **stored.environ)
    assert ended.returncode == 0, ended.stderr
    local = ("join", "--features", "a.jsonl", "--scores", "dover=a.dover.jsonl", "--out", f"joined/{name}")
    assert forked(stored.folder, *local).returncode == 0
    joined = stored.bucket.get(f"joined/{name}")
    if name == "t.parquet":  # its fingerprint is of names too
        assert len(joined) > 0
    elif not name.endswith(".gz"):
        assert joined.replace(uri.encode() + b"/", b"") == (stored.folder / "joined" / name).read_bytes()


def test_a_table_in_shards(stored: Stored) -> None:
    """Its shards and its index are those of a local run, a rerun writes nothing, and it is opened by URI."""
    for number in range(3):
        write_jsonl(stored.folder / f"features/corpus=x{number}/p.jsonl", clips(f"c{number}"))
    table = {"id": "t", "features": "features/", "scores": ["dover=a.dover.jsonl"], "out": "joined/"}
    write_manifest(stored.folder / "m.json", [table])
    stored.bucket.fill(stored.folder)
    ended = stored("run", "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    assert stored.as_locally("joined/", "m.rep") == 6
    before = stored.bucket.etags()
    assert stored("run").returncode == 0
    assert stored.bucket.etags() == before
    assert stored("verify").returncode == 0
    assert pipeline.open_batch(stored.report).table("t").to_pandas()["corpus"].tolist() == ["x0", "x1", "x2"]


def test_other_commands(stored: Stored) -> None:
    """`check --preview`, `cite` and `diff` take URIs."""
    assert stored("check", "--preview").returncode == 0
    assert stored("run").returncode == 0
    assert "out/a.parquet" in stored("cite").stdout
    assert forked(stored.folder, "diff", stored.report, stored.report, **stored.environ).returncode == 0


def test_workers_of_a_luigid_divide_a_batch(stored: Stored, tmp_path: Path) -> None:
    """Two workers of a luigid make each table once, and there is one report."""
    command = (*COMMAND, "run", stored.manifest, "--scheduler")
    with luigid(tmp_path / "luigid") as scheduler, contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(running(tmp_path, *command, scheduler.url, **stored.environ))
            for _ in range(2)
        ]
        assert [run.end().returncode for run in runs] == [0, 0]
    joined = [Path(path).name for method, path in stored.proxy.seen if method == "PUT" and "/out/" in path]
    assert sorted(name for name in joined if name.endswith(".parquet")) == [
        "a.parquet",
        "b.parquet",
        "c.parquet",
    ]
    assert stored("verify").returncode == 0
