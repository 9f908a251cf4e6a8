"""`join_frame`: frames of pandas in, a frame out, by the rules of `materialize`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import JoinOptions, SecondOpinionError, join_frame, materialize
from tests.support.builders import clips, write_jsonl

SCORES = pd.DataFrame({"clip_id": ["c0", "c1"], "score": [0.5, 1.5], "status": ["ok", "failed"]})
COLUMNS = {
    "numpy": np.array([1, 2, 3], np.int8),
    "nullable": pd.array([1, None, 3], "Int64"),
    "arrow": pd.array([1, None, 3], pd.ArrowDtype(pa.int32())),
    "categorical": pd.Categorical(["x", None, "x"]),
    "zoned": pd.date_range("2026-01-01", periods=3, tz="Asia/Tokyo"),
    "object": np.array([{"any": "thing"}, 3, "text"], object),
    "interval": pd.interval_range(0, 3),
}
INDEXES = {
    "range": pd.RangeIndex(5, 8),
    "named": pd.Index(["x", "x", "y"], name="row"),
    "levels": pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["content", None]),
    "dates": pd.DatetimeIndex(["2026-01-01"] * 3),
}
BAD_ARGUMENTS: dict[str, tuple[Any, Any, str]] = {
    "no frame": ([1], {"dover": SCORES}, "frame: found list; expected a pandas DataFrame"),
    "no scores": (SCORES, {}, "expected at least one sidecar, by label"),
    "a number": (SCORES, {"dover": 3}, r"scores\['dover'\]: found int; expected a DataFrame, a path"),
    "levels": (
        pd.concat({"x": SCORES}, axis=1),
        {"dover": SCORES},
        "found columns of 2 levels; expected one",
    ),
    "levels of scores": (SCORES, {"dover": pd.concat({"x": SCORES}, axis=1)}, "found columns of 2 levels"),
    "no file": (SCORES, {"dover": "none.jsonl"}, "none.jsonl: the file is not there yet"),
    "no extension": (SCORES, {"dover": "none"}, r"scores\['dover'\]: found 'none'; expected one of .parquet"),
    "names": (SCORES.set_axis(["clip_id", "x", "x"], axis=1), {"dover": SCORES}, "two columns are named 'x'"),
    "no key": (SCORES.drop(columns="clip_id"), {"dover": SCORES}, "no key column; expected one of clip_id"),
    "no score": (SCORES, {"dover": SCORES.drop(columns="score")}, "dover row 1: no score"),
    "a label": (SCORES, {1: SCORES}, r"scores\[1\]: found a label of type int; expected a text"),
    "two labels": (
        SCORES,
        {"x": {"path": "x.jsonl", "label": "y"}},
        r"scores\['x'\].label: found 'y'; expected 'x', or no label",
    ),
    "names of scores": (
        SCORES,
        {"dover": SCORES.set_axis(["clip_id", "x", "x"], axis=1)},
        "dover: two columns have one name; expected unique names",
    ),
    "an object": (SCORES, {"x": {"pth": "x.jsonl"}}, r"scores\.x\.pth: unknown key"),
    "mixed": (SCORES, {"dover": SCORES.assign(score=[1, "x"])}, "dover: .*expected columns of one type"),
}


def features(rows: int = 3) -> pd.DataFrame:
    """Clips c0, c1 ..."""
    return pd.DataFrame({"clip_id": [f"c{row}" for row in range(rows)]})


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_index_and_types_stay(values: Any, index: pd.Index) -> None:
    """The frame's own columns and index are what they were, and the new columns follow them."""
    frame = features().assign(held=values).set_axis(index)
    joined = join_frame(frame, {"dover": SCORES})
    pd.testing.assert_frame_equal(joined[["clip_id", "held"]], frame)
    assert joined["second_opinion_dover_status"].tolist() == ["ok", "bad", "missing"]
    assert list(frame.columns) == ["clip_id", "held"]


def test_the_audit_is_an_attribute() -> None:
    """Counts are those of an audit, and attributes that the frame had stay."""
    frame = features()
    frame.attrs["corpus"] = "chug"
    attributes = join_frame(frame, {"dover": SCORES}).attrs
    assert attributes["corpus"] == "chug"
    audit = attributes["second_opinion"]
    assert (audit["key_column"], audit["input_rows"], audit["output_rows"]) == ("clip_id", 3, 3)
    counts = audit["competitors"]["dover"]
    assert (counts["matched_rows"], counts["bad_rows"], counts["missing_rows"]) == (1, 1, 1)


def test_the_key_may_be_in_the_index() -> None:
    """A named level of the index is a column that may hold the keys."""
    joined = join_frame(features().set_index("clip_id").assign(f=1), {"dover": SCORES})
    assert joined.index.name == "clip_id"
    assert joined["second_opinion_dover_score"].tolist()[0] == 0.5


@pytest.mark.parametrize("name", [5, ("x", "y")])
def test_a_level_of_the_index_need_not_be_named_by_a_text(name: Any) -> None:
    """The key column names a level by its text, as it names a column."""
    frame = pd.DataFrame({"f": [1]}, index=pd.MultiIndex.from_tuples([(0, "c0")], names=[None, name]))
    joined = join_frame(frame, {"dover": SCORES}, options=JoinOptions(key_column=str(name)))
    assert joined["second_opinion_dover_score"].tolist() == [0.5]


