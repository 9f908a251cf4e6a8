"""JSON sidecars in the shapes that programs write: maps, data, what pandas writes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SidecarError
from pipeline.join.sidecars.read import read_sidecar
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from tests.support.builders import write_text

FRAME = pd.DataFrame({"path": ["x/a.mp4", "x/b.mp4"], "score": [3.25, 4.5]})
BY_KEY = FRAME.set_index("path")
BOTH = {"a.mp4": 3.25, "b.mp4": 4.5}
A, B = {"path": "x/a.mp4", "score": 3.25}, {"path": "x/b.mp4", "score": 4.5}


def read(folder: Path, text: str, name: str = "s.json", **entry: Any) -> dict[str, float | None]:
    """The scores of a sidecar of that text by their comparable keys."""
    write_text(folder / name, text)
    found: dict[str, float | None] = {}
    given = {"path": name, "label": "dover", **entry}
    for scores in read_sidecar(SidecarEntry.of(given, folder), folder, JoinOptions()):
        found |= zip(scores.keys.to_pylist(), scores.records["score"].to_pylist(), strict=True)
    return found


SHAPES = {
    "map to scores": {"x/a.mp4": 3.25, "x/b.mp4": "4.5"},
    "map to objects": {"x/a.mp4": {"score": 3.25}, "x/b.mp4": {"mos": 4.5, "status": "ok"}},
    "map to objects with keys": {"0": A, "1": B},
    "data": {"data": [A, B]},
    "map in results": {"model": "DOVER", "results": {"x/a.mp4": 3.25, "x/b.mp4": 4.5}},
    "map in scores": {"scores": {"x/a.mp4": {"score": 3.25}, "x/b.mp4": {"score": 4.5}}},
    "map in data beside a scorer": {"competitor": "dover", "data": {"x/a.mp4": 3.25, "x/b.mp4": 4.5}},
}


@pytest.mark.parametrize("document", SHAPES.values(), ids=SHAPES.keys())
def test_shapes_by_key(tmp_path: Path, document: object) -> None:
    """A map from key to score or to object is read; its keys are paths, so that `auto` compares their last part."""
    assert read(tmp_path, json.dumps(document)) == BOTH


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table"])
def test_what_pandas_writes(tmp_path: Path, orient: Any) -> None:
    """Every orient of `to_json` that names the columns is read."""
    assert read(tmp_path, FRAME.to_json(orient=orient)) == BOTH


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table"])
def test_the_index_of_pandas_is_the_key(tmp_path: Path, orient: Any) -> None:
    """Where no column is a key and the index has names, these are the keys."""
    assert read(tmp_path, BY_KEY.to_json(orient=orient)) == BOTH


def test_a_series_of_pandas_is_a_map(tmp_path: Path) -> None:
    """A series by key is a map from key to score."""
    assert read(tmp_path, BY_KEY["score"].to_json()) == BOTH


@pytest.mark.parametrize("orient", ["columns", "index", "split"])
def test_row_numbers_of_pandas_are_no_keys(tmp_path: Path, orient: Any) -> None:
    """An index 0, 1, 2 ... names no clip: scores without a key are an error and not joined by their position."""
    with pytest.raises(SidecarError, match=r"2 faulty rows .*\n.*row 1: no key; .*\(the row has: 'score'\)"):
        read(tmp_path, FRAME[["score"]].to_json(orient=orient))
    with pytest.raises(
        SidecarError, match=r"a map from '0' to '1', as pandas numbers rows; .* set key_field to path"
    ):
        read(tmp_path, FRAME["score"].to_json())


def test_numbers_that_are_keys(tmp_path: Path) -> None:
    """A map whose keys are 0, 1, 2 ... is read where the entry says that they are keys."""
    assert read(tmp_path, '{"0": 3.25, "1": 4.5}', key_field="path") == {"0": 3.25, "1": 4.5}


def test_a_null_of_pandas_is_no_score(tmp_path: Path) -> None:
    """NaN, which pandas writes as null, is no score of an ok row, and none is needed where the row is bad."""
    with pytest.raises(SidecarError, match="row 1: field score: found None; expected a finite number"):
        read(tmp_path, FRAME.assign(score=[None, 4.5]).to_json())
    frame = FRAME.assign(score=[None, 4.5], status=["failed", None])
    assert read(tmp_path, frame.to_json()) == {"a.mp4": None, "b.mp4": 4.5}


@pytest.mark.parametrize("value", ["NaN", "null", "Infinity"])
def test_a_member_of_a_map_that_is_no_number(tmp_path: Path, value: str) -> None:
    """A member of a map without a finite number is an error that names the key."""
    with pytest.raises(SidecarError, match=r"row 2: 'b\.mp4': found .*; expected a finite number"):
        read(tmp_path, f'{{"a.mp4": 3, "b.mp4": {value}}}')


def test_a_key_twice_in_a_map(tmp_path: Path) -> None:
    """A key that a map has twice is an error that names it."""
    with pytest.raises(SidecarError, match=r"the key 'a\.mp4' occurs twice in one object"):
        read(tmp_path, '{"a.mp4": 3, "a.mp4": 4}')


def test_the_own_field_of_a_map_is_the_key(tmp_path: Path) -> None:
    """An object of a map that has a key itself, by its name or as `key_field`, is named by that."""
    assert read(tmp_path, '{"r1": {"clip_id": "a", "score": 1}}') == {"a": 1.0}
    text = '{"r1": {"id": "a", "score": 1}}'
    assert read(tmp_path, text, key_field="id") == {"a": 1.0}
    assert read(tmp_path, text) == {"r1": 1.0}


def test_maps_one_after_another(tmp_path: Path) -> None:
    """A file may hold several maps, and a line of JSON Lines a map of one key."""
    assert read(tmp_path, '{"a": 1, "b": 2} {"c": {"score": 3}}') == {"a": 1.0, "b": 2.0, "c": 3.0}
    lines = '{"a": 1}\n{"clip_id": "b", "score": 2}\n{"0": {"score": 3}}\n'
    assert read(tmp_path, lines, "s.jsonl") == {"a": 1.0, "b": 2.0, "0": 3.0}


ROWS = {
    "a known field": {"path": "a", "score": 3},
    "another object beside": {"path": "a", "score": 3, "data": {"psnr": 40.5, "ssim": 0.5}},
    "a list beside": {"path": "a", "score": 3, "data": [1, 2]},
    "a bad row": {"path": "a", "status": "failed", "score": 3, "scores": {"x": 1}},
    "objects only": {"summary": {"clip_id": "a", "score": 3}, "other": {"x": 1}},
}


@pytest.mark.parametrize("document", ROWS.values(), ids=ROWS.keys())
def test_a_row_stays_a_row(tmp_path: Path, document: object) -> None:
    """An object with a known field is a row, whatever else it holds."""
    assert read(tmp_path, json.dumps(document)) == {"a": 3.0}


def test_set_fields_make_a_row(tmp_path: Path) -> None:
    """An object in which a field that is set leads to a value is a row and not a map of numbers or objects."""
    assert read(tmp_path, '{"id": 7, "psnr": 40.5}', key_field="id", score_field="psnr") == {"7": 40.5}
    text = '{"meta": {"id": "a"}, "pooled": {"vmaf": {"mean": 90}}}'
    assert read(tmp_path, text, key_field="meta.id", score_field="pooled.vmaf.mean") == {"a": 90.0}
    text = '{"id": "a", "results": [{"vmaf": 1}, {"vmaf": 2}]}'
    assert read(tmp_path, text, key_field="id", score_field="results[].vmaf") == {"a": 1.5}


def test_a_file_of_one_clip_is_no_map(tmp_path: Path) -> None:
    """Where the key is the file's own path, its object is the row: its names are no keys."""
    text = '{"psnr": 40.5, "ssim": 0.5}'
    assert read(tmp_path, text, "a.json", key_from="file", score_field="psnr") == {"a.json": 40.5}
    with pytest.raises(SidecarError, match="no score; expected one of score"):
        read(tmp_path, text, "a.json", key_from="file")


