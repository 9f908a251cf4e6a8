"""`init`: which files of one clip each are the scores of one scorer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.starter import write_starter
from tests.support.builders import clips, write_json, write_jsonl, write_text
from tests.support.starters import counts, features, init


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


ENCODES = [f"soccer_{rate}k_59.94fps_{codec}" for codec in ("h264", "vp9") for rate in (200, 750)]
CLIPS = ["clip_1", "clip_2", "clip_3"]
SCORE = '{"score": 1.5}'


def pooled(metric: str = "vmaf") -> str:
    """A log of libvmaf, as small as can be."""
    return json.dumps({"pooled_metrics": {metric: {"min": 1.5, "mean": 90.5}}})


def frames() -> str:
    """A log of libvmaf with frames."""
    metrics = [{"frameNum": number, "metrics": {"vmaf": 90.5, "adm2": 0.5}} for number in range(200)]
    return json.dumps({"version": "2.3.1", "fps": 10.5, "frames": metrics})[:-1] + ", " + pooled()[1:]


def patterns(tables: dict[str, Any]) -> dict[str, str]:
    """Path and label of the sidecars of the only table."""
    ((_, table),) = tables.items()
    return {each["path"]: each["label"] for each in table["scores"]}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "template", ["{}_vmaf.json", "vmaf-{}.json", "{}.json", "{}.JSON", "{}.mp4.vmaf.json"]
)
def test_dots_in_names_begin_no_extension(
    tmp_path: Path, template: str, compressed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of one clip each are one sidecar, whatever dots their names have before what says the format."""
    features(tmp_path / "features.jsonl", [f"{name}.mp4" for name in ENCODES])
    for name in ENCODES:
        path = tmp_path / "vmaf" / (template.format(name) + ".gz" * compressed)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(pooled().encode()) if compressed else pooled().encode())
    tables, said = init(tmp_path, capsys)
    end = template.rpartition(".")[2] + ".gz" * compressed
    assert patterns(tables) == {f"vmaf/*.{end}": "vmaf"}
    assert "vmaf: 4 matched, 0 missing, 0 bad, 0 unused" in said
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"vmaf": (4, 0)}


@pytest.mark.parametrize("content", [pooled(), frames(), SCORE], ids=["pooled", "frames", "score"])
@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("vmaf/{}/log.json", "vmaf/*/log.json"),
        ("{}/vmaf.json", "*/vmaf.json"),
        ("{}/out/vmaf.json", "*/out/vmaf.json"),
        ("vmaf/{0}/{0}.json", "vmaf/**/*.json"),
    ],
)
def test_a_folder_for_each_clip(
    tmp_path: Path, template: str, pattern: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files whose folders are named after the clips are one sidecar, and the folder is the key."""
    features(tmp_path / "features.jsonl", [f"videos/{name}.mp4" for name in CLIPS], "path")
    for name in CLIPS:
        write_text(tmp_path / template.format(name), content)
    assert patterns(init(tmp_path, capsys)[0]) == {pattern: "vmaf"}
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"vmaf": (3, 0)}


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("scores/{clip}_{scorer}.json", "scores/*_{scorer}.json"),
        ("scores/{clip}.{scorer}.json", "scores/*.{scorer}.json"),
        ("scores/{scorer}_{clip}.json", "scores/{scorer}_clip_*.json"),
        ("scores/{scorer}/{clip}.json", "scores/{scorer}/*.json"),
        ("scores/{clip}/{scorer}.json", "scores/*/{scorer}.json"),
    ],
)
@pytest.mark.parametrize("names", [CLIPS, ["clip_a", "clip_b"]], ids=["three", "two"])
def test_two_scores_of_a_clip_are_of_two_scorers(
    tmp_path: Path, template: str, found: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a clip has two files, what their paths have beside its name tells the scorers apart and names them."""
    features(tmp_path / "features.jsonl", names)
    for name in names:
        for scorer in ("ssim", "vmaf"):
            write_text(tmp_path / template.format(clip=name, scorer=scorer), SCORE)
    tables, _ = init(tmp_path, capsys)
    assert patterns(tables) == {found.format(scorer=scorer): scorer for scorer in ("ssim", "vmaf")}
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == dict.fromkeys(("ssim", "vmaf"), (len(names), 0))


def test_rows_may_name_the_clip_where_the_path_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbered files whose rows name the clip are told apart by the last word of their names."""
    features(tmp_path / "features.jsonl", CLIPS)
    for number, name in enumerate(CLIPS):
        for scorer in ("ssim", "vmaf"):
            write_json(tmp_path / f"scores/{number:04}_{scorer}.json", {"clip_id": name, "score": 1.5})
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == ["ssim=scores/*_ssim.json", "vmaf=scores/*_vmaf.json"]
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == dict.fromkeys(("ssim", "vmaf"), (3, 0))


@pytest.mark.parametrize(
    ("folder", "content"),
    [("vmaf/{codec}", pooled()), ("vmaf/{codec}/{rate}", pooled()), ("vmaf/{codec}", SCORE)],
    ids=["field", "deeper", "folder"],
)
def test_one_scorer_in_several_folders(
    tmp_path: Path, folder: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders of one scorer are one sidecar: their field names it, or the folders are named by words of the clips."""
    features(tmp_path / "features.jsonl", [f"{name}.mp4" for name in ENCODES])
    for name in ENCODES:
        _, rate, _, codec = name.split("_")
        write_text(tmp_path / folder.format(codec=codec, rate=rate) / f"{name}.json", content)
    assert patterns(init(tmp_path, capsys)[0]) == {"vmaf/**/*.json": "vmaf"}
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"vmaf": (4, 0)}


