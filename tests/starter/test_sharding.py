"""`init` proposes files that are shards of one table as one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.starter.sharding import starred
from tests.support.builders import run_main, write_jsonl
from tests.support.sharded import SHARDS, scores
from tests.support.starters import counts, init


def shard(first: int, last: int) -> list[dict[str, Any]]:
    """The features of some clips, in two measures."""
    return [{"clip_id": f"c{clip}", "blur": clip / 2, "noise": clip / 3} for clip in range(first, last)]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("features/shard_000.features.jsonl", "features/shard_*.features.jsonl"),
        ("features/corpus=chug/part-0.parquet", "features/corpus=*/part-*.parquet"),
        (
            "f/part-00000-3f2a9c1e-11aa-4b7d-9f00-c0ffee00aa11-c000.snappy.parquet",
            "f/part-*.snappy.parquet",
        ),
        ("konvid_1k/features.jsonl.gz", "konvid_1k/features.jsonl.gz"),
        ("set1/deadbeef.csv", "set1/deadbeef.csv"),
    ],
)
def test_patterns(name: str, pattern: str) -> None:
    """Numbers in the name of a file, and values of hive partitions, tell shards apart; names of folders do not."""
    assert starred(name) == pattern


def test_numbered_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files whose names differ in a number are one table; one in which no clip has a score is one of them."""
    for number in range(4):
        write_jsonl(tmp_path / f"features/shard_{number:03}.jsonl", shard(10 * number, 10 * number + 10))
    write_jsonl(tmp_path / "dover.jsonl", scores(30))
    tables, said = init(tmp_path, capsys)
    table = tables["features"]
    assert (table["features"], table["out"]) == ("features/shard_*.jsonl", "joined/features/")
    assert table["out_format"] == "parquet"
    assert "features features/shard_*.jsonl: 4 files with the same columns are its shards" in said
    assert "left out" not in said
    assert counts(tmp_path / "second-opinion.json") == {"features": {"dover": (30, 10)}}
    assert sorted(path.name for path in (tmp_path / "joined/features").iterdir()) == [
        "_second_opinion.json",
        *(f"shard_{number:03}.parquet" for number in range(4)),
    ]


def test_hive_partitions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with hive partitions that holds nothing else is one table; its sidecars lie no farther for them."""
    for name, (first, last) in SHARDS.items():
        write_jsonl(tmp_path / f"features/{name}.jsonl", shard(10 * first, 10 * last))
    write_jsonl(tmp_path / "other/features.jsonl", shard(0, 9))
    write_jsonl(tmp_path / "dover.jsonl", scores(100))
    tables, _ = init(tmp_path, capsys)
    assert tables["features"]["features"] == "features/"
    assert counts(tmp_path / "second-opinion.json")["features"] == {"dover": (100, 0)}


def test_a_sidecar_beside_the_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern that would take a sidecar as a shard is not proposed: the files stay tables of their own."""
    for number in (1, 2):
        write_jsonl(tmp_path / f"all/{number}.jsonl", shard(10 * number, 10 * number + 10))
    write_jsonl(tmp_path / "all/3.jsonl", scores(30))
    tables, _ = init(tmp_path, capsys)
    assert {table["features"] for table in tables.values()} == {"all/1.jsonl", "all/2.jsonl"}


def test_other_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files with other columns are tables of their own, whatever their names."""
    write_jsonl(tmp_path / "set_1.features.jsonl", shard(0, 9))
    write_jsonl(tmp_path / "set_2.features.jsonl", [row | {"codec": "av1"} for row in shard(9, 18)])
    write_jsonl(tmp_path / "dover.jsonl", scores(18))
    assert set(init(tmp_path, capsys)[0]) == {"set_1", "set_2"}


def test_the_same_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files with the same clips are versions of a table, and no shards; clips on the border of two shards may be in both."""
    for version in (1, 2):
        write_jsonl(tmp_path / f"versions/v{version}.features.jsonl", shard(0, 10))
        write_jsonl(tmp_path / f"frames/{version}.features.jsonl", shard(20 * version, 20 * version + 21))
    write_jsonl(tmp_path / "dover.jsonl", scores(70))
    tables, _ = init(tmp_path, capsys)
    assert {name: table["features"] for name, table in tables.items()} == {
        "frames": "frames/*.features.jsonl",
        "v1": "versions/v1.features.jsonl",
        "v2": "versions/v2.features.jsonl",
    }


def test_the_manifest_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folders of a table in shards are named from the manifest's own folder."""
    for name, (first, last) in SHARDS.items():
        write_jsonl(tmp_path / f"data/features/{name}.jsonl", shard(10 * first, 10 * last))
    write_jsonl(tmp_path / "data/dover.jsonl", scores(100))
    assert run_main(capsys, "init", tmp_path / "data", "--out", tmp_path / "m.json").code == 0
    (table,) = json.loads((tmp_path / "m.json").read_text("utf-8"))["tables"]
    assert (table["features"], table["out"]) == ("data/features/", "data/joined/features/")
    assert counts(tmp_path / "m.json") == {"features": {"dover": (100, 0)}}
