"""JSON documents in every shape that is read, as the rows they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.oracle.faults import Fault, RefusedError
from tests.support.oracle.fields import (
    KEYS,
    RUNTIMES,
    SCORES,
    Absent,
    first,
    held,
    looked_up,
    number,
    summary_of,
)
from tests.support.oracle.scores import competitor
from tests.support.oracle.texts import BROKEN

KNOWN = {*KEYS, *SCORES, *RUNTIMES, "competitor", "status", "summary", "frames"}


@dataclass
class Wanted:
    """The fields that are set, and whether the key is the file's own path."""

    key: str | None
    scores: list[str]
    by_file: bool

    @property
    def paths(self) -> list[str]:
        """All of them."""
        return [*([self.key] if self.key else []), *self.scores]


def rows_of_documents(values: Sequence[Any], wanted: Wanted) -> list[Any]:
    """The rows of documents one after another."""
    seen: list[str] = []
    for value in values:
        if isinstance(value, dict) and not is_known(value, wanted):
            seen += [name for name in value if name not in ("rows", "results", "data", "scores")]
    # A map has each key once, whereas rows of unknown fields repeat them.
    maps = not wanted.by_file and len(set(seen)) == len(seen)
    return [row for value in values for row in rows_of_document(value, wanted, maps=maps)]


def rows_of_line(value: Any, wanted: Wanted) -> list[Any]:
    """The rows of a value on a line: one, or that of a map with one key."""
    is_map = (
        isinstance(value, dict) and len(value) == 1 and not wanted.by_file and not is_known(value, wanted)
    )
    if is_map:
        ((key, inner),) = value.items()
        if isinstance(inner, dict):
            return [keyed(key, inner, wanted)]
        if number(inner) is not None:
            return [{"path": key, "score": inner}]
    return [value]


def rows_of_document(value: Any, wanted: Wanted, *, maps: bool) -> list[Any]:
    """The rows of one document."""
    if isinstance(value, list):
        return listed(value)
    if not isinstance(value, dict):
        return [value]
    around = wrapped(value, wanted, maps=maps)
    if around is not None:
        return [under(value, row) for row in around]
    table = mapped(value, wanted) if maps and value else None
    return [value] if table is None else table


def listed(values: list[Any]) -> list[Any]:
    """The rows of a list."""
    if values and not [each for each in values if isinstance(each, dict)]:
        raise refused()
    return values


def refused() -> RefusedError:
    """A document of another shape."""
    return RefusedError(Fault("SidecarError"))


def wrapped(value: dict[str, Any], wanted: Wanted, *, maps: bool) -> list[Any] | None:
    """The rows that an object holds under a name for rows; None if it holds none."""
    through = [path.split("[]")[0] for path in wanted.paths if "[]" in path]
    lists = [n for n in ("rows", "results", "data") if isinstance(value.get(n), list) and n not in through]
    if is_row(value, wanted):
        lists = [name for name in lists if name != "data"]
        maps = False
    if len(lists) > 1:
        raise RefusedError(Fault("SidecarError", "in one object; expected one list of rows"))
    if lists == ["data"] and isinstance(value.get("columns"), list):
        return split(value, wanted)
    if lists:
        return listed(value[lists[0]])
    inner = [
        value[n] for n in ("rows", "results", "data", "scores") if value.get(n) and isinstance(value[n], dict)
    ]
    if maps and len(inner) == 1 and (by_column(inner[0], wanted) or not is_known(inner[0], wanted)):
        return mapped(inner[0], wanted)
    return None


def is_row(value: dict[str, Any], wanted: Wanted) -> bool:
    """Whether an object says something of a clip that it names."""
    if leads_to_value(value, wanted):
        return True
    return has_key(value, wanted) and bool(held(value, [*SCORES, *RUNTIMES, "status", "summary", "frames"]))


def leads_to_value(value: dict[str, Any], wanted: Wanted) -> bool:
    """Whether a field that is set is there, and no object."""
    for path in wanted.paths:
        found = looked_up(value, path if path in value else path.split("[]")[0])
        if found is not Absent and not isinstance(found, dict):
            return True
    return False


