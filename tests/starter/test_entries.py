"""`init` proposes what an entry must say of a file: columns, fields in frames, a key; and reads every shape of a sidecar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.builders import clips, run_main, write_json, write_jsonl, write_text
from tests.support.starters import counts, features, init

CLIPS = ["clip_1", "clip_2", "clip_3"]
FILES = [f"{name}.mp4" for name in CLIPS]


def scores_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """The sidecars of the only table, which matches all rows with each scorer."""
    ((_, table),) = init(folder, capsys)[0].items()
    (joined,) = counts(folder / "second-opinion.json").values()
    assert set(joined.values()) == {(len(CLIPS), 0)}
    scores: list[Any] = table["scores"]
    return scores


@pytest.mark.parametrize(
    ("name", "line", "columns"),
    [
        ("uvq.csv", "{},3.{}", ["path", "score"]),
        ("uvq.tsv", "3.{1}\t{0}", ["score", "path"]),
        ("uvq.csv", "{};0,{}", ["path", "score"]),
    ],
)
def test_a_sidecar_without_a_header(
    tmp_path: Path, name: str, line: str, columns: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of a key and a number has its columns named in its entry."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_text(tmp_path / name, "".join(f"{line.format(each, row)}\n" for row, each in enumerate(FILES, 1)))
    assert scores_of(tmp_path, capsys) == [{"path": name, "label": "uvq", "columns": columns}]


def test_a_wider_sidecar_without_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is more than a key and a number, columns are numbered, and the entry says which hold what."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_text(tmp_path / "dover.csv", "".join(f"train,{name},3.5\n" for name in FILES))
    assert scores_of(tmp_path, capsys) == [
        {
            "path": "dover.csv",
            "label": "dover",
            "key_field": "c2",
            "score_field": "c3",
            "columns": ["c1", "c2", "c3"],
        }
    ]


def test_a_feature_table_without_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The columns of a feature table without a header are numbered, and the one whose values meet is the key."""
    write_text(tmp_path / "table.csv", "".join(f"{row},{name},0.5,1.5\n" for row, name in enumerate(FILES)))
    write_jsonl(tmp_path / "dover.jsonl", clips(*FILES, score=1.5))
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["features"] == {"path": "table.csv", "columns": ["c1", "c2", "c3", "c4"]}
    assert table["key_column"] == "c2"
    assert "columns c1, c2, c3, c4: the file has no header" in said
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (3, 0)}


def test_labels_without_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The only number of a file that is called after labels may be the human label."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_jsonl(tmp_path / "dover.jsonl", clips(*FILES, score=1.5))
    write_text(tmp_path / "labels.csv", "".join(f"{name},3.5\n" for name in FILES))
    _, said = init(tmp_path, capsys)
    assert "left out: labels.csv: its only score is mos, which may be the human label" in said


