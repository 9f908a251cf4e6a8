"""Keys of several columns, such as a clip and a frame: `key_columns` and `score_key_fields`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import JoinOptions, diff, join_frame, open_batch
from pipeline.errors import BatchError, UsageError
from pipeline.join.materialize import materialize
from tests.join.test_large import in_pieces
from tests.support.builders import (
    joined,
    read_jsonl,
    run_main,
    run_manifest,
    write_jsonl,
    write_manifest,
    write_text,
)
from tests.support.examples import EXAMPLES
from tests.support.sharded import write_parquet

BY_FRAME: dict[str, Any] = {"key_columns": ["clip_id", "frame"], "score_key_fields": ["video", "n"]}
CLIPS, FRAMES = ("a", "b"), (0, 1, 2)
FEATURES: list[dict[str, Any]] = [
    {"clip_id": clip, "frame": frame, "f": frame / 2} for clip in CLIPS for frame in FRAMES
]
SCORES: list[dict[str, Any]] = [
    {"video": clip, "n": frame, "score": 10 * at + frame} for at, clip in enumerate(CLIPS) for frame in FRAMES
]
SCORE = "second_opinion_dover_score"
PARTS: dict[Any, str | None] = {
    1: "1",
    "1": "1",
    " 1 ": "1",
    "1.0": "1",
    "01": "01",
    "": None,
    None: None,
    "é␟": None,
}
"""Second parts of keys, and how each is compared; None: it is none. The number 1.0 is found at 1."""

SPELLED = [*PARTS, 1.0]
keys = st.tuples(st.sampled_from(["x/a", "y/a", "b", "a␟1", None]), st.sampled_from(SPELLED))


def by_format(folder: Path, form: str, name: str, rows: list[dict[str, Any]]) -> str:
    """A file of these rows; gives its name."""
    path = folder / f"{name}.{form}"
    frame = pd.DataFrame(rows)
    match form:
        case "parquet":
            frame.to_parquet(path)
        case "csv":
            frame.to_csv(path, index=False)
        case "json":
            write_text(path, json.dumps(rows))
        case _:
            write_jsonl(path, rows)
    return path.name


@contextlib.contextmanager
def in_memory() -> Iterator[None]:
    """Everything fits in this block."""
    yield


@pytest.mark.parametrize("features", ["parquet", "csv", "json", "jsonl"])
@pytest.mark.parametrize("scores", ["parquet", "csv", "json", "jsonl"])
def test_each_frame_gets_its_own_score(tmp_path: Path, features: str, scores: str) -> None:
    """A row gets the score of its clip and frame, in whatever formats the two sides are."""
    with_floats = [each | {"n": float(each["n"])} for each in SCORES]
    materialize(
        by_format(tmp_path, features, "features", FEATURES),
        [f"dover={by_format(tmp_path, scores, 'dover', with_floats)}"],
        "out.jsonl",
        audit_json="audit.json",
        options=JoinOptions(**BY_FRAME),
        base_dir=tmp_path,
    )
    assert [row[SCORE] for row in read_jsonl(tmp_path / "out.jsonl")] == [0, 1, 2, 10, 11, 12]
    audit = json.loads((tmp_path / "audit.json").read_bytes())
    assert (audit["key_column"], audit["key_columns"]) == ("clip_id", ["clip_id", "frame"])


@settings(deadline=None, max_examples=EXAMPLES)
@given(features=st.lists(keys, min_size=1, max_size=6), scores=st.lists(keys, max_size=4))
@pytest.mark.parametrize("within", [in_memory, in_pieces])
def test_parts_are_compared_one_by_one(
    within: Any, features: list[tuple[Any, Any]], scores: list[tuple[Any, Any]]
) -> None:
    """Two keys are equal if their clips are equal by the rules of keys and their other parts as trimmed text."""

    def comparable(key: tuple[Any, Any]) -> tuple[str, str] | None:
        clip, part = key
        return None if clip is None or PARTS[part] is None else (clip, str(PARTS[part]))

    expected = {comparable(key): float(at) for at, key in enumerate(scores)}
    rows = [{"clip_id": clip, "frame": part} for clip, part in features]
    sidecar = [{"video": clip, "n": part, "score": at} for at, (clip, part) in enumerate(scores)]
    with TemporaryDirectory() as name, within():
        if None in expected or len(expected) < len(scores):
            with pytest.raises(BatchError, match=r"faulty row|expected one row per clip"):
                joined(Path(name), rows, {"dover": sidecar}, key_normalize="raw", **BY_FRAME)
        elif expected.keys().isdisjoint({comparable(key) for key in features}):
            with pytest.raises(BatchError, match="no row matched"):
                joined(Path(name), rows, {"dover": sidecar}, key_normalize="raw", **BY_FRAME)
        else:
            found = joined(Path(name), rows, {"dover": sidecar}, key_normalize="raw", **BY_FRAME)
            assert [row[SCORE] for row in found] == [
                expected.get(comparable(key)) if comparable(key) else None for key in features
            ]


def test_the_rules_of_keys_are_for_the_clip(tmp_path: Path) -> None:
    """`key_normalize` and the regexes apply to the first part alone: a further one keeps its slashes and its dots."""
    features = [{"path": f"/data/{clip}_x.mp4", "tile": tile} for clip in "ab" for tile in ("0/1.5", "1/1.5")]
    scores = [
        {"file": each["path"].replace("/data/", "x/"), "tile": each["tile"], "score": at}
        for at, each in enumerate(features)
    ]
    found = joined(
        tmp_path,
        features,
        {"dover": scores},
        key_columns=["path", "tile"],
        score_key_fields=["file", "tile"],
        key_normalize="stem",
        key_regex="^(.+)_x$",
        score_key_regex="^(.+)_x$",
    )
    assert [row[SCORE] for row in found] == [0, 1, 2, 3]


def test_a_frame_has_one_score(tmp_path: Path) -> None:
    """A clip may have many rows in a sidecar; a second one for its frame is an error that names both."""
    with pytest.raises(
        BatchError, match=r"dover.jsonl line 7: the key 'b␟1' again, first at dover.jsonl line 5"
    ):
        joined(tmp_path, FEATURES, {"dover": [*SCORES, SCORES[4]]}, **BY_FRAME)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"video": "a", "score": 1}, "field n: absent; expected the key"),
        ({"video": "a", "n": None, "score": 1}, "field n: found None; expected a key"),
        ({"video": "a", "n": "1␟2", "score": 1}, "field n: found '1␟2'; expected a text without ␟"),
    ],
)
def test_a_row_without_a_part(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    """A row of a sidecar without a part of its key is faulty."""
    with pytest.raises(BatchError, match=says):
        joined(tmp_path, FEATURES, {"dover": [*SCORES, row]}, **BY_FRAME)


def test_the_name_of_the_file_may_be_the_clip(tmp_path: Path) -> None:
    """With `key_from: file` a file holds the frames of one clip; further fields tell them apart."""
    for at, clip in enumerate(CLIPS):
        rows = [{"n": frame, "score": 10 * at + frame} for frame in FRAMES]
        by_format(tmp_path, "csv" if at else "json", clip, rows)
    write_jsonl(tmp_path / "features.jsonl", FEATURES)
    scores = [{"path": f"{clip}.*", "label": "dover", "key_from": "file"} for clip in CLIPS]
    options = JoinOptions(**BY_FRAME, key_normalize="stem")
    materialize("features.jsonl", scores, "out.jsonl", options=options, base_dir=tmp_path)
    assert [row[SCORE] for row in read_jsonl(tmp_path / "out.jsonl")] == [0, 1, 2, 10, 11, 12]


def test_an_entry_may_name_the_clip_otherwise(tmp_path: Path) -> None:
    """`key_field` of an entry stands for the first of `score_key_fields`."""
    write_jsonl(tmp_path / "features.jsonl", FEATURES)
    write_jsonl(tmp_path / "dover.jsonl", [{"id": each.pop("video"), **each} for each in map(dict, SCORES)])
    options, entry = JoinOptions(**BY_FRAME), {"path": "dover.jsonl", "label": "dover", "key_field": "id"}
    materialize("features.jsonl", [entry], "out.jsonl", options=options, base_dir=tmp_path)
    assert [row[SCORE] for row in read_jsonl(tmp_path / "out.jsonl")] == [0, 1, 2, 10, 11, 12]


def test_a_partition_may_be_a_part(tmp_path: Path) -> None:
    """A table in shards has its hive partitions as parts of keys: one id may be in two corpora."""
    for corpus in ("chug", "bvi"):
        write_parquet(tmp_path / f"features/corpus={corpus}/part-0.parquet", {"clip_id": ["a", "b"]})
    rows = [
        {"corpus": corpus, "id": clip, "score": at}
        for at, (corpus, clip) in enumerate((corpus, clip) for corpus in ("bvi", "chug") for clip in "ab")
    ]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    table = {"id": "t", "features": "features/", "scores": ["dover=dover.jsonl"], "out": "joined/"}
    by_corpus = {"key_columns": ["clip_id", "corpus"], "score_key_fields": ["id", "corpus"]}
    assert run_manifest(write_manifest(tmp_path / "m.json", [table], **by_corpus)).exit_code == 0
    opened = open_batch(tmp_path / "m.report.json").table("t")
    assert opened.key_columns == ("clip_id", "corpus")
    assert opened.to_pandas()[SCORE].tolist() == [0, 1, 2, 3]


def test_a_comparison_pairs_frames(tmp_path: Path) -> None:
    """`diff` pairs the rows of two batches by all parts of their keys, whatever their order."""
    write_jsonl(tmp_path / "dover.jsonl", SCORES)
    table = {"id": "t", "features": "f.jsonl", "scores": ["dover=dover.jsonl"], "out": "t.jsonl"}
    reports = []
    for version, rows in (("old", FEATURES), ("new", FEATURES[::-1])):
        folder = tmp_path / version
        write_jsonl(folder / "dover.jsonl", SCORES)
        write_jsonl(folder / "f.jsonl", rows)
        run_manifest(write_manifest(folder / "m.json", [table], **BY_FRAME))
        reports.append(folder / "m.report.json")
    change = diff(*reports).tables["t"]
    assert (change.rows_in_both, change.scorers) == (6, {})


def test_levels_of_an_index_may_be_parts() -> None:
    """A frame with one row per clip and frame has both in its index more often than not."""
    features = pd.DataFrame(FEATURES).set_index(["clip_id", "frame"])
    found = join_frame(features, {"dover": pd.DataFrame(SCORES)}, options=JoinOptions(**BY_FRAME))
    assert found[SCORE].tolist() == [0, 1, 2, 10, 11, 12]
    assert found.attrs["second_opinion"]["key_columns"] == ["clip_id", "frame"]


def test_the_command_takes_a_flag_for_each_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`join` repeats a flag for each name, and the command in an audit makes the same bytes."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "f.jsonl", FEATURES)
    write_jsonl(tmp_path / "dover.jsonl", SCORES)
    argv = ["join", "--features", "f.jsonl", "--scores", "dover=dover.jsonl", "--out", "t.parquet"]
    argv += ["--audit-json", "a.json", "--key-columns", "clip_id", "--key-columns", "frame"]
    argv += ["--score-key-fields", "video", "--score-key-fields", "n"]
    assert run_main(capsys, *argv).code == 0
    made = (tmp_path / "t.parquet").read_bytes(), (tmp_path / "a.json").read_bytes()
    assert run_main(capsys, *json.loads(made[1])["run_provenance"]["argv"][1:]).code == 0
    assert ((tmp_path / "t.parquet").read_bytes(), (tmp_path / "a.json").read_bytes()) == made


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"key_columns": ["clip_id", "frame"]}, "key_columns: found 2 names, and 0 in score_key_fields"),
        (BY_FRAME | {"score_key_fields": ["a", "b", "c"]}, "found 2 names, and 3 in score_key_fields"),
        (
            BY_FRAME | {"key_columns": ["clip_id", "a␟b"]},
            "key_columns: found 'a␟b'; expected a name without ␟",
        ),
        (
            BY_FRAME | {"score_key_fields": ["v", "n[]"]},
            "score_key_fields: found 'n\\[\\]', which goes through",
        ),
        ({"key_columns": 3}, "key_columns: found 3; expected a list"),
        ({"key_columns": "clip_id"}, "key_columns: found 'clip_id'; expected a list"),
        ({"key_columns": ["clip_id", 3]}, "key_columns.1.: found 3; expected a text"),
        ({"key_columns": ["frame"]}, "key_columns: .* expected at least 2 entries"),
    ],
)
def test_names_that_cannot_be_used(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    """Both sides name as many parts, at least two, and no name looks like two."""
    with pytest.raises(UsageError, match=says):
        joined(tmp_path, FEATURES, {"dover": SCORES}, **options)


def test_parts_of_a_delimited_table_stay_text(tmp_path: Path) -> None:
    """What a part is spelled like is what the joined table has, whatever its format."""
    write_text(tmp_path / "f.csv", "clip_id,tile,x\na,1.50,1.50\na,NA,2\n")
    rows = [{"clip_id": "a", "tile": tile, "score": at} for at, tile in enumerate(["1.50", "NA"])]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    options = JoinOptions(key_columns=("clip_id", "tile"), score_key_fields=("clip_id", "tile"))
    materialize("f.csv", ["dover=dover.jsonl"], "t.parquet", options=options, base_dir=tmp_path)
    found = pd.read_parquet(tmp_path / "t.parquet")
    assert found[["tile", "x", SCORE]].to_numpy().tolist() == [["1.50", 1.5, 0], ["NA", 2, 1]]


def test_a_header_that_names_one_part(tmp_path: Path) -> None:
    """The other part may be a hive partition: then the header is one, even if its other names look like numbers."""
    write_text(tmp_path / "features/corpus=chug/f.csv", "clip_id,0.25,0.75\nc1,0.5,0.6\n")
    write_jsonl(tmp_path / "dover.jsonl", [{"id": "c1", "corpus": "chug", "score": 7}])
    table = {"id": "t", "features": "features/", "scores": ["dover=dover.jsonl"], "out": "joined/"}
    both = {"key_columns": ["clip_id", "corpus"], "score_key_fields": ["id", "corpus"]}
    assert run_manifest(write_manifest(tmp_path / "m.json", [table], **both)).exit_code == 0
    assert pd.read_csv(tmp_path / "joined/corpus=chug/f.csv")[SCORE].tolist() == [7]


def test_a_table_may_have_a_key_of_one_column(tmp_path: Path) -> None:
    """What a table says of its key counts, not the other kind of key in `defaults`; both at once are a fault."""
    write_jsonl(tmp_path / "f.jsonl", FEATURES)
    write_jsonl(tmp_path / "clips.jsonl", [{"id": clip, "score": at} for at, clip in enumerate(CLIPS)])
    own = {"key_column": "clip_id", "score_key_field": "id"}
    table = {"id": "t", "features": "f.jsonl", "scores": ["dover=clips.jsonl"], "out": "t.jsonl", **own}
    assert run_manifest(write_manifest(tmp_path / "m.json", [table], **BY_FRAME)).exit_code == 0
    assert [row[SCORE] for row in read_jsonl(tmp_path / "t.jsonl")] == [0, 0, 0, 1, 1, 1]
    with pytest.raises(UsageError, match="key_columns: given together with key_column; expected only one"):
        joined(tmp_path, FEATURES, {"dover": SCORES}, **BY_FRAME, key_column="clip_id")


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    """The message names the columns that the table lacks."""
    with pytest.raises(
        BatchError, match="no key column; expected 'tile'; set key_columns to some of: 'clip_id'"
    ):
        joined(tmp_path, FEATURES, {"dover": SCORES}, **BY_FRAME | {"key_columns": ["clip_id", "tile"]})


def test_a_part_is_not_overwritten(tmp_path: Path) -> None:
    """No column of the key may be one that the join appends."""
    features = [each | {SCORE: each["frame"]} for each in FEATURES]
    with pytest.raises(BatchError, match=f"column '{SCORE}' is the key and would be overwritten"):
        joined(
            tmp_path,
            features,
            {"dover": SCORES},
            overwrite=True,
            **BY_FRAME | {"key_columns": ["clip_id", SCORE]},
        )


def test_a_part_is_no_feature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit counts no column of the key among the numbers that it compares scores with."""
    write_jsonl(tmp_path / "f.jsonl", FEATURES)
    write_jsonl(tmp_path / "dover.jsonl", SCORES)
    table = {"id": "t", "features": "f.jsonl", "scores": ["dover=dover.jsonl"], "out": "t.parquet"}
    manifest = write_manifest(tmp_path / "m.json", [table], **BY_FRAME)
    assert run_manifest(manifest).exit_code == 0
    assert run_main(capsys, "audit", manifest).code == 0
    (audited,) = json.loads((tmp_path / "m.audit.json").read_bytes())["tables"]
    assert '"f"' in json.dumps(audited)
    assert '"frame"' not in json.dumps(audited)