def is_known(value: dict[str, Any], wanted: Wanted) -> bool:
    """Whether an object has a field that is known or set."""
    steps = {path.split(".")[0].removesuffix("[]") for path in wanted.paths}
    return any(name.lower() in KNOWN or name in steps or name in wanted.paths for name in value)


def has_key(row: dict[str, Any], wanted: Wanted) -> bool:
    """Whether a row has a field for the key."""
    if wanted.by_file:
        return True
    if wanted.key is not None:
        return looked_up(row, wanted.key) is not Absent
    return first(row, KEYS)[1] is not Absent or first(summary_of(row), KEYS)[1] is not Absent


def mapped(value: dict[str, Any], wanted: Wanted) -> list[Any] | None:
    """The rows of a map, or of an object per column; None if the object is a row."""
    inner = list(value.values())
    if leads_to_value(value, wanted):
        return None
    if by_column(value, wanted):
        index = list(inner[0])
        return indexed(
            index, [{name: column[each] for name, column in value.items()} for each in index], wanted
        )
    frames = first(value, ["frames"])[0]
    if all(isinstance(each, list) for each in inner) and set(value) != {frames}:
        raise refused()
    if is_known(value, wanted):
        return None
    if all(isinstance(each, dict) for each in inner):
        return indexed(list(value), inner, wanted)
    is_number = [number(each) is not None or isinstance(each, float) for each in inner]
    if any(is_number) and all(one or each is None for one, each in zip(is_number, inner, strict=True)):
        if counts_rows(list(value), wanted):
            raise refused()
        return [
            BROKEN if number(score) is None else {"path": key, "score": score} for key, score in value.items()
        ]
    return None


def by_column(value: dict[str, Any], wanted: Wanted) -> bool:
    """Whether an object holds one object per column, as pandas writes a table."""
    inner = list(value.values())
    if not all(isinstance(each, dict) and set(each) == set(inner[0]) for each in inner):
        return False
    if any(isinstance(cell, dict) for each in inner for cell in each.values()):
        return False
    names_it = bool(held(value, [*KEYS, *SCORES])) or any(path in value for path in wanted.paths)
    index = list(inner[0])
    return names_it or (bool(index) and index == [str(each) for each in range(len(index))])


def split(value: dict[str, Any], wanted: Wanted) -> list[Any]:
    """The rows of lists beside the names of their columns."""
    names, index, data = value["columns"], value.get("index"), value["data"]
    if [name for name in names if not isinstance(name, str)] or len(set(names)) < len(names):
        raise refused()
    if data and all(isinstance(each, dict) for each in data):
        return list(data)
    rows = [
        dict(zip(names, each, strict=True)) if isinstance(each, list) and len(each) == len(names) else BROKEN
        for each in data
    ]
    if index is None:
        return rows
    if not isinstance(index, list) or len(index) != len(rows):
        raise refused()
    return indexed(index, rows, wanted)


def indexed(index: list[Any], rows: list[Any], wanted: Wanted) -> list[Any]:
    """Rows under names, which are their keys unless they have keys or the names only count them."""
    if counts_rows(index, wanted):
        return rows
    return [
        keyed(name, row, wanted) if isinstance(row, dict) else row
        for name, row in zip(index, rows, strict=True)
    ]


def counts_rows(index: list[Any], wanted: Wanted) -> bool:
    """Whether names only count rows: 0, 1, 2 ..."""
    return wanted.key != "path" and all(str(name) == str(place) for place, name in enumerate(index))


def keyed(name: Any, row: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    """A row with a name as its key, as a field `path` would hold it, unless it has one."""
    return row if "path" in row or has_key(row, wanted) else {**row, "path": name}


def under(wrapper: dict[str, Any], row: Any) -> Any:
    """A row with the scorer that the object around it names, where it names none itself."""
    named = competitor(wrapper)
    if named is None or not isinstance(row, dict) or competitor(row) is not None:
        return row
    return {**row, "competitor": named}
