"""`init`: a first manifest for a folder, which always passes `check`, and runs where the inputs are sound."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.manifest import load_manifest
from tests.builders import (
    clips,
    run_main,
    run_manifest,
    tree,
    write_json,
    write_jsonl,
    write_text,
)

DATA = Path(__file__).parents[2] / "shared" / "data"
DEMO = Path(__file__).parent.parent / "manifests" / "demo"


def features(path: Path, names: list[str], column: str = "clip_id", **more: Any) -> Path:
    """A feature table: a key and two measures."""
    rows = [{column: name, "blur": row / 2, "noise": row / 3, **more} for row, name in enumerate(names)]
    return write_jsonl(path, rows)


def init(folder: Path, capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[dict[str, Any], str]:
    """The tables of the manifest that `init` writes, by id, and what it prints; the manifest passes `check`."""
    ended = run_main(capsys, "init", folder, *argv)
    assert (ended.code, ended.err) == (0, "")
    manifest = Path(str(argv[1])) if argv else folder / "second-opinion.json"
    assert run_main(capsys, "check", manifest).code == 0
    return {table["id"]: table for table in json.loads(manifest.read_text("utf-8"))["tables"]}, ended.out


def counts(manifest: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Matched and missing rows per table and scorer, of a complete run."""
    result = run_manifest(manifest)
    assert result.exit_code == 0, result.report
    return {
        table["id"]: {
            label: (each["matched_rows"], each["missing_rows"])
            for label, each in table["summary"]["competitors"].items()
        }
        for table in result.report["tables"]
    }


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


