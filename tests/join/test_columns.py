"""Keys that meet, and the columns that are appended."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import BatchError, JoinError, TableError
from pipeline.join import columns
from pipeline.join.matching import match_table
from pipeline.join.materialize import materialize
from pipeline.manifest.entries import FeaturesEntry, SidecarEntry, TableEntry
from pipeline.manifest.options import JoinOptions
from tests.support.builders import clips, joined, write_jsonl

MARK = JoinOptions(missing_policy="mark")


def scores_of(rows: list[dict[str, Any]], scorer: str = "dover") -> list[float | None]:
    """The score that each row received."""
    return [row[f"second_opinion_{scorer}_score"] for row in rows]


def test_five_columns_of_exact_types(tmp_path: Path) -> None:
    """Per scorer five typed columns are appended, with fixed values for a bad row and for a missing one."""
    write_jsonl(tmp_path / "features.jsonl", clips("ok", "bad", "missing", "frames"))
    rows: list[dict[str, Any]] = [
        {"clip_id": "ok", "score": 1, "runtime_ms": 2},
        {"clip_id": "bad", "status": "crashed"},
        {"clip_id": "frames", "frames": [{"score": 1, "runtime_ms": 3}, {"score": 2, "runtime_ms": 4}]},
    ]
    write_jsonl(tmp_path / "runs" / "dover.jsonl", rows)
    materialize(
        "features.jsonl", ["DOVER (mobile)=runs/dover.jsonl"], "out.parquet", options=MARK, base_dir=tmp_path
    )
    table = pq.read_table(tmp_path / "out.parquet")
    prefix = "second_opinion_dover_mobile"
    assert table.schema.remove_metadata() == pa.schema(
        [
            ("clip_id", pa.string()),
            (f"{prefix}_score", pa.float64()),
            (f"{prefix}_status", pa.string()),
            (f"{prefix}_runtime_ms", pa.float64()),
            (f"{prefix}_frames", pa.int64()),
            (f"{prefix}_source", pa.string()),
        ]
    )
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("ok", 1.0, "ok", 2.0, 0, "runs/dover.jsonl"),
        ("bad", None, "bad", None, 0, "runs/dover.jsonl"),
        ("missing", None, "missing", None, 0, ""),
        ("frames", 1.5, "ok", 7.0, 2, "runs/dover.jsonl"),
    ]


def test_scorers_in_order_of_label(tmp_path: Path) -> None:
    """The columns of several scorers come in order of label, after the table's own, not in order of entry."""
    (row,) = joined(
        tmp_path, clips("a", f=1), {"musiq": clips("a", score=1), "dover": clips("a", score=2)}, prefix="p"
    )
    assert list(row) == [
        "clip_id",
        "f",
        *(f"p_dover_{each}" for each in ("score", "status", "runtime_ms", "frames", "source")),
        *(f"p_musiq_{each}" for each in ("score", "status", "runtime_ms", "frames", "source")),
    ]


def test_rows_keep_their_order_and_may_repeat(tmp_path: Path) -> None:
    """Every row stays, in its order; each row of a repeated key (encodes of one clip) receives the score."""
    features = [{"clip_id": key, "encode": number} for number, key in enumerate("bacab")]
    rows = joined(tmp_path, features, {"dover": [{"clip_id": "a", "score": 1}, {"clip_id": "b", "score": 2}]})
    assert [(row["clip_id"], row["encode"]) for row in rows] == [
        (row["clip_id"], row["encode"]) for row in features
    ]
    assert scores_of(rows) == [2.0, 1.0, None, 1.0, 2.0]


@pytest.mark.parametrize("key", [None, "", "  "], ids=repr)
def test_null_or_empty_feature_key_never_matches(tmp_path: Path, key: str | None) -> None:
    """A row whose key is null or empty counts as missing."""
    rows = joined(tmp_path, clips("a", key), {"dover": clips("a", score=1)})
    assert [row["second_opinion_dover_status"] for row in rows] == ["ok", "missing"]


