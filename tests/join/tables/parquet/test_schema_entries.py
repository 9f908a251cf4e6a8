"""Metadata that describes the columns of a Parquet table: brought up to date, or left out and reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.join.tables.parquet.schema_entries import repeats_schema
from pipeline.storage.schema import load_schema, schema_faults
from tests.support.builders import clips, join_features, run_main, run_manifest, write_jsonl, write_manifest

SPARK = "org.apache.spark.sql.parquet.row.metadata"
SCORE, STATUS, RUNTIME, FRAMES, SOURCE = (
    f"second_opinion_dover_{name}" for name in ("score", "status", "runtime_ms", "frames", "source")
)
COLUMNS = ["clip_id", "si", "ti"]
TYPED = [{"name": name, "type": "string"} for name in COLUMNS]


def spark(*fields: tuple[str, str]) -> dict[str, Any]:
    """What Spark writes of a schema."""
    described = [
        {"name": name, "type": kind, "nullable": True, "metadata": {"comment": name}} for name, kind in fields
    ]
    return {"type": "struct", "fields": described}


def table(**metadata: Any) -> pa.Table:
    """Two clips with metadata: JSON of what is no bytes."""
    made = pa.table({"clip_id": ["c0", "c1"], "si": ["1", "2"], "ti": ["3", "4"]})
    entries = {
        key: value if isinstance(value, bytes) else json.dumps(value).encode()
        for key, value in metadata.items()
    }
    return made.replace_schema_metadata(entries)


def joined_entries(folder: Path, features: pa.Table, **options: Any) -> dict[str, bytes]:
    """The metadata of the joined table."""
    pq.write_table(features, folder / "f.parquet")
    metadata = pq.read_schema(join_features(folder / "f.parquet", "o.parquet", **options)).metadata
    return {key.decode(): value for key, value in metadata.items()}


WAYS = pytest.mark.parametrize("options", [{}, {"missing_policy": "drop"}], ids=["mark", "drop"])


@WAYS
def test_spark_sees_the_new_columns(tmp_path: Path, options: dict[str, Any]) -> None:
    """Spark's schema gains the new columns with Spark's types; what it said of the others stays."""
    before = spark(("clip_id", "string"), ("si", "string"), ("ti", "string"))
    entries = joined_entries(
        tmp_path, table(**{SPARK: before, "org.apache.spark.version": b"3.5.1"}), **options
    )
    after = json.loads(entries[SPARK])
    assert after["fields"][:3] == before["fields"]
    assert after["fields"][3:] == [
        {"name": name, "type": kind, "nullable": True, "metadata": {}}
        for name, kind in [
            *(
                (SCORE, "double"),
                (STATUS, "string"),
                (RUNTIME, "double"),
                (FRAMES, "long"),
                (SOURCE, "string"),
            )
        ]
    ]
    assert entries["org.apache.spark.version"] == b"3.5.1"


def test_a_replaced_column_has_its_new_type(tmp_path: Path) -> None:
    """In Spark's and Avro's schema an overwritten column is described once, by its new type."""
    fields = [{"name": "clip_id", "type": "string"}, {"name": SCORE, "type": "string"}]
    made = pa.table({"clip_id": ["c0"], SCORE: ["old"]}).replace_schema_metadata(
        {
            SPARK: json.dumps(spark(("clip_id", "string"), (SCORE, "string"))),
            "parquet.avro.schema": json.dumps({"type": "record", "name": "clip", "fields": fields}),
        }
    )
    entries = joined_entries(tmp_path, made, overwrite=True)
    for entry in (SPARK, "parquet.avro.schema"):
        described = json.loads(entries[entry])["fields"]
        assert [field["name"] for field in described] == ["clip_id", SCORE, STATUS, RUNTIME, FRAMES, SOURCE]
        assert "double" in described[1]["type"]


@WAYS
@pytest.mark.parametrize("entry", ["parquet.avro.schema", "avro.schema"])
def test_avro_sees_the_new_columns(tmp_path: Path, entry: str, options: dict[str, Any]) -> None:
    """Avro's schema gains the new columns, which may be null."""
    avro = {"type": "record", "name": "clip", "doc": "a clip", "fields": TYPED}
    after = json.loads(joined_entries(tmp_path, table(**{entry: avro}), **options)[entry])
    assert after["doc"] == "a clip"
    assert after["fields"][:4] == [*TYPED, {"name": SCORE, "type": ["null", "double"], "default": None}]


@WAYS
def test_datasets_sees_the_new_columns(tmp_path: Path, options: dict[str, Any]) -> None:
    """The features of Hugging Face's `datasets` gain the new columns; a fingerprint of other rows goes."""
    features = {name: {"dtype": "string", "_type": "Value"} for name in COLUMNS}
    entries = joined_entries(
        tmp_path, table(huggingface={"info": {"features": features}, "fingerprint": "f00"}), **options
    )
    after = json.loads(entries["huggingface"])
    assert [*after["info"]["features"]] == [*COLUMNS, SCORE, STATUS, RUNTIME, FRAMES, SOURCE]
    assert after["info"]["features"][FRAMES] == {"dtype": "int64", "_type": "Value"}
    assert "fingerprint" not in after


