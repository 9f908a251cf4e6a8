"""JSON Schemas of OpenLineage events, read off the classes that the official client generates from the published ones.

The client's wheel brings no schema file; its classes have the schemas' names, types and required members. They are
stricter here: a member that a schema does not name is an error.
"""

from __future__ import annotations

import enum
import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator
from typing import Any

import attr
import jsonschema
from openlineage.client import event_v2, generated
from openlineage.client.generated import base

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
_FACETS = {
    "RunFacet": base.RunFacet,
    "JobFacet": base.JobFacet,
    "DatasetFacet": base.DatasetFacet,
    "InputDatasetFacet": base.InputDatasetFacet,
    "OutputDatasetFacet": base.OutputDatasetFacet,
}


def faults(event: dict[str, Any]) -> list[str]:
    """What of an event does not follow its schemas, with its path."""
    found = list(_faults(event, event_v2.RunEvent))
    groups = [(event["run"]["facets"], "RunFacet"), (event["job"]["facets"], "JobFacet")]
    for dataset in (*event["inputs"], *event["outputs"]):
        groups += [(dataset["facets"], "DatasetFacet")]
        groups += [(dataset.get("inputFacets") or {}, "InputDatasetFacet")]
        groups += [(dataset.get("outputFacets") or {}, "OutputDatasetFacet")]
    for facets, group in groups:
        for name, facet in facets.items():
            kind = KINDS.get(facet["_schemaURL"])
            if kind is None or not issubclass(kind, _FACETS[group]):
                found.append(f"{name}: {facet['_schemaURL']} is no published {group}")
            else:
                found += [f"{name}: {fault}" for fault in _faults(facet, kind)]
    return found


def _faults(value: object, kind: type) -> Iterator[str]:
    definitions: dict[str, Any] = {}
    schema = _of(kind, definitions) | {"$defs": definitions}
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    yield from (f"{error.json_path}: {error.message}" for error in checker.iter_errors(value))


def _kinds() -> Iterator[type]:
    for module in pkgutil.iter_modules(generated.__path__):
        found = importlib.import_module(f"{generated.__name__}.{module.name}")
        yield from (
            each for each in vars(found).values() if isinstance(each, type) and hasattr(each, "_get_schema")
        )


KINDS: dict[str, type] = {kind._get_schema(): kind for kind in _kinds()}  # type: ignore[attr-defined]  # its own method
"""Every class of the client by the URL of its schema."""


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type."""
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(each, definitions) for each in arguments if each is not types.NoneType]}
    if origin is list:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [each.value for each in kind]}
    if not attr.has(kind) or kind in _FACETS.values():
        return {}  # any value; facets are checked by their own schemas
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name not in definitions:
        definitions[name] = {}
        definitions[name] |= _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = attr.fields(kind)
    always = {"producer", "schemaURL", "_producer", "_schemaURL"}
    return {
        "type": "object",
        "properties": {each.name: _of(hints[each.name], definitions) for each in fields},
        "required": [each.name for each in fields if each.default is attr.NOTHING or each.name in always],
        "additionalProperties": False,
    }
