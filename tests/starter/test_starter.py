"""`init`: a first manifest for a folder, which always passes `check`, and runs where the inputs are sound."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.manifest.batch import load_manifest
from tests.support.builders import (
    clips,
    run_main,
    tree,
    write_jsonl,
    write_text,
)
from tests.support.starters import counts, features, init

DATA = Path(__file__).parents[3] / "shared" / "data"
DEMO = Path(__file__).parents[2] / "manifests" / "demo"


@pytest.mark.skipif(not DATA.is_dir(), reason="the corpora are not free to ship")
def test_real_corpora(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All clips of KoNViD-1k and the 1147 scored ones of YouTube-UGC meet; CHUG, which has no scores, is left out."""
    shutil.copytree(DATA, tmp_path / "data", copy_function=shutil.copy)
    (tmp_path / "data").chmod(0o755)
    tables, said = init(tmp_path / "data", capsys)
    labels = ["DOVER", "DOVER-Technical", "dover-aesthetic"]
    labels += [f"dover-native-{aspect}" for aspect in ("aesthetic", "overall", "technical")]
    assert counts(tmp_path / "data/second-opinion.json") == {
        "konvid_1k": dict.fromkeys(labels, (1200, 0)),
        "youtube_ugc": dict.fromkeys(labels, (1147, 233)),
    }
    assert tables["konvid_1k"]["key_column"] == "flickr_id"
    assert "missing_policy" not in tables["konvid_1k"]
    assert "missing_policy" not in tables["youtube_ugc"]
    assert tables["youtube_ugc"]["score_key_regex"] == r"^(.+?)_crf_10_ss_00_t_20\.0$"
    assert "left out: chug/features.jsonl: no sidecar has its keys; tried name, Video, content_name" in said
    assert "DOVER: 1147 matched, 233 missing, 0 bad, 0 unused" in said
    assert tables["konvid_1k"]["evidence"] == {
        "target": "mos",
        "each_row_is_content": True,
        "features": ["framerate", "bitrate", "videval_*"],
    }
    assert tables["youtube_ugc"]["evidence"] == {
        "target": "MOSFull",
        "target_sd": "stdFull",
        "target_n": "x_Subjects",
        "each_row_is_content": True,
        "features": ["resolution", "width", "height", "framerate", "videval_*"],
        "categories": ["category"],
    }
    assert "decide: " not in said


@pytest.mark.skipif(not DATA.is_dir(), reason="the corpora are not free to ship")
def test_a_real_ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CHUG with scores of a made scorer: its 856 contents, of seven rungs each, are found though the file is by rung."""
    shutil.copy(DATA / "chug/features.jsonl", tmp_path)
    rows = map(json.loads, (tmp_path / "features.jsonl").read_text("utf-8").splitlines())
    write_jsonl(
        tmp_path / "made.jsonl", [{"path": f"{row['Video']}.mp4", "score": row["height"]} for row in rows]
    )
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["key_column"] == "Video"
    assert table["evidence"] == {
        "target": "mos_j",
        "target_sd": "sos_j",
        "group": "content_name",
        "features": ["framerate", "height", "width"],
    }


def test_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo's five corpora, as its own manifest joins them, without a word from anyone."""
    shutil.copytree(DEMO, tmp_path / "demo")
    tables, said = init(tmp_path / "demo", capsys)
    found = counts(tmp_path / "demo/second-opinion.json")
    expected = {
        "bvi_dvc": {"Q-Align": (44, 4), "dover": (48, 0)},
        "chug": {"DOVER-Mobile": (197, 8), "q-align": (210, 0)},
        "konvid": {"FAST-VQA": (80, 0)}
        | {f"dover-{aspect}": (80, 0) for aspect in ("aesthetic", "overall", "technical")},
        "netflix": {"Fork-NR": (30, 0), "clipiqa": (32, 0)},
        "youtube_ugc": {"dover": (62, 13), "musiq": (62, 13)},
    }
    assert found.keys() == expected.keys()
    assert {name: found[name] | scorers for name, scorers in expected.items()} == found
    assert tables["netflix"]["scores"] == [
        {
            "path": "netflix/clipiqa/*.json",
            "label": "clipiqa",
            "key_from": "file",
            "score_field": "pooled_metrics.clipiqa+.mean",
        },
        {"path": "netflix/nr/*.json", "key_from": "file"},
    ]
    assert "left out" not in said


def test_scorers_of_one_table_get_names_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where file names would give two scorers one name, the folder's goes before it."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    for run in ("run1", "run2"):
        write_jsonl(tmp_path / run / "dover.jsonl", clips("a", "b", score=1.5))
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == ["dover=run1/dover.jsonl", "run2-dover=run2/dover.jsonl"]


