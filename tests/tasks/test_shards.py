"""Tables in shards: the whole is judged, and what changed is made again alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.errors import ManifestError
from pipeline.manifest.batch import load_manifest
from tests.join.test_oracle import COMMON
from tests.support.builders import (
    read_jsonl,
    run_manifest,
    stamps,
    write_jsonl,
    write_manifest,
)
from tests.support.forks import forked
from tests.support.sharded import SHARDS, entry, made, rows, scores, sharded, summary, write_parquet


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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"out": "joined.parquet"},
            r"tables\[0\]\.out: found 'joined\.parquet'; expected a folder such as 'joined/'",
        ),
        ({"features": "f.jsonl"}, r"tables\[0\]\.out: found the folder 'joined/'; expected a file"),
        (
            {"features": "f/*.jsonl", "out": "joined"},
            r"tables\[0\]\.out: found 'joined'; .* or a folder with / at its end",
        ),
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


def test_a_pattern_with_an_output_that_is_a_file(tmp_path: Path) -> None:
    """It is the name of one file, which may have a star; where there is none, the message says what a pattern needs."""
    sharded(tmp_path, features="f*.jsonl", out="o.jsonl")
    ended = forked(tmp_path, "run", "m.json")
    assert ended.returncode == 3
    assert "for a pattern, expected an out that is a folder such as 'joined/'" in ended.stderr
    write_jsonl(tmp_path / "f*.jsonl", rows(0, 2))
    assert forked(tmp_path, "run", "m.json").returncode == 0
    assert len(read_jsonl(tmp_path / "o.jsonl")) == 2
