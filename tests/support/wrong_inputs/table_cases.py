"""Feature tables that cannot be read, or not written as asked: exit code 1 (3: not there yet)."""

from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.wrong_inputs.case import Case, features, lines, manifest, table


def _parquet(table: pa.Table) -> bytes:
    """A Parquet file of the table."""
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


_KEYS = [f"c{row}" for row in range(3)]
_PARQUET = _parquet(pa.table({"clip_id": _KEYS, "f": [0.1234, 0.5678, 0.9]}))
_PARQUET_DAMAGED = _PARQUET[:4] + bytes(60) + _PARQUET[64:]
_NO_KEY = lines({"clip": "c0", "f": 1})
_PLANNED = "second_opinion_dover_status"

CASES = (
    Case(
        "features absent",
        r"t: .*g\.csv: the file is not there yet",
        manifest(table(features="g.csv")),
        code=3,
    ),
    Case("features a folder", r"g\.csv: found a folder, expected a file", features(None, "g.csv")),
    Case(
        "features an empty CSV",
        r"g\.csv: found no header; expected one line that names",
        features("", "g.csv"),
    ),
    Case("features an empty JSON", r"g\.json: not JSON.*expected a list of objects", features("", "g.json")),
    Case(
        "features an empty Parquet",
        r"g\.parquet: not a Parquet file: .*expected what its name says",
        features("", "g.parquet"),
    ),
    Case(
        "features CSV under the name of Parquet",
        r"g\.pq: not a Parquet file",
        features("clip_id\nc0\n", "g.pq"),
    ),
    Case(
        "features Parquet under the name of CSV",
        r"g\.csv: not UTF-8 text; expected UTF-8; ",
        features(_PARQUET, "g.csv"),
    ),
    Case(
        "features Parquet under the name of JSONL",
        r"g\.jsonl: \d+ faulty rows.*line 1: not .*expected a JSON object",
        features(_PARQUET, "g.jsonl"),
    ),
    Case(
        "features an object",
        r'g\.json: found an object; expected a list of objects or \{"rows"',
        features('{"a": 1}', "g.json"),
    ),
    Case(
        "features truncated Parquet", r"g\.parquet: not a Parquet file", features(_PARQUET[:-9], "g.parquet")
    ),
    Case(
        "features damaged Parquet",
        r"g\.parquet: damaged Parquet data: ",
        features(_PARQUET_DAMAGED, "g.parquet"),
    ),
    Case(
        "features truncated gzip",
        r"g\.jsonl\.gz: cannot be read: ",
        features(gzip.compress(_NO_KEY.encode() * 99)[:-20], "g.jsonl.gz"),
    ),
    Case("features no gzip", r"g\.csv\.gz: cannot be read: ", features("clip_id\nc0\n", "g.csv.gz")),
    Case("features no zstd", r"g\.csv\.zst: cannot be read: ", features("clip_id\nc0\n", "g.csv.zst")),
    Case(
        "features a ragged CSV",
        r"g\.csv: .*Expected 2 columns, got 3.*expected records of 2 cells",
        features("clip_id,f\nc0,1\nc1,2,3\n", "g.csv"),
    ),
    Case(
        "features a CSV not UTF-8",
        r"g\.csv: not UTF-8 text; expected UTF-8; save it as CSV UTF-8.*iconv -f WINDOWS-1252 -t UTF-8",
        features(b"clip_id,f\nc0,\xe9t\xe9\nc1,1\nc2,1\n", "g.csv"),
    ),
    Case(
        "features a CSV in UTF-16",
        r"g\.csv: not UTF-8 text; expected UTF-8; .*iconv -f UTF-16 -t UTF-8",
        features("clip_id,f\nc0,1\n".encode("utf-16"), "g.csv"),
    ),
    Case(
        "features a CSV without a header",
        r"g\.csv: the first line looks like data and not like a header: found 'c0\.mp4', '0\.5'",
        features("c0.mp4,0.5\nc1.mp4,0.25\n", "g.csv"),
    ),
    Case(
        "features a CSV of a delimiter that is not recognised",
        r"g\.csv: no key column.*the header seems to have the delimiter ';'",
        features("clip_id;f\nc0;1\nc1;x;y\n", "g.csv"),
    ),
    Case(
        "features a CSV with a header, and columns",
        r"g\.csv: the first line names columns: 'clip_id', 'f'.*leave columns out",
        {
            **features("clip_id,f\nc0,1\n", "g.csv"),
            **manifest(table(features={"path": "g.csv", "columns": ["clip_id", "f"]})),
        },
    ),
    Case(
        "features an object that sets what it cannot",
        r"tables\[0\]\.features\.decimal: 'features\.jsonl' has none; expected \.csv or \.tsv",
        manifest(table(features={"path": "features.jsonl", "decimal": ","})),
        code=2,
    ),
    Case(
        "features a JSONL not UTF-8",
        r"g\.jsonl line 2: not UTF-8 text",
        features(b'{"clip_id": "c0"}\n{"clip_id": "\xe9"}\n', "g.jsonl"),
    ),
    Case(
        "features with a broken line",
        r"1 faulty row.*g\.jsonl line 2: not JSON",
        features('{"clip_id": "c0"}\n{"clip_id"\n', "g.jsonl"),
    ),
    Case(
        "features with a row that is no object",
        r"g\.json row 2: found 7; expected a JSON object",
        features('[{"clip_id": "c0"}, 7]', "g.json"),
    ),
    Case(
        "features with a field twice",
        r"g\.jsonl line 1: the key 'f' occurs twice",
        features('{"clip_id": "c0", "f": 1, "f": 2}\n', "g.jsonl"),
    ),
    Case(
        "no key column",
        r"no key column; expected one of clip_id, .*set key_column to one of: 'clip', 'f'",
        features(_NO_KEY, "g.jsonl"),
    ),
    Case(
        "wanted key column absent",
        r"expected 'shot'; set key_column to one of: 'clip_id', 'f'",
        manifest(table(key_column="shot")),
    ),
    Case(
        "key column of lists",
        r"g\.pq column 'clip_id': found list<.*>; expected keys, texts or numbers",
        features(_parquet(pa.table({"clip_id": [["c0"], ["c1"]]})), "g.pq"),
    ),
    Case(
        "key of an object",
        r"g\.jsonl line 1 column 'clip_id': found an object; expected a key",
        features(lines({"clip_id": {"a": 1}}, {"clip_id": "c0"}), "g.jsonl", key_column="clip_id"),
    ),
    Case(
        "mixed types for Parquet",
        r"g\.jsonl line 2 column 'f': found a text, where .*1 has a number; expected one type per column",
        features(
            lines({"clip_id": "c0", "f": 1}, {"clip_id": "c1", "f": "x"}, {"clip_id": "c2"}),
            "g.jsonl",
            out="t.pq",
        ),
    ),
    Case(
        "infinity for JSON",
        r"g\.pq column 'f': found inf, which JSON cannot say; write the table as Parquet",
        features(_parquet(pa.table({"clip_id": _KEYS, "f": [1.0, float("inf"), 2.0]})), "g.pq"),
    ),
    Case(
        "planned column there",
        rf"has 1 of the columns that the join appends; set overwrite.*'{_PLANNED}'",
        features(lines(*({"clip_id": key, _PLANNED: "ok"} for key in _KEYS)), "g.jsonl"),
    ),
    Case(
        "planned column the key",
        r"column 'second_opinion_dover_source' is the key and would be overwritten",
        features(
            lines(*({"second_opinion_dover_source": key} for key in _KEYS)),
            "g.jsonl",
            key_column="second_opinion_dover_source",
            overwrite=True,
        ),
    ),
    Case(
        "CSV with a column twice",
        r"g\.csv: two columns are named 'f'",
        features("clip_id,f,f\nc0,1,2\n", "g.csv"),
    ),
    Case(
        "Parquet with a column twice",
        r"g\.pq: two columns are named 'f'",
        features(_parquet(pa.table([_KEYS, _KEYS, _KEYS], ["clip_id", "f", "f"])), "g.pq"),
    ),
    Case(
        "output a folder",
        r"t\.csv and .*: cannot be written: found a folder, expected a file",
        {"t.csv/x": "", **manifest(table(out="t.csv"))},
    ),
    Case("output below a file", r"joined/t\.jsonl.*: cannot be written: ", {"joined": "a file"}),
)