def test_folders_that_keep_the_clips_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the folder is a part of the clip's name, whole paths are compared, without what is around them."""
    names = [f"{codec}/soccer_{rate}k" for codec in ("h264", "vp9") for rate in (200, 750)]
    features(tmp_path / "features.jsonl", [f"{name}.mp4" for name in names])
    for name in names:
        write_text(tmp_path / f"dover/{name}.json", SCORE)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["scores"] == [{"path": "dover/**/*.json", "label": "dover", "key_from": "file"}]
    assert (table["key_normalize"], table["key_regex"]) == ("raw", r"^(.+?)\.mp4$")
    assert table["score_key_regex"] == r"^dover/(.+?)\.json$"
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (4, 0)}


def test_folders_of_different_clips_may_be_of_different_scorers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders that neither a field nor a clip's name explains stay sidecars of their own."""
    features(tmp_path / "features.jsonl", ["clip_1", "clip_2"])
    write_text(tmp_path / "out/dover/clip_1.json", SCORE)
    write_text(tmp_path / "out/musiq/clip_2.json", SCORE)
    assert patterns(init(tmp_path, capsys)[0]) == {
        "out/dover/clip_1.json": "dover",
        "out/musiq/clip_2.json": "musiq",
    }


def test_each_corpus_keeps_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of one scorer beside two feature tables are a sidecar for each table."""
    for corpus in ("konvid", "lsvq"):
        features(tmp_path / corpus / "features.jsonl", [f"{corpus}_{row}" for row in range(3)])
        for row in range(3):
            write_json(
                tmp_path / corpus / f"dover/{corpus}_{row}.json", {"competitor": "DOVER", "score": 1.5}
            )
    tables, _ = init(tmp_path, capsys)
    assert {name: [each["path"] for each in table["scores"]] for name, table in tables.items()} == {
        name: [f"{name}/dover/*.json"] for name in ("konvid", "lsvq")
    }


def test_a_clip_on_which_the_scorer_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that only says that the scorer failed belongs to the files beside it."""
    features(tmp_path / "features.jsonl", CLIPS)
    for name in CLIPS:
        write_text(tmp_path / f"vmaf/{name}.json", '{"status": "failed"}' if name == "clip_2" else pooled())
    tables, said = init(tmp_path, capsys)
    assert patterns(tables) == {"vmaf/*.json": "vmaf"}
    assert "vmaf: 2 matched, 0 missing, 1 bad" in said


def test_a_broken_file_beside_files_of_one_clip_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that no scorer finished, which a pattern would match too, is named, with what is wrong with it."""
    features(tmp_path / "features.jsonl", CLIPS)
    write_jsonl(tmp_path / "dover.jsonl", clips(*CLIPS, score=1.5))
    for name in CLIPS:
        write_text(tmp_path / f"vmaf/{name}.json", "" if name == "clip_2" else pooled())
    _, said = init(tmp_path, capsys)
    assert "left out: vmaf/clip_2.json: it has no row" in said
    assert "a pattern for them also matches vmaf/clip_2.json; expected a folder of their own" in said


def test_files_of_frames_are_no_sidecars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A CSV with a row for each frame is left out, as a sidecar has a row for each clip."""
    features(tmp_path / "features.jsonl", CLIPS)
    write_jsonl(tmp_path / "dover.jsonl", clips(*CLIPS, score=1.5))
    for name in CLIPS:
        write_text(tmp_path / f"vmaf/{name}.csv", "Frame,vmaf,adm2,\n0,90.5,0.5,\n1,91.5,0.25,\n")
    _, said = init(tmp_path, capsys)
    assert (
        "vmaf/clip_1.csv, vmaf/clip_2.csv, vmaf/clip_3.csv: its rows are frames, numbered by Frame; "
        "expected one row for each clip"
    ) in said


@pytest.mark.parametrize(
    ("name", "label"), [("dover_v2.1.jsonl", "dover_v2.1"), ("musiq.scores.jsonl", "musiq")]
)
def test_versions_belong_to_names(
    tmp_path: Path, name: str, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels and ids are names without what says the format and general words behind a dot; versions stay."""
    for version in ("1.2", "1.3"):
        features(tmp_path / f"features_v{version}.jsonl", CLIPS)
    write_jsonl(tmp_path / name, clips(*CLIPS, score=1.5))
    tables, _ = init(tmp_path, capsys)
    assert {table: each["scores"] for table, each in tables.items()} == {
        f"features_v{version}": [f"{label}={name}"] for version in ("1.2", "1.3")
    }


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.sets(
        st.lists(st.sampled_from(["a1", "b2", "x", "720", "59.94", "fps"]), min_size=1, max_size=4).map(
            "_".join
        ),
        min_size=3,
        max_size=6,
    ),
    template=st.sampled_from(
        ["{}.json", "{}_nr.json", "nr.{}.json", "{}.mp4.json", "{}/nr.json", "x/{}.json"]
    ),
)
def test_any_names_of_clips(names: set[str], template: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever clips are called, a file for each is one sidecar that matches all of them."""
    folder = tmp_path_factory.mktemp("folder")
    features(folder / "features.jsonl", [f"{name}.mp4" for name in sorted(names)])
    for name in names:
        write_text(folder / "dover" / template.format(name), SCORE)
    write_starter(folder)
    (joined,) = counts(folder / "second-opinion.json").values()
    assert list(joined.values()) == [(len(names), 0)]
