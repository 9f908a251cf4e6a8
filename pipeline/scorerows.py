"""One row of a sidecar -> who scored which clip, and how; the rules of every field a scorer may write."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline import keys
from pipeline.entries import ScoreEntry, slug
from pipeline.errors import show
from pipeline.options import JoinOptions
from pipeline.rows import Row, RowFault

SCORE_FIELDS = ("score", "predicted_mos", "predicted_vmaf_or_mos", "mos", "quality", "vmaf")
"""Field names taken as the score where none is set, best first; letter case is ignored."""

RUNTIME_FIELDS = ("runtime_ms", "runtime_total_ms", "elapsed_ms")
OK_STATUSES = frozenset({"", "ok", "pass", "success"})
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_ABSENT: Any = object()


@dataclass(slots=True)
class ScoreRow:
    """One scorer's word on one clip.

    Attributes:
        label: the scorer's name.
        key_field: the field that the key stood under.
        key: the clip's key as the row spells it.
        score: in the scorer's own units and direction; None: none (a `bad` row only).
        bad: whether the scorer says that it failed on this clip.
        runtime_ms: what the scorer took, milliseconds.
        frames: number of frames the score is the mean of; 0 for a scalar score.
        aspect: its place among the scores of its row, from 0.
    """

    label: str
    key_field: str
    key: str
    score: float | None
    bad: bool
    runtime_ms: float | None
    frames: int
    aspect: int = 0


def finite_number(value: object) -> float | None:
    """`value` as a finite float, from a number or its text; None for all else, booleans too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def named(competitor: object) -> str | None:
    """The scorer that a field `competitor` names, if any."""
    value = keys.text(competitor)
    return (value.strip() or None) if value is not None else None


def is_ok(status: object) -> bool:
    """Whether a field `status` says that the scorer did not fail."""
    return status is None or (isinstance(status, str) and status.strip().lower() in OK_STATUSES)


def exact_sum(numbers: Iterable[float]) -> float | None:
    """The sum, which does not depend on the order of the numbers; None where it is beyond a float."""
    try:
        return math.fsum(numbers)
    except OverflowError:
        return None


@dataclass(frozen=True)
class Layout:
    """Which field of an object holds what, by the names it has; None and () where it has none."""

    key: str | None
    scores: tuple[str, ...]
    runtimes: tuple[str, ...]
    competitor: str | None
    status: str | None
    summary: str | None
    frames: str | None


@functools.lru_cache(maxsize=1024)
def layout_of(names: tuple[str, ...]) -> Layout:
    """The layout of objects with these field names; cached, as a sidecar's rows share few shapes."""

    def held(wanted: tuple[str, ...]) -> tuple[str, ...]:
        exact_first = sorted(names, key=lambda name: name != name.lower())
        return tuple(name for each in wanted for name in exact_first if name.lower() == each)

    def one(wanted: str) -> str | None:
        return next(iter(held((wanted,))), None)

    return Layout(
        key=keys.pick(names),
        scores=held(SCORE_FIELDS),
        runtimes=held(RUNTIME_FIELDS),
        competitor=one("competitor"),
        status=one("status"),
        summary=one("summary"),
        frames=one("frames"),
    )


class RowReader:
    """Reads the rows of one sidecar entry under a table's options."""

    def __init__(self, entry: ScoreEntry, options: JoinOptions) -> None:
        self._entry = entry
        self.key_is_file = entry.key_from == "file"
        self.key_field = entry.key_field or options.score_key_field
        self.aspects: tuple[tuple[str | None, str | None], ...] = entry.score_fields or (
            (None, entry.score_field or options.score_field),
        )
        self.label = functools.lru_cache(maxsize=1024)(self._checked_label)

    def labels(self) -> tuple[str, ...]:
        """The scorers that the entry names, whether or not it has rows."""
        if self._entry.label is None:
            return ()
        return tuple(self._aspect_label(self._entry.label, aspect) for aspect, _ in self.aspects)

    def read(self, row: Row, file_name: str) -> list[ScoreRow]:
        """What the row says, once per aspect.

        :raises RowFault: it breaks a rule; the message names the field, what was found and what is expected.
        """
        layout = layout_of(tuple(row))
        summary = row[layout.summary] if layout.summary else None
        summary = summary if isinstance(summary, dict) else {}
        inner = layout_of(tuple(summary))
        competitor = _competitor(row, layout) or _competitor(summary, inner)
        key_field, key = self._key(row, layout, summary, inner, file_name)
        bad = not (_is_ok(row, layout) and _is_ok(summary, inner))
        frames = _frames(row, layout)
        runtime = _runtime(row, layout, summary, inner, frames)
        found = []
        for place, (aspect, field) in enumerate(self.aspects):
            label = self.label(competitor, aspect)
            score, averaged = self._score(row, field, bad, frames)
            found.append(ScoreRow(label, key_field, key, score, bad, runtime, averaged, place))
        return found

    def _aspect_label(self, label: str, aspect: str | None) -> str:
        return label if aspect is None else f"{label}-{aspect}"

    def _checked_label(self, competitor: str | None, aspect: str | None) -> str:
        given = self._entry.label
        # An aspect is named after the entry's label, a plain score after the row's own word.
        label = (given or competitor) if aspect is not None else (competitor or given)
        if label is None:
            raise RowFault("no field competitor and the entry has no label; expected one to name the scorer")
        if competitor is not None and given is not None and slug(competitor) != slug(given):
            raise RowFault(
                f"field competitor: found {show(competitor)}, which contradicts the label {show(given)}; "
                "expected the same scorer (mend the label, or leave it out)"
            )
        if not slug(label) or not label.isprintable():
            raise RowFault(
                f"field competitor: found {show(label)}; expected a printable name with a letter or digit"
            )
        return self._aspect_label(label, aspect)

    def _key(self, row: Row, layout: Layout, summary: Row, inner: Layout, file_name: str) -> tuple[str, str]:
        if self.key_is_file:
            return "path", file_name
        if self.key_field is not None:
            field, value = self.key_field, _lookup(row, self.key_field)
            if value is _ABSENT:
                raise RowFault(f"field {field}: absent; expected the key{_fields(row)}")
        elif layout.key is not None:
            field, value = layout.key, row[layout.key]
        elif inner.key is not None:
            field, value = inner.key, summary[inner.key]
        else:
            raise RowFault(
                f"no key; expected one of {', '.join(keys.CANDIDATES)}, or set score_key_field{_fields(row)}"
            )
        key = keys.text(value)
        if key is None or not key.strip():
            raise RowFault(
                f"field {field}: found {show(value)}; expected a key, a text or number that is not empty"
            )
        return field, key

    def _score(
        self, row: Row, field: str | None, bad: bool, frames: list[Any] | None
    ) -> tuple[float | None, int]:
        """The score and the number of frames it is the mean of.

        The fields that may hold a score are those of the row, then of its summary, then of its frames.
        """
        if field is not None:
            value = _lookup(row, field)
            if value is _ABSENT and not bad:
                raise RowFault(f"field {field}: absent; expected the score{_fields(row)}")
            return _number(field, value, bad), 0
        held = _held_scores(row)
        if held:
            name, value = held[0]
            return _number(name, value, bad), 0
        if frames:
            return _mean(frames, bad)
        if not bad:
            raise RowFault(
                f"no score; expected one of {', '.join(SCORE_FIELDS)}, frames that hold one, or set score_field"
                f"{_fields(row)}"
            )
        return None, 0


