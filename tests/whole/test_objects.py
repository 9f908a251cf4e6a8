"""Batches whose features and scores are objects of a store: whole commands, as for local files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import read_jsonl, write_jsonl, write_manifest
from tests.support.processes import COMMAND, LUIGI, running, until, writers
from tests.support.proxies import Proxy, proxied
from tests.support.receiver import receiving
from tests.support.stores import Bucket, environment_of

pytestmark = pytest.mark.objects


@pytest.fixture
def proxy(store_endpoint: str) -> Iterator[Proxy]:
    """The store as commands reach it."""
    with proxied(store_endpoint) as found:
        yield found


def _rows(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _features(bucket: Bucket, rows: int = 3) -> str:
    return bucket.put("features.jsonl", _rows(*({"clip_id": f"c{row}", "f": row} for row in range(rows))))


def _scores(bucket: Bucket, key: str = "scores/a.jsonl", factor: float = 10) -> str:
    return bucket.put(key, _rows(*({"clip_id": f"c{row}", "score": row * factor} for row in range(3))))


def _manifest(folder: Path, bucket: Bucket, *scores: object, **table: object) -> Path:
    given: dict[str, object] = {
        "id": "t",
        "features": f"{bucket.uri}/features.jsonl",
        "scores": [*scores] or [{"label": "dover", "path": f"{bucket.uri}/scores/*.jsonl"}],
        "out": "joined/t.jsonl",
    }
    return write_manifest(folder / "m.json", [given | table])


def _run(folder: Path, proxy: Proxy, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return _command(folder, proxy, *COMMAND, *arguments, **environ)


def _command(folder: Path, proxy: Proxy, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    proxy.seen.clear()
    with running(folder, *command, **(environment_of(proxy.endpoint) | environ)) as process:
        return process.end()


def _column(folder: Path, name: str = "second_opinion_dover_score") -> list[Any]:
    return [row[name] for row in read_jsonl(folder / "joined/t.jsonl")]


def test_a_batch_of_objects_and_local_files(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """Objects and local files go into one table; a second run and status read no content; verify reads everything."""
    _features(bucket)
    _scores(bucket)
    write_jsonl(tmp_path / "other.jsonl", [{"clip_id": "c0", "score": 7}])
    pattern = {"label": "dover", "path": f"{bucket.uri}/scores/*.jsonl"}
    _manifest(tmp_path, bucket, pattern, "other=other.jsonl", audit_json="joined/t.json")

    ended = _run(tmp_path, proxy, "run", "m.json")
    assert ended.returncode == 0, ended.stderr
    assert _column(tmp_path) == [0, 10, 20]
    assert _column(tmp_path, "second_opinion_other_score") == [7, None, None]
    inputs = json.loads((tmp_path / "m.report.json").read_text())["tables"][0]["inputs"]
    assert {role: each["path"] for role, each in inputs.items()} == {
        "features": f"{bucket.uri}/features.jsonl",
        f"scores[0]/{bucket.uri}/scores/a.jsonl": f"{bucket.uri}/scores/a.jsonl",
        "scores[1]": "other.jsonl",
    }

    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    assert proxy.contents == []
    assert len(proxy.seen) == 2  # a look at the features, and one listing of the scores
    assert _run(tmp_path, proxy, "status", "m.json").returncode == 0
    assert proxy.contents == []
    ended = _run(tmp_path, proxy, "verify", "m.report.json")
    assert ended.returncode == 0
    assert len(proxy.contents) == 2


def test_a_replaced_object_rebuilds_its_table(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """Status names the replaced input, verify refuses the report, a run joins again with the new scores."""
    _features(bucket)
    _scores(bucket)
    _manifest(tmp_path, bucket)
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    uri = _scores(bucket, factor=5)
    ended = _run(tmp_path, proxy, "status", "m.json")
    assert ended.returncode == 1
    assert f"scores[0]/{uri}: changed, '{uri}'" in ended.stdout
    ended = _run(tmp_path, proxy, "verify", "m.report.json")
    assert ended.returncode == 1
    assert f"'{uri}' has changed since the report was written" in ended.stderr
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    assert _column(tmp_path) == [0, 5, 10]
    bucket.put("scores/b.jsonl", _rows({"clip_id": "c9", "score": 1}))
    assert "new input" in _run(tmp_path, proxy, "status", "m.json").stdout


def test_an_object_that_is_written_again_alike_rebuilds_nothing(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    """What counts is the content: the same bytes under another name of the store's are hashed once, and known then."""
    _features(bucket)
    _scores(bucket)
    _manifest(tmp_path, bucket)
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    before = (tmp_path / "joined/t.jsonl").stat()
    _scores(bucket)
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    assert (tmp_path / "joined/t.jsonl").stat().st_ino == before.st_ino


