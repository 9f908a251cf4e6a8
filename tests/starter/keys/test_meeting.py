"""`init`: which keys meet, and under which options."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.builders import (
    clips,
    write_jsonl,
)
from tests.support.starters import counts, features, init


@pytest.mark.parametrize("column", ["flickr_id", "vid", "Video", "clip_id", "path", "nobody_knows"])
def test_any_column_may_be_the_key(tmp_path: Path, column: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The key column is the one whose values meet, whatever its name, and not a better named one that does not meet."""
    features(tmp_path / "features.jsonl", ["a1", "b2", "c3"], column, basename="x", name="y.mp4")
    write_jsonl(tmp_path / "dover.jsonl", clips("a1", "b2", "c3", score=1.5))
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["key_column"] == column
    assert f"key_column {column}: it has 3 of the 3 keys of a sidecar" in said
    assert counts(tmp_path / "second-opinion.json")[table["id"]] == {"dover": (3, 0)}


@pytest.mark.parametrize(
    ("ours", "theirs", "option"),
    [
        ("{}", "d/{}.mp4", {"key_normalize": "stem"}),
        ("{}.mp4", "d/{}.mp4", {"key_normalize": "basename"}),
        ("{}", "{}_crf_10.mp4", {"key_normalize": "stem", "score_key_regex": "^(.+?)_crf_10$"}),
        ("{}", "orig_{}_540.mp4", {"key_normalize": "stem", "score_key_regex": "^orig_(.+?)_540$"}),
        ("{}__ref", "{}.yuv", {"key_normalize": "stem", "key_regex": "^(.+?)__ref$"}),
        ("{}", "{}", {}),
    ],
)
def test_keys_are_brought_together(
    tmp_path: Path, ours: str, theirs: str, option: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The normalisation under which all keys meet is proposed, with a regex for what stands around them."""
    names = ["clipA1", "clipB2", "clipC3", "clipD4"]
    features(tmp_path / "features.jsonl", [ours.format(name) for name in names], "vid")
    rows = [{"clip_id": theirs.format(name), "score": 1.5} for name in names]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    chosen = ("key_normalize", "score_key_regex", "key_regex")
    assert {name: table[name] for name in chosen if name in table} == option
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (4, 0)}


def test_a_suffix_that_varies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where what stands behind the key varies, its common beginning ends the key."""
    names = [f"clip_{row:02d}" for row in range(12)]
    features(tmp_path / "features.jsonl", names, "vid")
    rows = [{"path": f"{name}_crf_{10 + row}.mp4", "score": 1.5} for row, name in enumerate(names)]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["score_key_regex"].startswith("^(.+?)_crf_")
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (12, 0)}


def test_one_regex_serves_sidecars_with_and_without_a_suffix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A regex holds for all sidecars of a table, so what only some have is optional in it."""
    names = [f"clip_{row:02d}" for row in range(12)]
    features(tmp_path / "features.jsonl", names, "vid")
    write_jsonl(tmp_path / "dover.jsonl", [{"path": f"{name}_crf.mp4", "score": 1.5} for name in names])
    write_jsonl(tmp_path / "musiq.jsonl", [{"path": f"{name}.mp4", "score": 2.5} for name in names])
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["score_key_regex"] == "^(.+?)(?:_crf)?$"
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (12, 0), "musiq": (12, 0)}


def test_a_sidecar_goes_with_the_nearest_table_that_has_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two corpora may use the same plain numbers: the scores of one are not joined onto the other."""
    names = [f"{row:04d}" for row in range(20)]
    for corpus in ("lsvq", "maxwell"):
        features(tmp_path / corpus / "features.jsonl", names)
        write_jsonl(tmp_path / corpus / f"{corpus}_dover.jsonl", clips(*names, score=1.5))
    tables, said = init(tmp_path, capsys)
    assert {name: table["scores"] for name, table in tables.items()} == {
        name: [f"{name}_dover={name}/{name}_dover.jsonl"] for name in ("lsvq", "maxwell")
    }
    assert "lsvq/lsvq_dover.jsonl: not joined onto maxwell/features.jsonl, although 20 keys match" in said


def test_shards_share_a_sidecar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several feature tables in a folder each get the scores of their clips."""
    for shard in "ab":
        features(tmp_path / f"shard_{shard}.features.jsonl", [f"{shard}{row}" for row in range(5)])
    write_jsonl(
        tmp_path / "dover.jsonl", clips(*(f"{shard}{row}" for shard in "ab" for row in range(5)), score=1.5)
    )
    assert set(init(tmp_path, capsys)[0]) == {"shard_a", "shard_b"}
    assert counts(tmp_path / "second-opinion.json") == {f"shard_{each}": {"dover": (5, 0)} for each in "ab"}


def test_keys_far_below_the_sample_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields are told by the first thousand rows, matches counted over all of them."""
    names = [f"clip_{row}" for row in range(5000)]
    columns = {"vid": names, "name": ["same"] * 5000, "blur": [0.5] * 5000}
    pq.write_table(pa.table(columns), tmp_path / "features.parquet")
    write_jsonl(tmp_path / "dover.jsonl", clips(*names[3000:], score=1.5))
    _, said = init(tmp_path, capsys)
    assert "dover: 2000 matched, 3000 missing, 0 bad, 0 unused" in said
