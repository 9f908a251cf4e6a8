"""Logical types of Parquet that Arrow does not know: kept where columns are copied, reported where they are not."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.join.materialize import materialize
from pipeline.join.tables.parquet import kinds, thrift
from pipeline.join.tables.parquet.footer import footer_content
from pipeline.join.tables.parquet.thrift import I32, STRUCT, Field, ThriftError
from pipeline.manifest.options import JoinOptions
from tests.join.tables.parquet.test_readers import COLUMNS
from tests.support.builders import clips, run_main, write_jsonl

ANNOTATIONS = {
    "ENUM": ({6: Field(I32, 4)}, "ENUM"),
    "BSON": ({6: Field(I32, 20)}, "BSON"),
    "BSON by its newer name": ({10: Field(STRUCT, {13: Field(STRUCT, {})})}, "BSON"),
    "GEOMETRY": ({10: Field(STRUCT, {17: Field(STRUCT, {})})}, "GEOMETRY"),
    "of a later version": ({10: Field(STRUCT, {30: Field(STRUCT, {})})}, "logical type 30"),
}


def write_annotated(path: Path, annotation: dict[int, Field]) -> None:
    """A table of two clips whose column `x` of bytes has a logical type."""
    pq.write_table(pa.table({"clip_id": ["c0", "c1"], "x": [b"a", b"b"]}), path, store_schema=False)
    content, start = footer_content(path)
    assert content is not None
    fields = thrift.parse(content)
    fields[2].value.values[2] |= annotation
    changed = thrift.dump(fields)
    path.write_bytes(path.read_bytes()[:start] + changed + len(changed).to_bytes(4, "little") + b"PAR1")


def kinds_of(path: Path) -> dict[str, tuple[str, ...]]:
    """The logical types in a file."""
    content, _ = footer_content(path)
    assert content is not None
    return kinds.kinds(content)


def changed(folder: Path, **options: Any) -> list[Any]:
    """What the summary of a join says of changed types."""
    write_jsonl(folder / "s.jsonl", clips("c0", score=1))
    made = materialize(
        "f.parquet",
        ["dover=s.jsonl"],
        "o.parquet",
        options=JoinOptions(**{"missing_policy": "mark"} | options),
        base_dir=folder,
    )
    return [*made.summary.get("changed_types", [])]


@pytest.mark.parametrize(("annotation", "kind"), ANNOTATIONS.values(), ids=ANNOTATIONS.keys())
def test_a_type_that_is_lost_is_reported(tmp_path: Path, annotation: dict[int, Field], kind: str) -> None:
    """Copied, a column keeps its logical type; where rows are dropped it may lose it, and the summary says so."""
    write_annotated(tmp_path / "f.parquet", annotation)
    assert changed(tmp_path) == []
    assert kinds_of(tmp_path / "o.parquet")["x"] == (kind,)
    (lost,) = changed(tmp_path, missing_policy="drop")
    after = kinds_of(tmp_path / "o.parquet")["x"]
    assert lost == {"column": "x", "before": kind, "after": ", ".join(after)}


def test_types_of_duckdb_that_are_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A time with a zone and an interval are reported on stderr and in the audit, JSON and UUID are kept."""
    duckdb.connect().sql(
        "select 'c0' as clip_id, '12:00:00+00'::TIMETZ as time, interval 1 day as took, [1::UTINYINT] as n, "
        "uuid() as id, '1'::JSON as document"
    ).write_parquet(str(tmp_path / "f.parquet"))
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    ended = run_main(
        capsys,
        *("join", "--features", tmp_path / "f.parquet", "--scores", f"dover={tmp_path / 's.jsonl'}"),
        *("--out", tmp_path / "o.parquet", "--audit-json", tmp_path / "a.json", "--missing-policy", "drop"),
    )
    assert ended.code == 0
    assert json.loads((tmp_path / "a.json").read_bytes())["changed_types"] == [
        {"column": "time", "before": "TIME(MICROS,UTC)", "after": "TIME(MICROS)"},
        {"column": "took", "before": "INTERVAL", "after": "FIXED_LEN_BYTE_ARRAY"},
    ]
    assert "column 'took': its Parquet type INTERVAL has become FIXED_LEN_BYTE_ARRAY" in ended.err


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize("written", [{}, {"version": "1.0"}, {"use_compliant_nested_type": False}], ids=str)
def test_a_type_that_is_kept_is_not_reported(
    tmp_path: Path, column: pa.Array, written: dict[str, Any]
) -> None:
    """However its writer spelled it, a type that is the same afterwards is not reported."""
    pq.write_table(pa.table({"clip_id": [*"abcd"], "x": column}), tmp_path / "f.parquet", **written)
    write_jsonl(tmp_path / "s.jsonl", clips("a", score=1))
    made = materialize(
        *("f.parquet", ["dover=s.jsonl"], "o.parquet"),
        options=JoinOptions(missing_policy="drop"),
        base_dir=tmp_path,
    )
    assert made.summary.get("changed_types", []) == []


def test_old_timestamps_are_reported(tmp_path: Path) -> None:
    """A timestamp of 96 bits becomes one of 64 where rows are dropped."""
    at = pa.array([1, 2], pa.timestamp("ns"))
    pq.write_table(
        pa.table({"clip_id": ["c0", "c1"], "at": at}),
        tmp_path / "f.parquet",
        use_deprecated_int96_timestamps=True,
    )
    assert changed(tmp_path, missing_policy="drop") == [
        {"column": "at", "before": "INT96", "after": "TIMESTAMP(NANOS)"}
    ]


@given(st.binary(max_size=200))
def test_any_footer_has_types_or_is_refused(content: bytes) -> None:
    """Damaged footers are refused, never a crash."""
    with contextlib.suppress(ThriftError):
        assert isinstance(kinds.kinds(content), dict)
