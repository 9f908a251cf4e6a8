"""The join options, declared once.

The manifest's schema, the flags of `second-opinion join` and the table in docs/manifest.md are derived
from the fields of `JoinOptions`; nothing else lists them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from ..errors import count, show
from ..storage.jsontext import JsonObject
from ..storage.schema import schema_faults
from .field_paths import KEY_SEPARATOR, path_fault, separator_fault

KeyNormalize: TypeAlias = Literal["auto", "raw", "basename", "stem"]
MissingPolicy: TypeAlias = Literal["mark", "drop", "fail"]


def _option(default: object, help_text: str, **schema: object) -> Any:
    """A field of `JoinOptions`: its default, what it does, and the JSON Schema of its value."""
    return field(default=default, metadata={"help": help_text, "schema": schema})


_NAMES_OF_PARTS: JsonObject = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1},
    "minItems": 2,
    "uniqueItems": True,
}


@dataclass(frozen=True, kw_only=True)
class JoinOptions:
    """The options of joining one table. Each may be set in a manifest's `defaults` or in a table."""

    key_column: str | None = _option(
        None,
        "Feature column that names the clip. Default: the first known key column that the table has.",
        type=["string", "null"],
        minLength=1,
    )
    key_columns: tuple[str, ...] | None = _option(
        None,
        "Feature columns that name the row together, such as a clip and a frame; the first names the clip. "
        "Instead of key_column; needs score_key_fields.",
        **_NAMES_OF_PARTS,
    )
    score_key_field: str | None = _option(
        None,
        "Sidecar field that names the clip; may be a dotted path. Default: the first known one of each row.",
        type=["string", "null"],
        minLength=1,
    )
    score_key_fields: tuple[str, ...] | None = _option(
        None,
        "Sidecar fields that name the row together, in the order of key_columns; each may be a dotted path. "
        "Instead of score_key_field.",
        **_NAMES_OF_PARTS,
    )
    score_field: str | None = _option(
        None,
        "Sidecar field that holds the score; may be a dotted path. Default: the first known one of each row.",
        type=["string", "null"],
        minLength=1,
    )
    key_normalize: KeyNormalize = _option(
        "auto",
        "How keys of both sides are compared: whole (raw), the part after the last / (basename), that part "
        "without its extension (stem), or by the name of each side's column (auto).",
        enum=list(get_args(KeyNormalize)),
    )
    key_regex: str | None = _option(
        None,
        "RE2 expression with one group, the key, applied to the normalized feature key. No match: a missing row.",
        type=["string", "null"],
        minLength=1,
    )
    score_key_regex: str | None = _option(
        None,
        "RE2 expression with one group, the key, applied to the normalized sidecar key. No match: an error.",
        type=["string", "null"],
        minLength=1,
    )
    missing_policy: MissingPolicy = _option(
        "mark",
        "What a row without a scorer's row means: keep it (mark), leave it out (drop), fail the table (fail).",
        enum=list(get_args(MissingPolicy)),
    )
    min_coverage: float = _option(
        0.0,
        "Least share of rows (0 to 1) that must have each scorer's row, below which the table fails.",
        type="number",
        minimum=0,
        maximum=1,
    )
    prefix: str = _option(
        "second_opinion",
        "First part of the name of every appended column.",
        type="string",
        minLength=1,
        maxLength=200,
    )
    overwrite: bool = _option(
        False,
        "Replace columns of the same name that the feature table has, in their position.",
        type="boolean",
    )

    def __post_init__(self) -> None:
        for name in _LISTS:
            if isinstance(given := getattr(self, name), list | tuple):
                object.__setattr__(self, name, tuple(given) or None)

    @property
    def feature_key(self) -> str | None:
        """The feature column of the key; of a composite key all its columns, see `KEY_SEPARATOR`. None: not set."""
        return KEY_SEPARATOR.join(self.key_columns) if self.key_columns else self.key_column

    def with_overrides(self, given: Mapping[str, object]) -> JoinOptions:
        """These options, with those in `given` (already checked by the schema) replaced."""
        changed: dict[str, Any] = {name: value for name, value in given.items() if name in _NAMES}
        if "min_coverage" in changed:
            changed["min_coverage"] = float(str(changed["min_coverage"]))  # 1 and 1.0 are the same value
        for one, several in _INSTEAD:
            if changed.get(one) is not None:
                changed.setdefault(several, None)
            elif changed.get(several) is not None:
                changed.setdefault(one, None)
        return replace(self, **changed)

    def as_json(self) -> JsonObject:
        """Every option by name, defaults included, lists only if they are set; reports show these."""
        given = {name: getattr(self, name) for name in _NAMES}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value is not None or name not in _LISTS
        }

    def faults(self) -> Iterator[str]:
        """Faults of the options together, each with the option's name."""
        given = (self.key_columns, self.score_key_fields)
        if not all(isinstance(each, tuple | None) for each in given):
            return  # the schema finds it
        columns, fields = (len(each or ()) for each in given)
        if columns != fields:
            yield (
                f"key_columns: found {count(columns, 'name')}, and {fields} in score_key_fields; "
                "expected a field for each column"
            )