@pytest.mark.parametrize("second", ["DOVER", "dover"])
def test_files_that_name_one_scorer(tmp_path: Path, second: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two files that name the same scorer for the same clips, one is joined, the other left out with the reason."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "one.jsonl", clips("a", "b", score=1.5, competitor="DOVER"))
    write_jsonl(tmp_path / "two.jsonl", clips("a", "b", score=2.5, competitor=second))
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["one.jsonl"]
    reason = "already have one" if second == "DOVER" else "would share the columns of dover"
    assert reason in said[said.index("left out: two.jsonl: ") :]
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"DOVER": (2, 0)}


@pytest.mark.parametrize("there", ["file", "link"])
def test_nothing_is_overwritten(tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands where the manifest would go, be it a link that leads nowhere, stays: exit code 2."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    manifest = tmp_path / "second-opinion.json"
    if there == "file":
        write_text(manifest, "mine")
    else:
        manifest.symlink_to("nowhere")
    ended = run_main(capsys, "init", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert f"{manifest}: found a file; expected none, as nothing is overwritten (set --out)" in ended.err
    assert manifest.read_text("utf-8") == "mine" if there == "file" else manifest.is_symlink()


def test_no_manifest_is_written_that_no_command_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name of two lines, which `check` and `run` refuse, is refused before anything is written: exit code 2."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    before = tree(tmp_path)
    ended = run_main(capsys, "init", tmp_path, "--out", tmp_path / "two\nlines.json")
    assert (ended.code, ended.out) == (2, "")
    assert "two\\nlines.json'; expected the name of a file for the manifest, on one line" in ended.err
    assert tree(tmp_path) == before


def test_the_faults_of_what_is_left_out_stand_below_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reason of several lines is indented below the file that it is about, so that no line passes for another file."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "a", score=1.5))
    ended = run_main(capsys, "init", tmp_path)
    assert ended.code == 2
    _, named, fault, end = ended.err.split("\n")
    assert named.startswith("  - features.jsonl: ")
    assert fault.startswith("    - dover.jsonl line 2: the key 'a' again")
    assert end == ""


def test_the_manifest_may_stand_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--out`, paths start at the manifest's folder, which is made; outputs still go below DIR."""
    features(tmp_path / "data/features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "data/dover.jsonl", clips("a", "b", score=1.5))
    manifest = tmp_path / "manifests/new/m.json"
    ((_, table),) = init(tmp_path / "data", capsys, "--out", manifest)[0].items()
    assert table["features"] == "../../data/features.jsonl"
    counts(manifest)
    assert (tmp_path / "data/joined/data.parquet").is_file()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ((), "found 0 feature tables and 0 sidecars among 0 files"),
        (("features",), "found 1 feature table and 0 sidecars among 1 file"),
        (("scores",), "found 0 feature tables and 1 sidecar among 1 file"),
        (("features", "others"), "found 1 feature table and 1 sidecar among 2 files"),
    ],
)
def test_nothing_to_join_is_an_error(
    tmp_path: Path, write: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a feature table, a sidecar, or keys that meet, the error says what was looked for: exit code 2."""
    if "features" in write:
        features(tmp_path / "features.jsonl", ["a", "b"])
    if "scores" in write or "others" in write:
        write_jsonl(tmp_path / "dover.jsonl", clips("x", "y", score=1.5))
    ended = run_main(capsys, "init", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "expected at least one feature table (a key column and many others) and one sidecar" in ended.err
    assert not (tmp_path / "second-opinion.json").exists()


def test_no_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is refused: exit code 2."""
    ended = run_main(capsys, "init", tmp_path / "none")
    assert ended.code == 2
    assert "none: found no folder; expected one with feature tables and sidecars" in ended.err


@pytest.mark.parametrize("values", [(1, "none"), ({}, {})], ids=["mixed", "no-field"])
def test_what_parquet_cannot_hold_goes_to_jsonl(
    tmp_path: Path, values: tuple[object, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that has no place in Parquet is proposed as JSONL, so that the run completes."""
    rows = [{"clip_id": key, "blur": value, "noise": 0.5} for key, value in zip("ab", values, strict=True)]
    write_jsonl(tmp_path / "features.jsonl", rows)
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    ((name, table),) = init(tmp_path, capsys)[0].items()
    assert table["out"] == f"joined/{name}.jsonl"
    assert counts(tmp_path / "second-opinion.json") == {name: {"dover": (2, 0)}}


def test_labels_and_paths_that_look_like_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path with a = in it, and one that reads as a label and a path, are written so that they mean what they are."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    for name in ("x.jsonl", "x=x.jsonl", "b=y.jsonl"):
        write_jsonl(tmp_path / name, clips("a", "b", score=1.5))
    init(tmp_path, capsys)
    (table,) = load_manifest(tmp_path / "second-opinion.json").tables
    assert sorted(entry.path for entry in table.scores) == ["b=y.jsonl", "x.jsonl", "x=x.jsonl"]
    assert len({entry.label for entry in table.scores}) == 3
    counts(tmp_path / "second-opinion.json")