def test_rows_of_unknown_fields_are_no_maps(tmp_path: Path) -> None:
    """Objects one after another that share names are rows that lack a key, and not maps that score a key twice."""
    with pytest.raises(SidecarError, match=r"2 faulty rows .*\n.*no key; .*\(the row has: 'clip', 'pred'\)"):
        read(tmp_path, '{"clip": 1, "pred": 3} {"clip": 2, "pred": 4}')


OTHERS = {
    "VBench": ({"dimension": [0.5, [{"video_path": "a"}]]}, r"found an object of lists \('dimension'\)"),
    "lists by column": ({"path": ["a"], "score": [3]}, r"found an object of lists \('path', 'score'\)"),
    "values": ([["a", 3]], "found a list of lists"),
    "numbers": ([3, 4], "found a list of numbers"),
    "data of numbers": ({"data": [3, 4]}, "found a list of numbers"),
    "two lists": ({"rows": [], "data": []}, "found both rows and data in one object"),
    "numbers and texts": (
        {"a": 3, "b": "failed"},
        "has: 'a', 'b'.; a map from key to score has numbers only",
    ),
    "numbers and objects": (
        {"a": 3, "b": {"score": 3}},
        "a map from key to score has numbers only, or objects",
    ),
    "cells": ({"columns": ["path"], "data": [["a", 3]]}, "row 1: found 2 cells; expected 1, as in columns"),
    "index": ({"columns": ["path"], "index": [], "data": [["a"]]}, "field index: found .*; expected 1 names"),
    "columns": (
        {"columns": [["a", "b"]], "data": [[3]]},
        "field columns: found .*expected a name of its own",
    ),
}


@pytest.mark.parametrize(("document", "reason"), OTHERS.values(), ids=OTHERS.keys())
def test_other_shapes_are_refused_by_name(tmp_path: Path, document: object, reason: str) -> None:
    """Another shape is an error that says which one was found and, for a whole file, which are read."""
    with pytest.raises(SidecarError, match=reason) as caught:
        read(tmp_path, json.dumps(document))
    assert ("found a list of" not in reason) or "orient records, columns, index, split or table" in str(
        caught.value
    )


KEYS = st.text(st.characters(codec="utf-8"), max_size=5).map("c{}c".format)


@given(st.dictionaries(KEYS, st.floats(-1e9, 1e9), min_size=1))
def test_a_map_says_what_its_rows_do(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, float]
) -> None:
    """A map from key to score is the same as rows with a path and a score, whatever the keys are."""
    folder = tmp_path_factory.mktemp("map")
    rows = [{"path": key, "score": score} for key, score in scores.items()]
    assert read(folder, json.dumps(scores)) == read(folder, json.dumps(rows))
