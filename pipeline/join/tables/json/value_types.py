"""The narrowest Arrow type of some values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

CONVERSION_ERRORS = (pa.ArrowException, OverflowError, UnicodeEncodeError)
"""A value does not fit a type."""


def inferred(values: Sequence[Any]) -> pa.DataType:
    """The narrowest type that holds all values.

    :raises CONVERSION_ERRORS: there is none.
    """
    if set(map(type, values)) == {float}:
        return pa.float64()  # most columns; the look at each value below takes four times as long
    try:
        kind = pa.array(values).type
    except OverflowError:
        return pa.array(values, pa.uint64()).type
    if any(_hides_boolean(value, kind) for value in values):
        raise pa.ArrowInvalid("true or false among numbers")
    return kind


def _hides_boolean(value: Any, kind: pa.DataType) -> bool:
    """Whether Arrow, which takes true among floats for 1.0, has done so somewhere in `value`."""
    if isinstance(value, bool):
        return bool(pa.types.is_floating(kind))
    if isinstance(value, list) and pa.types.is_list(kind):
        return any(_hides_boolean(below, kind.value_type) for below in value)
    if isinstance(value, dict) and pa.types.is_struct(kind):
        return any(_hides_boolean(below, kind.field(name).type) for name, below in value.items())
    return False
