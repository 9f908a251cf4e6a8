"""JSON Schemas of the package, and violations of them as messages."""

from __future__ import annotations

import difflib
import functools
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..errors import MAX_FAULTS_SHOWN, show
from .jsontext import JsonObject

MAX_VIOLATIONS = 1000
_KINDS = {
    "string": "a text",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "number": "a number",
}


@functools.cache
def load_schema(name: str) -> JsonObject:
    """The JSON Schema (draft 2020-12) that ships as `pipeline/schemas/<name>.schema.json`."""
    text = (
        resources.files(__package__.rpartition(".")[0])
        .joinpath(f"schemas/{name}.schema.json")
        .read_text("utf-8")
    )
    schema: JsonObject = json.loads(text)
    return schema


@dataclass(frozen=True)
class Violations:
    """The violations of a schema in a document.

    Attributes:
        faults: a message per violation: its JSON path, what was found, what is expected.
        broken: the JSON paths of parts that cannot be checked further; unknown keys are not among them.
        complete: False if there may be more; the search ends after `MAX_VIOLATIONS`.
    """

    faults: tuple[str, ...]
    broken: frozenset[tuple[str | int, ...]]
    complete: bool


NO_VIOLATIONS = Violations((), frozenset(), complete=True)


def violations(value: object, schema: JsonObject) -> Violations:
    """The violations of `schema` in `value`."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(_inlined(schema, schema)).iter_errors(value)
    found = [*itertools.islice(errors, MAX_VIOLATIONS)]
    # A list index sorts as a number, a key as a text; the two never occur at the same depth.
    found.sort(key=lambda each: [(str(type(s)), s) for s in each.absolute_path])
    return Violations(
        tuple(fault for error in found for fault in _faults(error)),
        frozenset(tuple(each.absolute_path) for each in found if each.validator != "unevaluatedProperties"),
        complete=next(errors, None) is None,
    )


def schema_faults(value: object, schema: JsonObject) -> tuple[str, ...]:
    """The faults of `violations`: JSON path, what was found, what is expected."""
    return violations(value, schema).faults


def json_path(steps: Sequence[str | int]) -> str:
    """The JSON path of a value in a document, such as `tables[2].out`."""
    found = ""
    for step in steps:
        found = f"{found}[{step}]" if isinstance(step, int) else _below(found, step)
    return found


def _faults(error: Any) -> Iterator[str]:
    where = json_path(error.absolute_path)
    rule, wanted, found = error.validator, error.validator_value, error.instance
    if rule in ("additionalProperties", "unevaluatedProperties"):
        known = set(error.schema.get("properties", {}))
        for index, name in enumerate(sorted(set(found) - known)):
            hint = _nearest(name, known) if index < MAX_FAULTS_SHOWN else ""  # messages show no more
            yield f"{_below(where, name)}: unknown key{hint}"
    elif rule == "required":
        missing = [
            name for name in wanted if name not in found and f"{name!r} is a required" in error.message
        ]
        for name in missing:
            yield f"{_below(where, name)}: missing; expected {_kind(error.schema, name)}"
    else:
        yield f"{where or 'the document'}: found {show(found)}; expected {_expected(rule, wanted)}"


def _inlined(schema: Any, root: JsonObject) -> Any:
    """`schema` with its references to `$defs` of `root` written out.

    Following them at every table costs half of the time of a run in which nothing changed.
    """
    if isinstance(schema, list):
        return [_inlined(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    own = {name: _inlined(below, root) for name, below in schema.items() if name not in ("$ref", "$defs")}
    if not isinstance(reference := schema.get("$ref"), str):
        return own
    target = _inlined(root["$defs"][reference.rpartition("/")[2]], root)
    both = {**target, **own}
    if "properties" in both:
        both["properties"] = {**target.get("properties", {}), **own.get("properties", {})}
    return both


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(sorted(known))}"


def _kind(schema: JsonObject, name: str) -> str:
    kind = schema.get("properties", {}).get(name, {}).get("type")
    return _KINDS.get(kind, "a value") if isinstance(kind, str) else "a value"


def _expected(rule: str, wanted: Any) -> str:
    match rule:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return " or ".join(_KINDS.get(kind, kind) for kind in kinds if kind != "null")
        case "enum":
            return "one of " + ", ".join(str(each) for each in wanted if each is not None)
        case "pattern":
            return f"a text of the form {wanted}"
        case "minLength":
            return "a text that is not empty"
        case "minItems" | "minProperties":
            return "at least one entry" if wanted == 1 else f"at least {wanted} entries"
        case "uniqueItems":
            return "no entry twice"
        case "maxLength":
            return f"a text of at most {wanted} characters"
        case "minimum":
            return f"at least {wanted}"
        case "maximum":
            return f"at most {wanted}"
        case _:
            return f"{rule} {show(wanted)}"


def _below(where: str, name: str) -> str:
    shown = name if name.isidentifier() else show(name)
    return f"{where}.{shown}" if where else shown
