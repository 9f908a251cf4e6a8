"""JSON text: a strict reader, and writers with one spelling for each value."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

from pipeline.errors import show

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object, checked by a schema here or later."""

MAX_VALUES = 10_000_000
"""Maximum number of values in a document that is read whole (about 100 bytes each in Python)."""

MAX_LEVELS = 200
"""Maximum depth of nested lists and objects; every later step can process this."""

_COMMENT = "_"
_MAX_MANIFEST_VALUES = 250_000  # about 16,000 tables
_TOO_LONG = "Exceeds the limit"  # the start of Python's message about such an integer; the rest is about Python's settings
_TOO_DEEP = f"nested too deeply; expected at most {MAX_LEVELS} levels"


class DuplicateKeyError(ValueError):
    """A JSON object contains a key twice, so that one of its values would be lost."""


class RepeatingObject(dict[str, Any]):
    """A JSON object in which the `repeated` keys occur more than once; it has their last values."""

    repeated: tuple[str, ...]


def parse(text: str | bytes) -> Any:
    """One JSON value. NaN and Infinity are read as floats, as scorers write them.

    :raises ValueError: the text is not JSON, is nested too deeply, is not UTF-8, holds too many values, a number
        too long to read, or (DuplicateKeyError) an object with a repeated key.
    """
    return _whole(_ROWS, text, MAX_VALUES)


def parse_leniently(text: str | bytes) -> Any:
    """Like `parse`, but refuses NaN and returns an object with repeated keys as a `RepeatingObject`.

    :raises ValueError: as `parse`, but for repeated keys.
    """
    return _whole(_MANIFEST, text, _MAX_MANIFEST_VALUES)


def documents(text: str) -> Iterator[Any]:
    """The JSON values in `text`, one after another, separated by blanks or by nothing.

    :raises ValueError: as `parse`.
    """
    _check_values(text, MAX_VALUES)
    may_be_deep = _may_be_deep(text)
    position = _skip_blanks(text, 0)
    while position < len(text):
        value, position = _guarded(_ROWS.raw_decode, text, position)
        if may_be_deep:
            _check_levels(value)
        yield value
        position = _skip_blanks(text, position)


def without_comments(value: Any) -> Any:
    """`value` without the members of its objects whose names begin with `_`, at any depth."""
    if isinstance(value, list):
        return [without_comments(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_comments(each) for name, each in value.items() if not name.startswith(_COMMENT)}
    if not isinstance(value, RepeatingObject):
        return kept
    marked = RepeatingObject(kept)
    marked.repeated = tuple(name for name in value.repeated if not name.startswith(_COMMENT))
    return marked


def canonical(value: object) -> bytes:
    """The spelling of a JSON value for digests: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def pretty(value: object) -> bytes:
    """A JSON document for people and programs: sorted keys, indented, ASCII, a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False).encode("ascii") + b"\n"


def _whole(decoder: json.JSONDecoder, content: str | bytes, most_values: int) -> Any:
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 text (byte {exc.start})") from exc
    _check_values(text, most_values)
    value = _guarded(decoder.decode, text)
    if _may_be_deep(text):
        _check_levels(value)
    return value


def _guarded(decode: Any, text: str, *position: int) -> Any:
    try:
        return decode(text, *position)
    except RecursionError as exc:
        raise ValueError(_TOO_DEEP) from exc
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON: {exc}") from exc
    except ValueError as exc:
        if not str(exc).startswith(_TOO_LONG):  # ours
            raise
        most = sys.get_int_max_str_digits()
        raise ValueError(f"found an integer of too many digits; expected at most {most}") from exc


def _check_values(text: str, most: int) -> None:
    """:raises ValueError: there are too many values; an object counts as three, because it takes as much memory."""
    if 3 * len(text) > most:
        values = text.count(",") + text.count("[") + 3 * text.count("{")
        if values > most:
            raise ValueError(f"found about {values} values; expected at most {most} that are read at once")


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_LEVELS


def _check_levels(value: Any) -> None:
    """:raises ValueError: lists and objects are nested more than `MAX_LEVELS` deep."""
    level = [value]
    for _ in range(MAX_LEVELS + 1):
        inner = (
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        )
        level = [below for values in inner for below in values]
    if level:
        raise ValueError(_TOO_DEEP)


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError(f"the key {show(_repeats(pairs)[0])} occurs twice in one object")
    return found


def _mark_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = RepeatingObject(found)
    marked.repeated = tuple(_repeats(pairs))
    return marked


def _repeats(pairs: list[tuple[str, Any]]) -> list[str]:
    return sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"found {digits}, which is beyond a 64-bit float")
    return number


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"found {constant}, which JSON does not know")


_ROWS = json.JSONDecoder(object_pairs_hook=_refuse_repeats, parse_float=_finite)
_MANIFEST = json.JSONDecoder(
    object_pairs_hook=_mark_repeats, parse_float=_finite, parse_constant=_refuse_constant
)