def test_a_frame_of_nothing_gets_the_columns() -> None:
    """A frame without rows and columns is an empty shard, as an empty file is: it has the new columns, and no row."""
    joined = join_frame(pd.DataFrame(), {"dover": SCORES})
    assert joined.shape == (0, 5)


@pytest.mark.filterwarnings("error")
def test_names_of_columns_need_not_be_texts() -> None:
    """A sidecar's column may be named by a number; it is read by the number's text, and without a warning."""
    scores = pd.DataFrame({"clip_id": ["c0"], 7: [0.25]})
    joined = join_frame(features(1), {"dover": scores}, options=JoinOptions(score_field="7"))
    assert joined["second_opinion_dover_score"].tolist() == [0.25]


@pytest.mark.parametrize("declared", [{"dover": {"direction": "up"}}, {"dover": 3}, [1]])
def test_declarations_follow_the_schema(declared: Any) -> None:
    """What is declared of scorers is checked as in a manifest."""
    with pytest.raises(SecondOpinionError, match="the frame cannot be joined like this\n  - scorers"):
        join_frame(features(), {"dover": SCORES}, scorers=declared)


def test_drop_and_overwrite() -> None:
    """Dropped rows take their labels along; a column that is there already is replaced in its position."""
    frame = features().set_axis([7, 7, 9]).assign(second_opinion_dover_score="old", last=1)
    with pytest.raises(SecondOpinionError, match="has 1 of the columns that the join appends; set overwrite"):
        join_frame(frame, {"dover": SCORES})
    joined = join_frame(frame, {"dover": SCORES}, options=JoinOptions(overwrite=True, missing_policy="drop"))
    assert joined.index.tolist() == [7, 7]
    assert joined.columns[:3].tolist() == ["clip_id", "second_opinion_dover_score", "last"]
    assert joined["second_opinion_dover_score"].tolist() == [0.5, 1.5]
    assert frame["second_opinion_dover_score"].tolist() == ["old"] * 3


def test_files_beside_frames(tmp_path: Path) -> None:
    """A sidecar may be a path or a manifest's object, relative to `base_dir`."""
    write_jsonl(tmp_path / "q.jsonl", [{"name": "c0", "deep": {"mos": 4}}])
    entry = {"path": "q.jsonl", "key_field": "name", "score_field": "deep.mos"}
    joined = join_frame(features(), {"dover": SCORES, "q": entry}, base_dir=tmp_path)
    assert joined["second_opinion_q_score"].tolist()[0] == 4
    write_jsonl(tmp_path / "r.jsonl", clips("c0", score=1))
    assert "second_opinion_r_score" in join_frame(features(), {"r": tmp_path / "r.jsonl"})


@pytest.mark.parametrize(("frame", "scores", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_wrong_arguments_are_named(frame: Any, scores: Any, message: str) -> None:
    """What cannot be joined is refused by an error of the project that says what was expected."""
    with pytest.raises(SecondOpinionError, match=message):
        join_frame(frame, scores)


def test_a_level_of_the_index_is_not_overwritten() -> None:
    """A level of the index that has the name of a new column is refused, also with overwrite."""
    frame = features().set_index("clip_id", drop=False).rename_axis("second_opinion_dover_score")
    with pytest.raises(SecondOpinionError, match="is a level of the frame's index; rename it"):
        join_frame(frame, {"dover": SCORES}, options=JoinOptions(overwrite=True))


keys = st.sampled_from(["c0", "x/c0", "c1.mp4", "C1", "", "é", "é", None, "c9"])
rows = st.lists(st.tuples(keys, st.sampled_from([None, 0.0, 1.5, -2.0])), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows,
    st.lists(
        st.tuples(keys.filter(bool), st.floats(-5, 5), st.sampled_from([None, "ok", "failed"])), max_size=5
    ),
    st.sampled_from(["auto", "raw", "basename", "stem"]),
    st.sampled_from(["mark", "drop", "fail"]),
)
def test_files_give_the_same(held: list[Any], scores: list[Any], normalize: Any, policy: Any) -> None:
    """The same data by way of Parquet files give equal columns and counts, or the same error but for its names."""
    frame = pd.DataFrame(held, columns=["path", "f"])
    sidecar = pd.DataFrame(scores, columns=["path", "score", "status"]).astype({"score": float})
    options = JoinOptions(key_normalize=normalize, missing_policy=policy)
    with TemporaryDirectory() as name:
        folder = Path(name)
        frame.to_parquet(folder / "f.parquet")
        sidecar.to_parquet(folder / "dover")
        try:
            made = materialize(
                "f.parquet",
                [{"path": "dover", "label": "dover", "format": "parquet"}],
                "o.parquet",
                options=options,
                base_dir=folder,
            )
        except SecondOpinionError as error:
            with pytest.raises(type(error)):
                join_frame(frame, {"dover": sidecar}, options=options)
            return
        joined = join_frame(frame, {"dover": sidecar}, options=options)
        expected = pd.read_parquet(folder / "o.parquet")
        pd.testing.assert_frame_equal(joined, expected, check_dtype=False)
        assert joined.attrs["second_opinion"]["competitors"] == made.summary["competitors"]


def test_options_are_join_options() -> None:
    """A dictionary in the place of the options is refused with what is expected."""
    with pytest.raises(SecondOpinionError, match="options: found dict; expected JoinOptions"):
        join_frame(features(), {"dover": SCORES}, options={"missing_policy": "drop"})  # type: ignore[arg-type]  # as a user may
