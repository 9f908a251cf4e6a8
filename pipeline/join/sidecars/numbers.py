"""Numbers as scorers write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def finite_number(value: object) -> float | None:
    """`value` as a finite float, from a number or its text; None for all else, booleans too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):  # an integer beyond a float, a decimal that signals
        return None
    return number if math.isfinite(number) else None


def exact_sum(numbers: Iterable[float]) -> float | None:
    """The sum, which does not depend on the order of the numbers; None where it is beyond a float."""
    try:
        return math.fsum(numbers)
    except OverflowError:
        return None
