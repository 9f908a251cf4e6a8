"""JSON text in and out: strict about what it accepts, one spelling for what it writes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipeline.errors import show


class DuplicateKeyError(ValueError):
    """A JSON object holds a key twice, so that one of its values would be lost."""


class RepeatingObject(dict[str, Any]):
    """A JSON object in which `repeated` keys stood more than once; it holds their last values."""

    repeated: tuple[str, ...]


def parse(text: str | bytes) -> Any:
    """One JSON value. NaN and Infinity are read as floats, as scorers write them.

    :raises ValueError: the text is not JSON, is nested too deeply, is not UTF-8, holds a number too long
        to read, or (DuplicateKeyError) an object with a repeated key.
    """
    return _guarded(_ROWS.decode, text)


def parse_leniently(text: str | bytes) -> Any:
    """Like `parse`, but refuses NaN and returns an object with repeated keys as a `RepeatingObject`.

    :raises ValueError: as `parse`, but for repeated keys.
    """
    return _guarded(_MANIFEST.decode, text)


def documents(text: str) -> Iterator[Any]:
    """The JSON values that stand one after another in `text`, separated by blanks or by nothing.

    :raises ValueError: as `parse`.
    """
    position = _skip_blanks(text, 0)
    while position < len(text):
        value, position = _guarded(_ROWS.raw_decode, text, position)
        yield value
        position = _skip_blanks(text, position)


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value that digests are taken over: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def pretty(value: object) -> bytes:
    """A JSON document for people and programs: sorted keys, indented, ASCII, a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False).encode("ascii") + b"\n"


def _guarded(decode: Any, text: str | bytes, *position: int) -> Any:
    try:
        return decode(text.decode("utf-8") if isinstance(text, bytes) else text, *position)
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 text (byte {exc.start})") from exc
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON: {exc}") from exc


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError(f"the key {show(_repeats(pairs)[0])} stands twice in one object")
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