@pytest.mark.parametrize(
    ("column", "key"),
    [
        (pa.array([747], pa.int32()), "747"),
        (pa.array([747], pa.int64()), 747.0),
        (pa.array([747.0]), 747),
        (pa.array([7.5], pa.float32()), "7.5"),
        (pa.array([Decimal("747.00")]), "747"),
        (pa.array(["747"]), 747),
        (pa.array([" 747 "]), "747\t"),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([True]), True),
        (pa.array([2**60 + 1]), 2**60 + 1),
    ],
    ids=[
        "int",
        "int and float",
        "float and int",
        "fraction",
        "decimal",
        "text",
        "blanks",
        "category",
        "bool",
        "large",
    ],
)
def test_keys_are_text_on_both_sides(tmp_path: Path, column: pa.Array, key: object) -> None:
    """A number and its text are one key, whatever the types; integral floats are integers; blanks are trimmed."""
    pq.write_table(pa.table({"clip_id": column}), tmp_path / "features.parquet")
    write_jsonl(tmp_path / "dover.jsonl", clips(key, score=1))
    materialize("features.parquet", ["dover=dover.jsonl"], "out.parquet", base_dir=tmp_path)
    out = pq.read_table(tmp_path / "out.parquet")
    assert out["second_opinion_dover_score"].to_pylist() == [1.0]
    assert out["clip_id"].combine_chunks() == column


@pytest.mark.parametrize(("feature", "score"), [("0042", 42), ("1.0", 1), ("A", "a"), ("a.mp4", "a")])
def test_different_texts_do_not_meet(tmp_path: Path, feature: str, score: object) -> None:
    """Keys are compared as text: no leading zero is lost, no letter case and, unless asked for, no extension ignored."""
    with pytest.raises(JoinError, match="no row matched"):
        joined(tmp_path, clips(feature), {"dover": clips(score, score=1)})


@pytest.mark.parametrize(
    ("normalize", "feature", "score"),
    [
        ("auto", {"dis_path": "v/a.mp4"}, {"clip_id": "a.mp4"}),
        ("auto", {"clip_id": "a.mp4"}, {"filename": "/data/a.mp4"}),
        ("auto", {"clip_id": "v/a"}, {"clip_id": "v/a"}),
        ("basename", {"clip_id": "v/a.mp4"}, {"clip_id": "w/a.mp4"}),
        ("stem", {"clip_id": "v/a.mp4"}, {"clip_id": "a.mkv"}),
        ("raw", {"path": "v/a.mp4"}, {"path": "v/a.mp4"}),
    ],
)
def test_normalised_keys_meet(
    tmp_path: Path, normalize: str, feature: dict[str, str], score: dict[str, str]
) -> None:
    """`key_normalize` decides what is compared; `auto` decides for each side by its own name."""
    rows = joined(tmp_path, [feature], {"dover": [score | {"score": 1}]}, key_normalize=normalize)
    assert scores_of(rows) == [1.0]


def test_auto_keeps_whole_keys_of_other_columns(tmp_path: Path) -> None:
    """Under `auto` a key whose column is no path, file or name is compared whole."""
    with pytest.raises(JoinError, match="key_normalize basename would match 1 rows"):
        joined(tmp_path, clips("v/a"), {"dover": clips("a", score=1)})


def test_key_regexes(tmp_path: Path) -> None:
    """The regex of each side gives its key; a feature key that it does not match is a missing row."""
    rows = joined(
        tmp_path,
        clips("0012_48", "0013_50", "odd"),
        {"dover": clips("clip-0013", "clip-0012", score=1)},
        key_regex=r"^(\d+)_\d+$",
        score_key_regex="clip-(.*)",
    )
    assert scores_of(rows) == [1.0, 1.0, None]


def test_key_column(tmp_path: Path) -> None:
    """`key_column` is the key, before every candidate."""
    features = [{"clip_id": "x", "shot": "a"}]
    assert scores_of(joined(tmp_path, features, {"dover": clips("a", score=1)}, key_column="shot")) == [1.0]


def test_key_candidate_of_any_letter_case(tmp_path: Path) -> None:
    """Without `key_column` the first candidate that the table has is the key, letter case ignored."""
    features = [{"Path": "x/b", "Clip_ID": "a"}]
    assert scores_of(joined(tmp_path, features, {"dover": clips("a", score=1)})) == [1.0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"key_column": "clip_id"}, "expected 'clip_id'"), ({}, "expected one of clip_id, video_id, ")],
    ids=["absent", "no candidate"],
)
def test_no_key_column(tmp_path: Path, options: dict[str, str], expected: str) -> None:
    """A table without the key column is an error that says what is expected and lists the table's columns."""
    with pytest.raises(TableError, match=f"no key column; {expected}.*one of: 'shot', 'f'"):
        joined(tmp_path, [{"shot": "a", "f": 1}], {"dover": clips("a", score=1)}, **options)


def test_planned_column_that_is_there(tmp_path: Path) -> None:
    """A planned column that the table has is an error that names it and says what to do; nothing is written."""
    features = clips("a", second_opinion_dover_score=9, second_opinion_dover_other=8)
    with pytest.raises(
        JoinError, match=r"has 1 of the columns .*set overwrite .*\n  - 'second_opinion_dover_score'$"
    ):
        joined(tmp_path, features, {"dover": clips("a", score=1)})
    assert not (tmp_path / "out.jsonl").exists()