def test_a_missing_object_is_waited_for(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """A table waits for an object and for a pattern without one (exit 3), and is joined when they are there."""
    bucket.put("made", b"")
    _manifest(tmp_path, bucket)
    ended = _run(tmp_path, proxy, "run", "m.json")
    assert ended.returncode == 3
    assert f"{bucket.uri}/features.jsonl: the file is not there yet" in ended.stderr
    assert f"{bucket.uri}/scores/*.jsonl: no file matches yet" in ended.stderr
    assert _run(tmp_path, proxy, "check", "--preview", "m.json").returncode == 3
    _features(bucket)
    _scores(bucket)
    assert _run(tmp_path, proxy, "check", "--preview", "m.json").returncode == 0
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0


def test_a_killed_run_is_resumed(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """Kill -9 in the middle of a read leaves nothing under a final name; the next run makes the same table.

    The helper that reads ends with those who asked.
    """
    _features(bucket, rows=40_000)
    _scores(bucket)
    _manifest(tmp_path, bucket, missing_policy="mark")
    with running(tmp_path, *COMMAND, "run", "m.json", **environment_of(proxy.endpoint)) as process:
        until(lambda: writers(process, tmp_path / "joined"), "a table that is being written", every=0.0005)
        process.kill()
    assert not (tmp_path / "joined/t.jsonl").exists()
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    assert len(read_jsonl(tmp_path / "joined/t.jsonl")) == 40_000
    assert [path.name for path in (tmp_path / "joined").iterdir()] == ["t.jsonl"]


def test_tables_in_processes_of_their_own(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """Large tables are joined in forks of a process that has looked at the objects itself."""
    _features(bucket, rows=40_000)
    _scores(bucket)
    entries = [
        {
            "id": f"t{number}",
            "features": f"{bucket.uri}/features.jsonl",
            "scores": [f"dover={bucket.uri}/scores/a.jsonl"],
            "out": f"joined/t{number}.parquet",
        }
        for number in range(3)
    ]
    write_manifest(tmp_path / "m.json", entries)
    ended = _run(tmp_path, proxy, "run", "m.json", "--workers", "2")
    assert ended.returncode == 0, ended.stderr


def test_luigi_shows_and_runs_the_batch(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """Luigi's tree of dependencies names the objects, and its own command line runs the batch."""
    _features(bucket)
    _scores(bucket)
    _manifest(tmp_path, bucket)
    tree = (*("-m", "luigi.tools.deps_tree", "--module", "pipeline"), "second_opinion.BatchReport")
    ended = _command(tmp_path, proxy, sys.executable, *tree, "--manifest", "m.json")
    assert ended.returncode == 0, ended.stderr
    assert f"{bucket.uri}/scores/*.jsonl" in ended.stdout
    assert proxy.contents == []
    ended = _command(
        tmp_path, proxy, *LUIGI, "second_opinion.BatchReport", "--manifest", "m.json", "--local-scheduler"
    )
    assert ended.returncode == 0, ended.stderr
    assert _column(tmp_path) == [0, 10, 20]


def test_lineage_names_objects_by_bucket_and_name(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """In events an object is a dataset named by scheme and bucket, and by its own name; outputs are local files."""
    pytest.importorskip("openlineage.client", reason="the extra `lineage` is not installed")
    _features(bucket)
    _scores(bucket)
    _manifest(tmp_path, bucket)
    with receiving() as receiver:
        ended = _run(tmp_path, proxy, "run", "m.json", OPENLINEAGE_URL=receiver.url)
    assert ended.returncode == 0, ended.stderr
    joined = [each for each in receiver.events if each["job"]["name"].endswith("JoinedTable.t")][-1]
    folder = bucket.uri.removeprefix("s3://tests/")
    assert {(each["namespace"], each["name"]) for each in joined["inputs"]} == {
        ("s3://tests", f"{folder}/features.jsonl"),
        ("s3://tests", f"{folder}/scores/*.jsonl"),
    }
    origins = joined["outputs"][0]["facets"]["columnLineage"]["fields"]["f"]["inputFields"]
    assert [(each["namespace"], each["name"]) for each in origins] == [
        ("s3://tests", f"{folder}/features.jsonl")
    ]


def test_join_takes_uris(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """`join` reads objects too, also one whose name has an equals sign."""
    features = _features(bucket)
    scores = _scores(bucket, "corpus=chug/part.jsonl")
    arguments = ("join", "--features", features, "--out", "t.csv", "--scores")
    ended = _run(tmp_path, proxy, *arguments, f"dover={scores}")
    assert ended.returncode == 0, ended.stderr
    assert "dover: 3 matched, 0 missing" in ended.stdout


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, "the store refuses it (403)"),
        ({"AWS_ENDPOINT": "http://user:wrong-secret@127.0.0.1:1"}, "the store cannot be reached"),
    ],
)
def test_a_store_that_does_not_answer_fails_the_table(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    """The table fails with the URI and the cause (exit 1); no secret is in what is written or printed."""
    _features(bucket)
    scores = _scores(bucket)
    _manifest(tmp_path, bucket, f"dover={scores}")
    ended = _run(tmp_path, proxy, "run", "m.json", **environ)
    assert ended.returncode == 1
    assert f"{bucket.uri}/features.jsonl: cannot be read: {expected}" in ended.stderr
    told = [ended.stdout, ended.stderr, *(path.read_text() for path in tmp_path.rglob("*") if path.is_file())]
    assert not [text for text in told if "secret" in text.replace("the secret", "")]


def test_an_object_that_is_replaced_during_a_run_fails_its_table(
    bucket: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    """Nothing is written from two versions of an input; the next run joins the new one."""
    _features(bucket, rows=40_000)
    scores = _scores(bucket)
    _manifest(tmp_path, bucket, f"dover={scores}", missing_policy="mark")
    contents = iter(range(1_000))

    def replace(method: str, path: str) -> None:
        if method == "GET" and "features" in path and next(contents) == 2:
            _features(bucket, rows=40_001)

    proxy.fault = replace
    ended = _run(tmp_path, proxy, "run", "m.json")
    assert ended.returncode == 1
    assert f"{bucket.uri}/features.jsonl: the object was replaced" in ended.stderr
    assert not (tmp_path / "joined/t.jsonl").exists()
    assert _run(tmp_path, proxy, "run", "m.json").returncode == 0
    assert len(read_jsonl(tmp_path / "joined/t.jsonl")) == 40_001


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("run", "m.json", "--base-dir", "s3://b/x"),
            "the base folder: found 's3://b/x'; expected a place in local folders",
        ),
        (
            ("run", "m.json", "--report-json", "s3://b/r.json"),
            "the report: found 's3://b/r.json'; expected a place in",
        ),
        (("run", "s3://b"), "a manifest: found 's3://b'; expected the name of an object"),
        (
            ("verify", "s3://k:secret@b/r.json"),
            "a report: found credentials or a query in 's3://***@b/r.json'",
        ),
        (("run", "ftp://b/m.json"), "expected a path, or a URI with s3://, gs://, az://"),
    ],
)
def test_places_that_cannot_be(
    bucket: Bucket, proxy: Proxy, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    """Manifest, base folder and report are in one place, and no URI has credentials; the message says so (exit 2)."""
    _manifest(tmp_path, bucket)
    ended = _run(tmp_path, proxy, *arguments)
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert "secret" not in ended.stderr.replace("set them in the environment", "")
    assert proxy.seen == []


def test_a_killed_run_leaves_no_helper(bucket: Bucket, proxy: Proxy, tmp_path: Path) -> None:
    """The process that reads from stores ends when those who asked it have ended, however that was."""
    _features(bucket, rows=40_000)
    _scores(bucket)
    _manifest(tmp_path, bucket)
    helpers: set[int] = set()

    def see(_method: str, _path: str) -> None:
        helpers.update(_helpers())

    proxy.fault = see
    with running(tmp_path, *COMMAND, "run", "m.json", **environment_of(proxy.endpoint)) as process:
        until(lambda: proxy.contents, "a read")
        process.kill()
    assert helpers
    until(lambda: not helpers & _helpers() or None, "the end of the helper")


def _helpers() -> set[int]:
    """The processes that read from stores, by number."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"objects/helper.py" in path.read_bytes():
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found
