"""The message about keys for which a scorer has more than one row."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import Faults, show
from ..keys import KeyRule
from .record import Scores


def message(label: str, parts: Sequence[Scores], among: pa.Array | None = None) -> str:
    """Message that lists the scorer's repeated keys: equal as written, or equal once normalised.

    :param among: the repeated keys (string), where they are known; None: they are searched for.
    """
    faults = Faults()
    first: dict[str, tuple[int, int]] = {}
    recalled = functools.cache(lambda index: parts[index].recall())

    def described(key: str, *rows: tuple[int, int]) -> str:
        return _duplicate(key, [_Occurrence.of(parts[index], recalled(index), row) for index, row in rows])

    for index, part in enumerate(parts):
        for row, key in _keys(part, among):
            if key in first:
                faults.add(functools.partial(described, key, first[key], (index, row)))
            else:
                first[key] = (index, row)
    return faults.message(
        f"{show(label)}: {faults.count} rows for keys that already have one; expected one row per clip"
    )


def _keys(part: Scores, among: pa.Array | None) -> Iterable[tuple[int, str]]:
    """The rows that may have a repeated key, with their keys."""
    if among is None:
        return enumerate(part.keys.to_pylist())
    rows = pc.indices_nonzero(pc.is_in(part.keys, among.cast(part.keys.type)))
    return zip(rows.to_pylist(), part.keys.take(rows).to_pylist(), strict=True)


@dataclass(frozen=True)
class _Occurrence:
    """One occurrence of a key in a sidecar."""

    raw: str
    location: str
    rule: KeyRule

    @classmethod
    def of(cls, part: Scores, recalled: pa.Table, row: int) -> _Occurrence:
        raw, number = (recalled[name][row].as_py() for name in ("key", "number"))
        return cls(raw, f"{part.location} {number}", KeyRule.of("raw", part.key_field, part.key_regex))

    @property
    def unique(self) -> object:
        return self.rule.apply(pa.array([self.raw], pa.string()))[0].as_py()


def _duplicate(key: str, occurrences: Sequence[_Occurrence]) -> str:
    first, second = occurrences
    if first.raw == second.raw:
        return f"{second.location}: the key {show(second.raw)} again, first at {first.location}"
    cure = "; key_normalize raw would keep them apart" if first.unique != second.unique else ""
    return (
        f"{second.location}: the key {show(second.raw)} becomes {show(key)}, "
        f"as does {show(first.raw)} at {first.location}{cure}"
    )