def test_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo's five corpora, as its own manifest joins them, without a word from anyone."""
    shutil.copytree(DEMO, tmp_path / "demo")
    tables, said = init(tmp_path / "demo", capsys)
    found = counts(tmp_path / "demo/second-opinion.json")
    expected = {
        "bvi_dvc": {"Q-Align": (44, 4), "dover": (48, 0)},
        "chug": {"DOVER-Mobile": (202, 8), "q-align": (210, 0)},
        "konvid": {"FAST-VQA": (80, 0)}
        | {f"dover-{aspect}": (80, 0) for aspect in ("aesthetic", "overall", "technical")},
        "netflix": {"Fork-NR": (32, 0), "clipiqa": (32, 0)},
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


def test_a_prediction_is_taken_and_not_the_label_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where two fields may hold the score, the one that is no label is set, and why is said."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    rows = [{"clip_id": name, "mos": 3.5, "quality": 0.25} for name in ("a", "b")]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == [{"path": "dover.jsonl", "label": "dover", "score_field": "quality"}]


@pytest.mark.parametrize("name", ["mos", "MOS"])
def test_what_may_be_the_label_is_no_score(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file whose only score is called mos is left out, so that no label is joined unseen."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    write_jsonl(tmp_path / "ratings.jsonl", [{"clip_id": each, name: 3.5} for each in "ab"])
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["dover=dover.jsonl"]
    assert "left out: ratings.jsonl: its only score is mos, which may be the human label" in said


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
    assert "lsvq/lsvq_dover.jsonl: not joined onto maxwell/features.jsonl, of which 20 keys meet" in said


def test_shards_share_a_sidecar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several feature tables in a folder each get the scores of their clips."""
    for shard in "ab":
        features(tmp_path / f"shard_{shard}.features.jsonl", [f"{shard}{row}" for row in range(5)])
    write_jsonl(
        tmp_path / "dover.jsonl", clips(*(f"{shard}{row}" for shard in "ab" for row in range(5)), score=1.5)
    )
    assert set(init(tmp_path, capsys)[0]) == {"shard_a", "shard_b"}
    assert counts(tmp_path / "second-opinion.json") == {f"shard_{each}": {"dover": (5, 0)} for each in "ab"}


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


def test_what_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file of a known format that is not used stands in the output; what is hidden does not."""
    names = ["a1", "b2", "c3"]
    features(tmp_path / "features.jsonl", names)
    write_jsonl(tmp_path / "dover.jsonl", clips(*names, score=1.5))
    write_jsonl(tmp_path / "twice.jsonl", clips("a1", "a1", "b2", score=1.5))
    write_jsonl(tmp_path / "failed.jsonl", [*clips("a1", "b2", score=1.5), {"clip_id": "c3", "score": "x"}])
    write_jsonl(tmp_path / "elsewhere.jsonl", clips("x1", "y2", score=1.5))
    write_text(tmp_path / "broken.json", "{")
    write_text(tmp_path / "empty.csv", "")
    write_text(tmp_path / "bare.csv", "a1.png,0.5\nb2.png,0.25\n")
    write_text(tmp_path / "star*.csv", "clip_id,score\na1,1\n")
    write_text(tmp_path / "notes.txt", "-")
    write_text(tmp_path / ".hidden.jsonl", "{")
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["dover=dover.jsonl"]
    for name, reason in {
        "twice.jsonl": "rows for keys that already have one",
        "failed.jsonl": "1 faulty row in the sidecar",
        "elsewhere.jsonl": "no feature table has its keys: 'x1', 'y2'",
        "broken.json": "expected JSON objects",
        "empty.csv": "found no header",
        "bare.csv": "it seems to have no header: found '0.5' as the name of a field",
        "star*.csv": "its name holds",
    }.items():
        (line,) = [line for line in said.splitlines() if line.startswith(f"left out: {name}: ")]
        assert reason in said[said.index(line) :]
    assert "notes.txt" not in said
    assert "hidden" not in said


def test_own_files_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a run, manifest, report, audits and joined tables are neither tables nor sidecars; outs take a new folder."""
    features(tmp_path / "features.jsonl", ["a", "b"])
    write_jsonl(tmp_path / "dover.jsonl", clips("a", "b", score=1.5))
    first, _ = init(tmp_path, capsys)
    counts(tmp_path / "second-opinion.json")
    before = tree(tmp_path)
    again, said = init(tmp_path, capsys, "--out", tmp_path / "again.json")
    ((name, table),) = again.items()
    assert table == first[name] | {
        "out": f"joined_2/{name}.parquet",
        "audit_json": f"joined_2/{name}.audit.json",
    }
    for what in (
        f"joined/{name}.parquet: a joined table",
        f"joined/{name}.audit.json: an audit",
        "second-opinion.json: a manifest",
        "second-opinion.report.json: a report",
        "second-opinion.run-log.jsonl: a run log",
    ):
        assert f"left out: {what}" in said
    assert {each: content for each, content in tree(tmp_path).items() if each != "again.json"} == before


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


def test_files_of_one_clip_each_in_a_folder_with_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pattern for files of one clip each matches no other file, not even one that a run will write."""
    names = ["clip_a", "clip_b", "clip_c"]
    write_json(tmp_path / "features.json", [{"vid": name, "blur": 0.5, "noise": 0.25} for name in names])
    for name in names:
        write_json(tmp_path / f"{name}.json", {"frames": [{"score": 1.5}], "summary": {"competitor": "NR"}})
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == [{"path": "clip_*.json", "key_from": "file"}]
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"NR": (3, 0)}


def test_files_that_no_pattern_tells_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of one clip each that only a pattern for others too would match are left out, with what to do."""
    names = ["a", "b", "c"]
    write_json(tmp_path / "features.json", [{"vid": name, "blur": 0.5, "noise": 0.25} for name in names])
    write_jsonl(tmp_path / "dover.jsonl", clips(*names, score=1.5))
    for name in names:
        write_json(tmp_path / f"{name}.json", {"frames": [{"score": 1.5}], "summary": {"competitor": "NR"}})
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["scores"] == ["dover=dover.jsonl"]
    assert "left out: a.json, b.json, c.json: files of one clip each" in said
    assert "expected a folder of their own" in said


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


def test_keys_far_below_the_sample_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields are told by the first thousand rows, matches counted over all of them."""
    names = [f"clip_{row}" for row in range(5000)]
    columns = {"vid": names, "name": ["same"] * 5000, "blur": [0.5] * 5000}
    pq.write_table(pa.table(columns), tmp_path / "features.parquet")
    write_jsonl(tmp_path / "dover.jsonl", clips(*names[3000:], score=1.5))
    _, said = init(tmp_path, capsys)
    assert "dover: 2000 matched, 3000 missing, 0 bad, 0 unused" in said