def test_semicolons_and_decimal_commas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dialect that is recognised is reported, and numbers in it are numbers; a table of labels may be joined onto."""
    write_text(tmp_path / "mos.csv", "clip_id;mos\nclip_1;71,17\nclip_2;25,83\n")
    write_text(tmp_path / "dover.csv", "clip_id;dover\nclip_1;0,5\nclip_2;0,25\n")
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert table["features"] == "mos.csv"
    assert table["scores"] == [{"path": "dover.csv", "label": "dover", "score_field": "dover"}]
    assert "sidecar dover.csv: it has one number beside its key, dover; delimiter ';' and decimal ','" in said
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (2, 0)}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "frames[].metrics.vmaf"),
        ({"version": "1.3.9", "VMAF score": 91.0}, "VMAF score"),
        ({"pooled_metrics": {"vmaf": {"mean": 91.0}}}, "pooled_metrics.vmaf.mean"),
    ],
)
def test_logs_of_libvmaf(
    tmp_path: Path, more: dict[str, Any], field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The score is what the log says of the whole clip, else the mean over its frames, one level down."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    frames = [
        {"frameNum": number, "metrics": {"vmaf": 90.0 + 2 * number, "adm2": 0.5}} for number in range(2)
    ]
    for name in CLIPS:
        write_json(tmp_path / f"vmaf/{name}.json", {"frames": frames, **more})
    assert scores_of(tmp_path, capsys) == [
        {"path": "vmaf/*.json", "label": "vmaf", "key_from": "file", "score_field": field}
    ]
    (joined,) = (tmp_path / "joined").glob("*.parquet")
    assert pq.read_table(joined)["second_opinion_vmaf_score"].to_pylist() == [91.0] * 3


@pytest.mark.parametrize(
    "content",
    [
        dict.fromkeys(FILES, 3.5),
        {name: {"score": 3.5} for name in FILES},
        {"scores": dict.fromkeys(FILES, 3.5)},
        {"data": clips(*FILES, score=3.5)},
        {"path": dict(enumerate(FILES)), "score": dict.fromkeys(range(3), 3.5)},
        {"score": dict.fromkeys(FILES, 3.5)},
        {"columns": ["path", "score"], "index": [0, 1, 2], "data": [[name, 3.5] for name in FILES]},
    ],
    ids=["map", "objects", "inner map", "data", "columns", "index", "split"],
)
def test_shapes_of_json(tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Every shape that a sidecar may have is recognised."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_json(tmp_path / "dover.json", content)
    assert scores_of(tmp_path, capsys) == ["dover=dover.json"]


def test_a_map_to_a_field_of_unknown_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The score of a map to objects is set where its name is not known."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_json(tmp_path / "dover.json", {name: {"dover": 3.5} for name in FILES})
    assert scores_of(tmp_path, capsys) == [{"path": "dover.json", "label": "dover", "score_field": "dover"}]


@pytest.mark.parametrize(
    ("content", "setting"),
    [
        ({"dover": 3.5}, {"score_field": "dover"}),
        ({"dover": {"mean": 3.5}}, {"score_field": "dover.mean"}),
        ({"a": {"mean": 3.5}, "b": {"mean": 2.5}}, {"score_fields": {"a": "a.mean", "b": "b.mean"}}),
    ],
)
def test_files_of_one_clip_each_are_no_maps(
    tmp_path: Path, content: object, setting: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that share their names hold fields; the names of maps are the keys of clips."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    for name in CLIPS:
        write_json(tmp_path / f"dover/{name}.json", content)
    (entry,) = scores_of(tmp_path, capsys)
    assert entry == {"path": "dover/*.json", "label": "dover", "key_from": "file"} | setting


def test_a_map_for_each_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Maps of one key each are one sidecar."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    for name in CLIPS:
        write_json(tmp_path / f"dover/{name}.json", {f"{name}.mp4": 3.5})
    assert scores_of(tmp_path, capsys) == ["dover=dover/*.json"]


def test_another_shape_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of a shape that is not read is left out with the shapes that are."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_jsonl(tmp_path / "dover.jsonl", clips(*FILES, score=1.5))
    results = [{"video_path": name, "video_results": 0.5} for name in FILES]
    write_json(tmp_path / "vbench.json", {"subject_consistency": [0.5, results]})
    _, said = init(tmp_path, capsys)
    assert "left out: vbench.json: found an object of lists ('subject_consistency'); expected rows" in said


@pytest.mark.parametrize(
    ("columns", "entry"),
    [
        ({"path": FILES, "score": [0.5, 1.5, 2.5]}, "dover=dover.parquet"),
        ({"path": FILES, "competitor": ["DOVER"] * 3, "score": [0.5, 1.5, 2.5]}, "dover.parquet"),
        ({"path": FILES, "frames": [[{"score": 0.5}, {"score": 1.5}]] * 3}, "dover=dover.parquet"),
        ({"summary": [{"path": name, "score": 0.5} for name in FILES]}, "dover=dover.parquet"),
        (
            {"video": FILES, "dover": [0.5, 1.5, 2.5]},
            {"path": "dover.parquet", "label": "dover", "key_field": "video", "score_field": "dover"},
        ),
    ],
    ids=["score", "competitor", "frames", "nested", "one number"],
)
def test_sidecars_in_parquet(
    tmp_path: Path, columns: dict[str, Any], entry: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Parquet file of a scorer or a score and little else is a sidecar; one of many columns is a feature table."""
    table = {"vid": FILES, "score": [1.0, 2.0, 3.0], **{f"f{row}": [0.5, 1.5, 2.5] for row in range(9)}}
    pq.write_table(pa.table(table), tmp_path / "table.parquet")
    pq.write_table(pa.table(columns), tmp_path / "dover.parquet")
    assert scores_of(tmp_path, capsys) == [entry]


def test_parquet_of_one_clip_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parquet files of one row each are one sidecar."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    for name in CLIPS:
        (tmp_path / "dover").mkdir(exist_ok=True)
        pq.write_table(pa.table({"score": [0.5]}), tmp_path / f"dover/{name}.parquet")
    assert scores_of(tmp_path, capsys) == [{"path": "dover/*.parquet", "label": "dover", "key_from": "file"}]


def test_a_folder_of_unreadable_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is left out with the reason, whatever its format, and the path stands there once."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_jsonl(tmp_path / "dover.jsonl", clips(*FILES, score=1.5))
    write_text(tmp_path / "x.parquet", "text")
    pq.write_table(pa.table({"path": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    (tmp_path / "x.csv").write_bytes("path,score\na,1\n".encode("utf-16"))
    (tmp_path / "x.json").write_bytes(b'{"a": "\xff"}')
    ended = run_main(capsys, "init", tmp_path)
    assert ended.code == 0
    assert "left out: x.parquet: not a Parquet file" in ended.out
    assert "left out: empty.parquet: it has no row" in ended.out
    assert "left out: x.json: not UTF-8 text" in ended.out
    assert "left out: x.csv: " in ended.out


def test_hostile_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Documents of odd shapes end in no traceback and are left out or taken for what they are."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_jsonl(tmp_path / "dover.jsonl", clips(*FILES, score=1.5))
    odd = ["[]", "{}", "null", "1", '"a"', "[[1, 2], [3]]", '{"": {"": 1}}', '{"a": {"b": {"c": {}}}}']
    odd += [
        '{"frames": [null]}',
        '{"frames": [{"metrics": 3}]}',
        '{"columns": [1], "data": [[1]]}',
        '{"data": {}}',
    ]
    for number, content in enumerate(odd):
        write_text(tmp_path / f"odd_{number}.json", content)
    for number, content in enumerate(
        [",\n", '"a\n', "a.mp4,1.5\n" * 2 + "b,1\n", "\n\n", "a.mp4,a.mp4\n1,2\n"]
    ):
        write_text(tmp_path / f"odd_{number}.csv", content)
    write_text(tmp_path / "odd.jsonl", json.dumps({"a": 1}) * 2)
    ended = run_main(capsys, "init", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "dover: 3 matched, 0 missing, 0 bad, 0 unused" in ended.out


def test_a_map_that_names_its_scorer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A map may stand beside the name of its scorer."""
    features(tmp_path / "features.jsonl", FILES, "vid")
    write_json(tmp_path / "d.json", {"competitor": "DOVER", "scores": dict.fromkeys(FILES, 3.5)})
    assert scores_of(tmp_path, capsys) == ["d.json"]