DROPPED: dict[str, tuple[str, Any]] = {
    "Spark's that is no JSON": (SPARK, b"{"),
    "Spark's of another form": (SPARK, {"type": "array"}),
    "Spark's with a field without a name": (SPARK, {"type": "struct", "fields": [{}]}),
    "Avro's of another form": ("parquet.avro.schema", ["null", "string"]),
    "Hugging Face's of another form": ("huggingface", {"info": {"features": [1]}}),
    "Iceberg": ("iceberg.schema", {"type": "struct", "fields": TYPED}),
    "Protocol Buffers": ("parquet.proto.descriptor", b'name: "Clip" field { name: "clip_id" }'),
    "a list of typed fields": ("own.schema", {"version": 1, "schema": {"columns": TYPED}}),
    "most of the columns": ("own.schema", TYPED[:2]),
    "a map from name to type": ("types", dict.fromkeys(COLUMNS, "varchar(20)")),
    "a map from name to description": ("types", {name: {"dtype": "float32"} for name in COLUMNS}),
    "DDL": ("ddl", b"clip_id STRING NOT NULL, si STRING, ti DECIMAL(10, 2)"),
    "lines": ("arrow", b"clip_id: string\nsi: string\nti: list<item: double>"),
    "a message type": (
        "mr",
        b"message clip { optional binary clip_id; optional double si; optional double ti; }",
    ),
    "the names": ("names", COLUMNS),
}


@WAYS
@pytest.mark.parametrize(("key", "value"), DROPPED.values(), ids=DROPPED.keys())
def test_what_cannot_be_brought_up_to_date_is_left_out(
    tmp_path: Path, key: str, value: Any, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A schema whose form is not known is left out; stderr and the audit say so."""
    pq.write_table(table(**{key: value, "kept": b"yes"}), tmp_path / "f.parquet")
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    flags = ["--missing-policy", options.get("missing_policy", "mark")]
    paths = {"features": "f.parquet", "scores": "dover=s.jsonl", "out": "o.parquet", "audit-json": "a.json"}
    for flag, name in paths.items():
        label, _, path = name.rpartition("=")
        flags += [f"--{flag}", f"{label}{'=' if label else ''}{tmp_path / path}"]
    ended = run_main(capsys, "join", *flags)
    assert ended.code == 0
    assert f"metadata entry '{key}' left out" in ended.err
    assert json.loads((tmp_path / "a.json").read_bytes())["dropped_metadata"] == [key]
    metadata = pq.read_schema(tmp_path / "o.parquet").metadata
    assert key.encode() not in metadata
    assert metadata[b"kept"] == b"yes"


KEPT: dict[str, Any] = {
    "text": b"extractor v3, float features; the clip is a string",
    "bytes": b"\xff\x00",
    "numbers": {"clip_id": 1, "si": 2, "ti": 3},
    "units": {"clip_id": "", "si": "px", "ti": "px"},
    "a dictionary of data": {
        "clip_id": "string that names the clip",
        "si": "spatial information",
        "ti": "text",
    },
    "an example": [{"clip_id": "c0", "si": "1"}],
    "one of the columns": [{"name": "si", "type": "string"}],
    "other columns": [{"name": name, "type": "string"} for name in "abc"],
    "some names": ["si", "ti"],
    "geo": {"version": "1.1.0", "primary_column": "g", "columns": {"si": {"encoding": "WKB"}}},
    "r": b"A\n3\nclip_id string, si string, ti string",
    "PANDAS_ATTRS": {"columns": TYPED},
    "deep": b"[" * 100_000,
    "long": b"a" * 1_000_000,
    "blank": b" " * 1_000_000,
}


@pytest.mark.parametrize("options", [{}, {"missing_policy": "drop"}], ids=["mark", "drop"])
@pytest.mark.parametrize(("key", "value"), KEPT.items(), ids=KEPT.keys())
def test_other_metadata_is_kept(tmp_path: Path, key: str, value: Any, options: dict[str, Any]) -> None:
    """What does not declare the types of most columns, or is read by name alone, stays as it is."""
    features = table(**{key: value})
    assert joined_entries(tmp_path, features, **options)[key] == features.schema.metadata[key.encode()]


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.sampled_from([*COLUMNS, "name", "type", "string"]),
        lambda below: (
            st.lists(below, max_size=4) | st.dictionaries(st.sampled_from([*COLUMNS, "name", "type"]), below)
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_value_is_looked_at(value: bytes) -> None:
    """No metadata, whatever it is, ends in an error."""
    assert repeats_schema(value, COLUMNS) in (True, False)


def test_the_report_says_what_is_left_out(tmp_path: Path) -> None:
    """A batch's report names the entries in JSON, as its schema has it, and in Markdown."""
    pq.write_table(table(**{"iceberg.schema": {"fields": TYPED}}), tmp_path / "f.parquet")
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    entry = {"id": "t", "features": "f.parquet", "scores": ["dover=s.jsonl"], "out": "o.parquet"}
    manifest = write_manifest(tmp_path / "m.json", [entry], missing_policy="mark")
    run_manifest(manifest)
    report = json.loads((tmp_path / "m.report.json").read_bytes())
    assert report["tables"][0]["summary"]["dropped_metadata"] == ["iceberg.schema"]
    assert not schema_faults(report, load_schema("report"))
    assert "iceberg.schema" in (tmp_path / "m.report.md").read_text("utf-8")