def _lookup(row: Row, field: str) -> Any:
    """The value of a field; a name with dots is a path into nested objects unless a field has that name."""
    if field in row:
        return row[field]
    value: Any = row
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            return _ABSENT
        value = value[step]
    return value


def _held_scores(row: Row, place: str = "") -> list[tuple[str, Any]]:
    """The fields of a row, then of its summary, that may hold the score, best first; named from `place` on.

    :raises RowFault: two of them hold different numbers, so that one may be the human label.
    """
    layout = layout_of(tuple(row))
    held = [(f"{place}{name}", row[name]) for name in layout.scores]
    summary = row[layout.summary] if layout.summary else None
    if isinstance(summary, dict):
        held += [(f"{place}summary.{name}", summary[name]) for name in layout_of(tuple(summary)).scores]
    if len(held) > 1:
        numbers = [(name, number) for name, value in held if (number := finite_number(value)) is not None]
        for name, number in numbers[1:]:
            if number != numbers[0][1]:
                raise RowFault(
                    f"fields {numbers[0][0]} and {name}: found {numbers[0][1]} and {number}, and one may be the "
                    "human label; expected one score (set score_field)"
                )
    return held


def _number(field: str, value: Any, bad: bool) -> float | None:
    number = finite_number(value)
    if number is None and not bad:
        raise RowFault(
            f"field {field}: found {show(value)}; expected a finite number, or a status that is not ok"
        )
    return number


def _mean(frames: list[Any], bad: bool) -> tuple[float | None, int]:
    scores = []
    for index, frame in enumerate(frames):
        held = _held_scores(frame, f"frames[{index}].") if isinstance(frame, dict) else []
        number = finite_number(held[0][1]) if held else None
        if number is not None:
            scores.append(number)
        elif bad:
            return None, 0
        else:
            found = show(held[0][1]) if held else "no score"
            raise RowFault(f"field frames[{index}]: found {found}; expected a finite score in every frame")
    total = exact_sum(scores)
    if total is not None:
        return total / len(scores), len(scores)
    if bad:
        return None, 0
    raise RowFault("field frames: found scores whose sum is too large; expected a finite mean")


def _frames(row: Row, layout: Layout) -> list[Any] | None:
    frames = row[layout.frames] if layout.frames else None
    return frames if isinstance(frames, list) else None


def _competitor(row: Row, layout: Layout) -> str | None:
    return named(row[layout.competitor]) if layout.competitor else None


def _is_ok(row: Row, layout: Layout) -> bool:
    return layout.status is None or is_ok(row[layout.status])


def _runtime(row: Row, layout: Layout, summary: Row, inner: Layout, frames: list[Any] | None) -> float | None:
    for holder, fields in ((row, layout.runtimes), (summary, inner.runtimes)):
        for field in fields:
            if (number := finite_number(holder[field])) is not None:
                return number
    spent = [_own_runtime(frame) for frame in frames or () if isinstance(frame, dict)]
    known = [each for each in spent if each is not None]
    return exact_sum(known) if known else None


def _own_runtime(frame: Row) -> float | None:
    fields = layout_of(tuple(frame)).runtimes
    return next((number for name in fields if (number := finite_number(frame[name])) is not None), None)


def _fields(row: Row) -> str:
    return f" (the row has: {', '.join(show(name) for name in list(row)[:20])})"