def test_overwrite_replaces_in_place(tmp_path: Path) -> None:
    """With `overwrite` a planned column is replaced where it stands, value and type; the others are appended."""
    table = pa.table({"p_dover_score": ["old"], "clip_id": ["a"], "p_dover_frames": [9], "f": [1]})
    pq.write_table(table, tmp_path / "features.parquet")
    write_jsonl(tmp_path / "dover.jsonl", clips("a", score=1))
    options = JoinOptions(overwrite=True, prefix="p")
    materialize("features.parquet", ["dover=dover.jsonl"], "out.parquet", options=options, base_dir=tmp_path)
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.to_pylist() == [
        {
            "p_dover_score": 1.0,
            "clip_id": "a",
            "p_dover_frames": 0,
            "f": 1,
            "p_dover_status": "ok",
            "p_dover_runtime_ms": None,
            "p_dover_source": "dover.jsonl",
        }
    ]
    assert out.column_names == [*table.column_names, "p_dover_status", "p_dover_runtime_ms", "p_dover_source"]
    assert out.schema.field("p_dover_score").type == pa.float64()


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    """`overwrite` does not replace the key column itself."""
    with pytest.raises(
        JoinError, match="'p_dover_source' is the key and would be overwritten; set another prefix"
    ):
        joined(
            tmp_path,
            [{"p_dover_source": "a"}],
            {"dover": clips("a", score=1)},
            key_column="p_dover_source",
            prefix="p",
            overwrite=True,
        )


def test_one_key_of_two_scorers(tmp_path: Path) -> None:
    """Two scorers may score the same clip: only the same scorer may not do it twice."""
    (row,) = joined(tmp_path, clips("a"), {"dover": clips("a", score=1), "musiq": clips("a", score=2)})
    assert (scores_of([row]), scores_of([row], "musiq")) == ([1.0], [2.0])


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("DOVER", "dover"),
        ("Q-Align v2.1", "q_align_v2_1"),
        ("(fork)--NR metric!", "fork_nr_metric"),
        ("é7", "7"),
    ],
)
def test_slug_names_the_columns(tmp_path: Path, label: str, slug: str) -> None:
    """Columns are named by the label in lower case, all runs of other signs than letters and digits one `_`."""
    (row,) = joined(tmp_path, clips("a"), {label: clips("a", score=1)})
    assert row[f"second_opinion_{slug}_score"] == 1.0


def test_scorers_with_one_slug(tmp_path: Path) -> None:
    """Two scorers of a table with the same column slug are an error that names both."""
    scores = {"clip-iqa": clips("a", score=1), "CLIP IQA": clips("a", score=2)}
    with pytest.raises(JoinError, match="'CLIP IQA' and 'clip-iqa' would share the columns of clip_iqa"):
        joined(tmp_path, clips("a"), scores)


def test_faulty_sidecar_writes_nothing(tmp_path: Path) -> None:
    """A sidecar with one faulty row fails its table, which writes nothing and keeps what it had."""
    joined(tmp_path, clips("a"), {"dover": clips("a", score=1)})
    before = (tmp_path / "out.jsonl").read_bytes(), (tmp_path / "audit.json").read_bytes()
    with pytest.raises(BatchError, match=r"dover\.jsonl: 1 faulty row in the sidecar"):
        joined(tmp_path, clips("a"), {"dover": [*clips("a", score=2), *clips("b", score=None)]})
    assert ((tmp_path / "out.jsonl").read_bytes(), (tmp_path / "audit.json").read_bytes()) == before


def test_no_text_is_twice_in_a_dictionary(tmp_path: Path) -> None:
    """Files of one pattern have one source: Parquet's writer fills the room of a second one with what is in memory."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0", "c1", "c2"))
    for clip in ("c0", "c1"):
        write_jsonl(tmp_path / f"nr/{clip}.jsonl", clips(clip, score=1))
    entry = TableEntry(
        FeaturesEntry("f.jsonl"), (SidecarEntry("nr/*.jsonl", label="nr"),), "o.parquet", None, JoinOptions()
    )
    found = match_table(entry, tmp_path).found
    source = columns.append(found, 0, 3)["second_opinion_nr_source"]
    assert source.dictionary.to_pylist() == ["nr/*.jsonl", ""]
    assert source.to_pylist() == ["nr/*.jsonl", "nr/*.jsonl", ""]
