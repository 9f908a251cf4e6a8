"""Manifests with a fault: exit code 2, every fault with its place, nothing written."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.support.wrong_inputs.case import Case, manifest, table

_OTHER = table(id="u", out="joined/u.jsonl", audit_json="joined/u.audit.json")


def _case(
    name: str, says: str, files: Mapping[str, str | bytes | None] | None = None, *argv: str, locked: str = ""
) -> Case:
    return Case(name, says, files or {}, argv or ("run", "m.json"), code=2, locked=locked)


def _table(name: str, says: str, **changes: object) -> Case:
    """A manifest of one table with these changes."""
    return _case(name, says, manifest(table(**changes)))


def _pair(name: str, says: str, **changes: object) -> Case:
    """A manifest of the sound table `t` and a table `u` with these changes."""
    return _case(name, says, manifest(table(), _OTHER | changes))


_UNREADABLE_AS_MANIFEST = (
    _case("manifest absent", r"no\.json: the file is not there.*expected a manifest", {}, "run", "no.json"),
    _case("manifest empty", r"m\.json: not JSON.*expected a manifest", {"m.json": ""}),
    _case("manifest not JSON", r"m\.json: not JSON: .*line 1 column 12", {"m.json": '{"tables": nope}'}),
    _case("manifest not UTF-8", r"m\.json: not UTF-8", {"m.json": b"\xff\xfe"}),
    _case("manifest a folder", r"joined: found a folder, expected a file", {"joined/x": ""}, "run", "joined"),
    _case("manifest unreadable", r"m\.json: cannot be read: Permission denied", locked="m.json"),
    _case("manifest nested too deeply", r"m\.json: nested too deeply", {"m.json": "[" * 200_000}),
    _case("manifest a list", r"found \[\]; expected an object", {"m.json": "[]"}),
    _case(
        "NaN in the manifest",
        r"m\.json: found NaN, which JSON does not know",
        {"m.json": '{"defaults": {"min_coverage": NaN}, "tables": []}'},
    ),
    _case(
        "key twice in one object",
        r"tables\[0\]\.out: the key appears twice in one object",
        {"m.json": json.dumps({"tables": [table()]}).replace('"out"', '"out": "x.csv", "out"')},
    ),
)

_SHAPES = (
    _table(
        "unknown option",
        r"tables\[0\]\.key_normalise: unknown key; did you mean key_normalize\?",
        key_normalise="raw",
    ),
    _case(
        "unknown default",
        r"defaults\.mising_policy: unknown key; did you mean missing_policy\?",
        manifest(table(), mising_policy="mark"),
    ),
    _case("unknown top key", r" table: unknown key; did you mean tables\?", {"m.json": '{"table": []}'}),
    _table(
        "unknown key of a sidecar entry",
        r"tables\[0\]\.scores\[0\]\.lable: unknown key; did you mean label\?",
        scores=[{"path": "dover.jsonl", "lable": "dover"}],
    ),
    _table(
        "required keys absent",
        r"tables\[0\]\.features: missing.*tables\[0\]\.out: missing",
        features=...,
        out=...,
    ),
    _table(
        "path absent",
        r"tables\[0\]\.scores\[0\]\.path: missing; expected a text",
        scores=[{"label": "dover"}],
    ),
    _case("tables absent", r"tables: missing; expected a list", {"m.json": "{}"}),
    _case("no table", r"tables: found \[\]; expected at least one entry", manifest()),
    _table("no sidecar", r"tables\[0\]\.scores: found \[\]; expected at least one entry", scores=[]),
    _table(
        "text for a list", r"tables\[0\]\.scores: found 'dover\.jsonl'; expected a list", scores="dover.jsonl"
    ),
    _table(
        "text for a number", r"tables\[0\]\.min_coverage: found '0\.5'; expected a number", min_coverage="0.5"
    ),
    _table(
        "text for a boolean", r"tables\[0\]\.overwrite: found 'yes'; expected true or false", overwrite="yes"
    ),
    _table("number for a path", r"tables\[0\]\.out: found 7; expected a text", out=7),
    _table("empty path", r"tables\[0\]\.features: found ''; expected a text that is not empty", features=""),
    _table(
        "bad choice",
        r"key_normalize: found 'exact'; expected one of auto, raw, basename, stem",
        key_normalize="exact",
    ),
    _table(
        "min_coverage above 1", r"tables\[0\]\.min_coverage: found 1\.5; expected at most 1", min_coverage=1.5
    ),
    _table(
        "min_coverage below 0",
        r"tables\[0\]\.min_coverage: found -0\.1; expected at least 0",
        min_coverage=-0.1,
    ),
    _table("bad id", r"tables\[0\]\.id: found '\.\./t'; expected a text of the form", id="../t"),
    _table("id with a line end", r"tables\[0\]\.id: found 't\\n'; expected a text of the form", id="t\n"),
)

_RULES = (
    _table(
        "out of no known format",
        r"tables\[0\]\.out: found 't\.xlsx'; expected one of \.parquet",
        out="t.xlsx",
    ),
    _table(
        "out in packed Parquet",
        r"tables\[0\]\.out: found 't\.parquet\.gz'; expected one of",
        out="t.parquet.gz",
    ),
    _table(
        "features of no known format",
        r"tables\[0\]\.features: found 'f'; expected one of \.parquet",
        features="f",
    ),
    _table(
        "sidecar of no known format",
        r"scores\[0\]: found 'd\.txt'; expected one of .*or a format",
        scores=["d.txt"],
    ),
    _table(
        "label without a path", r"scores\[0\]: found 'dover='; expected a path after the =", scores=["dover="]
    ),
    _table(
        "label without a letter",
        r"scores\[0\]\.label: found '--'; .*at least one letter",
        scores=["--=dover.jsonl"],
    ),
    _table(
        "two sources of the key",
        r"scores\[0\]\.key_from: given together with key_field; expected only one of them",
        scores=[{"path": "dover.jsonl", "key_from": "file", "key_field": "clip_id"}],
    ),
    _table(
        "regex without a group", r"tables\[0\]\.key_regex: found 'c\.\*': it has no group", key_regex="c.*"
    ),
    _table(
        "regex with two groups", r"key_regex: .*more than one group; expected exactly one", key_regex="(c)(.)"
    ),
    _table("regex with a lookahead", r"tables\[0\]\.score_key_regex: .*RE2", score_key_regex="(c.)(?=x)"),
    _table("regex not closed", r"tables\[0\]\.key_regex: found '\(c': .*missing \)", key_regex="(c"),
    _pair("same id", r"tables\[1\]\.id: 't' is also tables\[0\]\.id; expected unique ids", id="t"),
    _pair("same out", r"tables\[1\]\.out: 'joined/t\.jsonl' is also tables\[0\]\.out", out="joined/t.jsonl"),
    _pair(
        "same out in other words",
        r"tables\[1\]\.out: .* is also tables\[0\]\.out",
        out="./joined/../joined/t.jsonl",
    ),
    _pair(
        "same audit",
        r"tables\[1\]\.audit_json: .* is also tables\[0\]\.audit_json",
        audit_json="joined/t.audit.json",
    ),
    _pair(
        "out of one, audit of the other",
        r"tables\[1\]\.audit_json: .* is also tables\[0\]\.out",
        audit_json="joined/t.jsonl",
    ),
    _table(
        "out also the audit",
        r"tables\[0\]\.audit_json: .* is also tables\[0\]\.out",
        audit_json="joined/t.jsonl",
    ),
    _table(
        "out an input of the table",
        r"tables\[0\]\.out: 'dover\.jsonl' is also read, as tables\[0\]\.scores\[0\]",
        out="dover.jsonl",
    ),
    _pair(
        "out an input of the other",
        r"tables\[1\]\.out: .* is also read, as tables\[0\]\.features",
        features="g.jsonl",
        out="features.jsonl",
    ),
    _table(
        "audit the manifest", r"tables\[0\]\.audit_json: 'm\.json' is also the manifest", audit_json="m.json"
    ),
    _table("out the report", r"tables\[0\]\.out: 'm\.report\.json' is also the report", out="m.report.json"),
    _table(
        "audit the failed report",
        r"audit_json: 'm\.report\.failed\.json' is also the report",
        audit_json="m.report.failed.json",
    ),
    _case(
        "report an input",
        r"the report dover\.jsonl \(JSON\): 'dover\.jsonl' is also read, as tables\[0\]\.scores\[0\]",
        None,
        "run",
        "m.json",
        "--report-json",
        "dover.jsonl",
    ),
    _case(
        "base folder absent",
        r"base folder: found no folder at 'nowhere'",
        None,
        "run",
        "m.json",
        "--base-dir",
        "nowhere",
    ),
    _case(
        "several faults at once",
        r"3 faults in the manifest.*tables\[0\]\.overwrite: .*tables\[1\]\.colour: .*tables\[1\]\.prefix: ",
        manifest(table(overwrite=1), _OTHER | {"colour": "red", "prefix": ""}),
    ),
    _case(
        "more faults than are shown",
        r"12 faults in the manifest.*tables\[9\]\.out.*and 2 more",
        manifest(*(table(id=f"t{n}", out=7, audit_json=f"{n}.json") for n in range(12))),
    ),
    _case(
        "regex of the defaults",
        r"1 fault in the manifest.*defaults\.key_regex: found 'c': it has no group",
        manifest(table(), _OTHER, key_regex="c"),
    ),
    _case(
        "faults of shape and of sense at once",
        r"4 faults in the manifest.*tables\[0\]\.overwrite: .*tables\[1\]\.colour: "
        r".*tables\[2\]\.key_regex: .*tables\[2\]\.id: ",
        manifest(
            table(overwrite=1),
            _OTHER | {"colour": "red"},
            _OTHER | {"key_regex": "c", "out": "joined/v.jsonl", "audit_json": None},
        ),
    ),
    _table(
        "audit a folder's name",
        r"tables\[0\]\.audit_json: found '\.'; expected the name of a file",
        audit_json=".",
    ),
    _table(
        "path that no file has",
        r"tables\[0\]\.features: found 'a\\x00\.csv'; expected the name of a file",
        features="a\0.csv",
    ),
    _table(
        "sidecar that no file has",
        r"scores\[0\]: found 'a\\x00/\*\.csv'; expected the name",
        scores=["a\0/*.csv"],
    ),
    _table(
        "out that no file has",
        r"tables\[0\]\.out: found '\\ud800/t\.csv'; expected the name",
        out="\ud800/t.csv",
    ),
    _case(
        "report a folder's name",
        r"the report: found '\.'; expected the name",
        None,
        "run",
        "m.json",
        "--report-json",
        ".",
    ),
    _case(
        "faults that no schema can tell, at once",
        r"2 faults in the manifest.*tables\[0\]\.key_regex: .*tables\[1\]\.id: ",
        manifest(table(key_regex="c"), _OTHER | {"id": "t"}),
    ),
)

CASES = (*_UNREADABLE_AS_MANIFEST, *_SHAPES, *_RULES)
