"""What both documents hold: intervals, citations, and numbers rounded once, so that the last bits of a sum change no byte."""

from __future__ import annotations

import math
from typing import Any, TypeAlias, TypedDict

SIGNIFICANT_DIGITS = 6

Interval: TypeAlias = list[float | None]
"""The lower and the upper end; null if not defined."""


class Cited(TypedDict):
    """A document that another one is built from, by the digest of its bytes."""

    path: str
    sha256: str


def rounded(value: Any) -> Any:
    """`value` with all its numbers rounded to `SIGNIFICANT_DIGITS`, and None for NaN and infinities."""
    if isinstance(value, dict):
        return {name: rounded(below) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(below) for below in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return value
