"""Paths of fields: `score`, `pooled_metrics.vmaf.mean`, `frames[].metrics.vmaf`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import show

ABSENT: Any = object()
"""The result of a lookup if there is no such field; null is a value."""

KEY_SEPARATOR = "\u241f"
"""Separates the parts of a composite key, and the names of its columns or fields."""

_LIST = "[]"


@dataclass(frozen=True)
class ListPath:
    """A path through a list.

    Attributes:
        items: the path to the list.
        inner: the path inside each item; empty: the item itself.
    """

    items: str
    inner: str

    def values(self, items: list[Any]) -> list[Any]:
        """The value inside each item; `ABSENT` if an item has none."""
        if not self.inner:
            return items
        return [lookup(item, self.inner) if isinstance(item, dict) else ABSENT for item in items]

    def name(self, index: int) -> str:
        """The path of the value inside the item at `index`, for messages."""
        return f"{self.items}[{index}]" + (f".{self.inner}" if self.inner else "")


@functools.lru_cache(maxsize=1024)
def list_path(field: str) -> ListPath | None:
    """The parts of a path with a step `name[]`; None if it has no such step."""
    steps = field.split(".")
    for index, step in enumerate(steps, 1):
        if step.endswith(_LIST):
            items = ".".join([*steps[: index - 1], step.removesuffix(_LIST)])
            return ListPath(items, ".".join(steps[index:]))
    return None


def lookup(row: Mapping[str, Any], field: str) -> Any:
    """The value of a field. A name with dots is a path into nested objects, unless a field has that name."""
    if field in row:
        return row[field]
    value: Any = row
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            return ABSENT
        value = value[step]
    return value


def first_step(field: str) -> str:
    """The first field of a path."""
    return field.partition(".")[0].removesuffix(_LIST)


def path_fault(field: str, *, is_key: bool = False) -> str | None:
    """The fault of a path that a user has set; None if it is valid."""
    if is_key and (fault := separator_fault(field)) is not None:
        return fault
    lists = [step for step in field.split(".") if step.endswith(_LIST)]
    if not lists:
        return None
    if is_key:
        return f"found {show(field)}, which goes through a list; expected a field that holds one key"
    if len(lists) > 1:
        return f"found {show(field)}, which goes through {len(lists)} lists; expected at most one name[]"
    if _LIST in lists:
        return f"found {show(field)}; expected the name of a list before []"
    return None


def separator_fault(name: str) -> str | None:
    """The fault of the name of a key column or field; None if it is valid."""
    if KEY_SEPARATOR in name:
        return (
            f"found {show(name)}; expected a name without {KEY_SEPARATOR}, which separates the parts of a key"
        )
    return None