@dataclass(frozen=True)
class Option:
    """One join option, for the schema, the flags and the documentation.

    Attributes:
        name: its name in a manifest; its flag is the same with `--` and dashes.
        default: its value if it is not given.
        help: what it does, in one or two sentences.
        schema: the JSON Schema of its value.
    """

    name: str
    default: object
    help: str
    schema: JsonObject

    @property
    def choices(self) -> tuple[str, ...] | None:
        """The allowed values, if they are listed."""
        return tuple(self.schema["enum"]) if "enum" in self.schema else None

    def is_usual(self, value: object) -> bool:
        """Whether a value is the default, or a text among the listed values: no schema needs to check it."""
        is_default = type(value) is type(self.default) and value == self.default
        return is_default or (isinstance(value, str) and value in (self.choices or ()))

    @property
    def flag(self) -> str:
        """Its flag on the command line of `join`."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_list(self) -> bool:
        """Whether its value is a list of texts."""
        return self.type_name == "array"

    @property
    def type_name(self) -> str:
        """Its type in words, for the documentation."""
        kind = self.schema.get("type", "string")
        return str(kind[0] if isinstance(kind, list) else kind)


OPTIONS = tuple(
    Option(each.name, each.default, each.metadata["help"], each.metadata["schema"])
    for each in fields(JoinOptions)
)
_NAMES = tuple(option.name for option in OPTIONS)
_INSTEAD = (("key_column", "key_columns"), ("score_key_field", "score_key_fields"))
_LISTS = tuple(option.name for option in OPTIONS if option.is_list)


def option_faults(given: Mapping[str, object]) -> Iterator[str]:
    """Faults of join options that no schema has checked, each with the option's name."""
    schemas = {
        option.name: option.schema for option in OPTIONS if not option.is_usual(given.get(option.name))
    }
    if schemas:  # importing jsonschema takes a tenth of a small join
        yield from schema_faults(dict(given), {"properties": schemas})
    for name, value in given.items():
        if isinstance(value, float) and math.isnan(value):  # no bound of a schema rejects NaN
            yield f"{name}: found {show(value)}; expected a number"
    yield from text_faults(given)


def text_faults(given: Mapping[str, object]) -> Iterator[str]:
    """Checks of join options beyond the schema: regular expressions, names of columns."""
    if isinstance(prefix := given.get("prefix"), str) and not prefix.isprintable():
        yield f"prefix: found {show(prefix)}; expected printable text"
    for one, several in _INSTEAD:
        if given.get(one) is not None and given.get(several) is not None:
            yield f"{several}: given together with {one}; expected only one of them"
    for option, name in _named(given):
        if (fault := _name_fault(option, name)) is not None:
            yield f"{option}: {fault}"
    for name in ("key_regex", "score_key_regex"):
        if isinstance(pattern := given.get(name), str) and pattern:
            from .regexes import regex_fault

            if (fault := regex_fault(pattern)) is not None:
                yield f"{name}: {fault}"


def _named(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Every name of a column or field that the options give, each with its option."""
    for option in ("key_column", "key_columns", "score_key_field", "score_key_fields", "score_field"):
        value = given.get(option)
        names = value if isinstance(value, list) else [value]
        yield from ((option, name) for name in names if isinstance(name, str))


def _name_fault(option: str, name: str) -> str | None:
    """The fault of a name that an option gives to a column or field."""
    is_key = "key" in option
    return path_fault(name, is_key=is_key) if option.startswith("score") else separator_fault(name)
