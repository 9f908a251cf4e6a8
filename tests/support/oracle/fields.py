"""Names that fields may have, and values looked up by them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

KEYS = [
    "clip_id",
    "video_id",
    "chug_video_id",
    "content_id",
    "file_name",
    "filename",
    "basename",
    "name",
    "distorted_path",
    "dis_path",
    "path",
]
SCORES = ["score", "predicted_mos", "predicted_vmaf_or_mos", "mos", "quality", "vmaf"]
RUNTIMES = ["runtime_ms", "runtime_total_ms", "elapsed_ms"]

Row = Mapping[str, Any]


class Absent:
    """What stands for a field that is not there; null is a value."""


def held(row: Row, wanted: Sequence[str]) -> list[tuple[str, Any]]:
    """The fields of the row with these names, best first; letter case is ignored, but lower case goes first."""
    found = []
    for want in wanted:
        if want in row:
            found.append((want, row[want]))
        for name, value in row.items():
            if name != want and name.lower() == want:
                found.append((name, value))
    return found


def first(row: Row, wanted: Sequence[str]) -> tuple[str, Any]:
    """The best of `held`; ("", Absent) if there is none."""
    for found in held(row, wanted):
        return found
    return "", Absent


def summary_of(row: Row) -> Row:
    """The object `summary` of a row; empty if it has none."""
    _, value = first(row, ["summary"])
    return value if isinstance(value, dict) else {}


def looked_up(row: Row, field: str) -> Any:
    """The field of exactly that name, else the one that its dots lead to, else Absent."""
    if field in row:
        return row[field]
    value: Any = row
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            return Absent
        value = value[step]
    return value


def number(value: object) -> float | None:
    """A finite number, or the text of one; a boolean is none."""
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?\s*", value):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
