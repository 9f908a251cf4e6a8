"""What breaks a JSON Schema, in words that say where, what was found and what is expected."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.storage.schema import json_path, load_schema, schema_faults

SOUND: dict[str, Any] = {
    "tables": [{"id": "t", "features": "f.csv", "scores": ["d.csv", {"path": "e.csv"}], "out": "t.csv"}]
}


@pytest.mark.parametrize("name", ["audit", "families", "impact", "manifest", "report"])
def test_the_schemas_of_the_package_are_schemas(name: str) -> None:
    """Each ships inside the package and is a JSON Schema of draft 2020-12."""
    schema = load_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_a_sound_document_has_no_fault() -> None:
    """A manifest with what is required, and nothing else, breaks no rule."""
    assert list(schema_faults(SOUND, load_schema("manifest"))) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"id": "-x"},
            "tables[0].id: found '-x'; expected a text of the form ^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
        ),
        ({"features": None}, "tables[0].features: found None; expected a text or an object"),
        ({"features": {}}, "tables[0].features.path: missing; expected a text"),
        (
            {"features": {"path": "f.csv", "decimal": ";"}},
            "tables[0].features.decimal: found ';'; expected one of ., ,",
        ),
        ({"scores": []}, "tables[0].scores: found []; expected at least one entry"),
        ({"key_columns": ["a"]}, "tables[0].key_columns: found ['a']; expected at least 2 entries"),
        ({"key_columns": ["a", "a"]}, "tables[0].key_columns: found ['a', 'a']; expected no entry twice"),
        ({"scores": [3]}, "tables[0].scores[0]: found 3; expected a text or an object"),
        ({"scores": [""]}, "tables[0].scores[0]: found ''; expected a text that is not empty"),
        ({"scores": [{}]}, "tables[0].scores[0].path: missing; expected a text"),
        ({"overwrite": 1}, "tables[0].overwrite: found 1; expected true or false"),
        ({"min_coverage": 2}, "tables[0].min_coverage: found 2; expected at most 1"),
        ({"min_coverage": True}, "tables[0].min_coverage: found True; expected a number"),
        (
            {"missing_policy": "Mark"},
            "tables[0].missing_policy: found 'Mark'; expected one of mark, drop, fail",
        ),
        (
            {"prefix": "p" * 201},
            f"tables[0].prefix: found '{'p' * 198}…; expected a text of at most 200 characters",
        ),
        ({"missing_polcy": "mark"}, "tables[0].missing_polcy: unknown key; did you mean missing_policy?"),
        ({"key column": "a"}, "tables[0].'key column': unknown key; did you mean key_column?"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_fault_says_where_what_was_found_and_what_is_expected(
    change: dict[str, Any], fault: str | None
) -> None:
    """One line per fault, in the manifest's own names and in plain words."""
    document = {"tables": [SOUND["tables"][0] | change]}
    assert list(schema_faults(document, load_schema("manifest"))) == ([] if fault is None else [fault])


def test_an_unknown_key_that_is_near_none_lists_the_known_ones() -> None:
    """Where no known key is near, all are named."""
    (fault,) = schema_faults(SOUND | {"zzz": 1}, load_schema("manifest"))
    assert fault == "zzz: unknown key; known keys: $schema, defaults, scorers, tables"


def test_a_value_is_quoted_on_one_line_and_cut() -> None:
    """A message never repeats control characters or a value of any length."""
    document = {"tables": [SOUND["tables"][0] | {"id": "\x1b[2J\n" * 39}]}
    (fault,) = schema_faults(document, load_schema("manifest"))
    assert fault.isprintable()
    assert len(fault) < 400


def test_faults_come_in_the_order_of_the_tables() -> None:
    """Table 10 comes after table 2, so that a long manifest is mended from top to bottom."""
    tables = [SOUND["tables"][0] | {"id": f"t{index}", "out": index} for index in range(12)]
    places = [fault.split(":")[0] for fault in schema_faults({"tables": tables}, load_schema("manifest"))]
    assert places == [f"tables[{index}].out" for index in range(12)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([], ""), (["tables", 2, "out"], "tables[2].out"), ([0], "[0]"), (["a b", "c"], "'a b'.c")],
    ids=["root", "table", "list", "blank"],
)
def test_a_place_is_spelled_as_a_path(steps: list[str | int], expected: str) -> None:
    """`tables[2].out`: what a user can look for in the manifest."""
    assert json_path(steps) == expected
