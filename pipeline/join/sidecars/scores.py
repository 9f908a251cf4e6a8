"""One row of a sidecar -> scorer, clip, score and status; the rules of every field a scorer may write."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import show
from ...manifest.declarations import slug
from ...manifest.entries import SidecarEntry
from ...manifest.field_paths import ABSENT, KEY_SEPARATOR, ListPath, list_path, lookup
from ...manifest.options import JoinOptions
from .. import keys
from .fields import SCORE_FIELDS, Layout, Row, RowFault, SetFields, layout_of
from .numbers import exact_sum, finite_number
from .record import ScoreRow
from .shapes import is_near_map

_NO_MAP = "; a map from key to score has numbers only, or objects only"
OK_STATUSES = frozenset({"", "ok", "pass", "success"})


def named(competitor: object) -> str | None:
    """The scorer that a field `competitor` names, if any."""
    value = keys.text(competitor)
    return (value.strip() or None) if value is not None else None


def is_ok(status: object) -> bool:
    """Whether a field `status` says that the scorer did not fail."""
    return status is None or (isinstance(status, str) and status.strip().lower() in OK_STATUSES)


class ScoreReader:
    """Reads the rows of one sidecar entry under a table's options."""

    def __init__(self, entry: SidecarEntry, options: JoinOptions) -> None:
        self._entry = entry
        self.key_is_file = entry.key_from == "file"
        self.key_fields = _key_fields(entry, options)
        self.aspects: tuple[tuple[str | None, str | None], ...] = entry.score_fields or (
            (None, entry.score_field or options.score_field),
        )
        self.set_fields = SetFields(
            self.key_fields, tuple(field for _, field in self.aspects if field is not None), self.key_is_file
        )
        self.label = functools.lru_cache(maxsize=1024)(self._checked_label)

    def read(self, row: Row, file_name: str) -> list[ScoreRow]:
        """The scores of the row, one per aspect.

        :raises RowFault: it breaks a rule; the message names the field, what was found and what is expected.
        """
        layout = layout_of(tuple(row))
        summary = _summary(row, layout)
        inner = layout_of(tuple(summary))
        competitor = _competitor_of(row)
        key_field, key = self._key(row, layout, summary, inner, file_name)
        bad = not (_is_ok(row, layout) and _is_ok(summary, inner))
        frames = _frames(row, layout)
        runtime = _runtime(row, layout, summary, inner, frames)
        found = []
        for position, (aspect, field) in enumerate(self.aspects):
            label = self.label(competitor, aspect)
            score, averaged = self._score(row, field, bad, frames)
            found.append(ScoreRow(label, key_field, key, score, bad, runtime, averaged, position))
        return found

    def labels_of(self, row: Row) -> list[str]:
        """The scorers of a row; none if it names none that may be."""
        with contextlib.suppress(RowFault):
            return [self.label(_competitor_of(row), aspect) for aspect, _ in self.aspects]
        return []

    def bad_status(self, row: Row) -> str | None:
        """The status by which a row is bad, on one line; None: it is ok."""
        layout = layout_of(tuple(row))
        summary = _summary(row, layout)
        for holder, its in ((row, layout), (summary, layout_of(tuple(summary)))):
            if not _is_ok(holder, its):
                status = holder[str(its.status)]
                return status.strip() if isinstance(status, str) else show(status)
        return None

    def _checked_label(self, competitor: str | None, aspect: str | None) -> str:
        given = self._entry.label
        # An aspect is named after the entry's label, a plain score after the row's own field.
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
        return label if aspect is None else f"{label}-{aspect}"

    def _key(self, row: Row, layout: Layout, summary: Row, inner: Layout, file_name: str) -> tuple[str, str]:
        """The name of the key's field, or of all fields of a composite key, and the key as the row spells it."""
        named = [("path", file_name)] if self.key_is_file else []
        named += [(field, self._key_text(row, field)) for field in self.key_fields]
        if not named and layout.key is not None:
            named = [(layout.key, _key_text(layout.key, row[layout.key]))]
        elif not named and inner.key is not None:
            named = [(inner.key, _key_text(inner.key, summary[inner.key]))]
        elif not named:
            raise RowFault(
                f"no key; expected one of {', '.join(keys.CANDIDATES)}, or set score_key_field{_fields(row)}"
                f"{_NO_MAP if is_near_map(row) else ''}"
            )
        for field, part in named[1:]:
            if KEY_SEPARATOR in part:
                raise RowFault(f"field {field}: found {show(part)}; expected a text without {KEY_SEPARATOR}")
        fields, parts = zip(*named, strict=True)
        return KEY_SEPARATOR.join(fields), KEY_SEPARATOR.join(parts)

    def _key_text(self, row: Row, field: str) -> str:
        value = lookup(row, field)
        if value is ABSENT:
            raise RowFault(f"field {field}: absent; expected the key{_fields(row)}")
        return _key_text(field, value)

    def _score(
        self, row: Row, field: str | None, bad: bool, frames: list[Any] | None
    ) -> tuple[float | None, int]:
        """The score and the number of frames it is the mean of.

        The fields that may hold a score are those of the row, then of its summary, then of its frames.
        """
        if field is not None:
            path = list_path(field)
            if path is not None and field not in row:
                return _mean_at(row, field, path, bad)
            value = lookup(row, field)
            if value is ABSENT and not bad:
                raise RowFault(f"field {field}: absent; expected the score{_fields(row)}")
            return _number(field, value, bad), 0
        held = _held_scores(row)
        if held:
            name, value = held[0]
            return _number(name, value, bad), 0
        if frames:
            return _mean("frames", _frame_scores(frames), bad)
        if not bad:
            raise RowFault(
                f"no score; expected one of {', '.join(SCORE_FIELDS)}, frames that hold one, or set score_field"
                f"{_fields(row)}"
            )
        return None, 0


def _key_fields(entry: SidecarEntry, options: JoinOptions) -> tuple[str, ...]:
    """The fields of the key that are set; those of the entry's own first part, if its file is that."""
    given = options.score_key_fields or tuple(filter(None, [options.score_key_field]))
    if entry.key_from == "file":
        return given[1:]
    return given if entry.key_field is None else (entry.key_field, *given[1:])


def _key_text(field: str, value: object) -> str:
    key = keys.text(value)
    if key is None or not key.strip():
        raise RowFault(
            f"field {field}: found {show(value)}; expected a key, a text or number that is not empty"
        )
    return key


def _held_scores(row: Row, prefix: str = "") -> list[tuple[str, Any]]:
    """The fields of a row, then of its summary, that may hold the score, best first; their names begin with `prefix`.

    :raises RowFault: two of them hold different numbers, so that one may be the human label.
    """
    layout = layout_of(tuple(row))
    held = [(f"{prefix}{name}", row[name]) for name in layout.scores]
    summary = row[layout.summary] if layout.summary else None
    if isinstance(summary, dict):
        held += [(f"{prefix}summary.{name}", summary[name]) for name in layout_of(tuple(summary)).scores]
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


def _mean_at(row: Row, field: str, path: ListPath, bad: bool) -> tuple[float | None, int]:
    """The mean over the list that the path of the score goes through."""
    items = lookup(row, path.items)
    if isinstance(items, list) and (items or bad):
        named = ((path.name(index), value) for index, value in enumerate(path.values(items)))
        return _mean(path.items, named, bad)
    if bad:
        return None, 0
    found = "absent" if items is ABSENT else f"found {show(items)}"
    raise RowFault(f"field {path.items}: {found}; expected a list with scores, for {field}{_fields(row)}")


def _frame_scores(frames: list[Any]) -> Iterator[tuple[str, Any]]:
    """The score of each frame, found by the same rules as that of a row."""
    for index, frame in enumerate(frames):
        name = f"frames[{index}]"
        held = _held_scores(frame, f"{name}.") if isinstance(frame, dict) else []
        yield name, held[0][1] if held else ABSENT


def _mean(field: str, named: Iterable[tuple[str, Any]], bad: bool) -> tuple[float | None, int]:
    """The mean of the scores of a list, each with its name, and their number."""
    scores = []
    for name, value in named:
        number = finite_number(value)
        if number is not None:
            scores.append(number)
        elif bad:
            return None, 0
        else:
            found = "no score" if value is ABSENT else show(value)
            raise RowFault(f"field {name}: found {found}; expected a finite score in every frame")
    total = exact_sum(scores)
    if total is not None and scores:
        return total / len(scores), len(scores)
    if bad:
        return None, 0
    raise RowFault(f"field {field}: found scores whose sum is too large; expected a finite mean")


def _frames(row: Row, layout: Layout) -> list[Any] | None:
    frames = row[layout.frames] if layout.frames else None
    return frames if isinstance(frames, list) else None


def _competitor(row: Row, layout: Layout) -> str | None:
    return named(row[layout.competitor]) if layout.competitor else None


def _competitor_of(row: Row) -> str | None:
    layout = layout_of(tuple(row))
    summary = _summary(row, layout)
    return _competitor(row, layout) or _competitor(summary, layout_of(tuple(summary)))


def _summary(row: Row, layout: Layout) -> Row:
    summary = row[layout.summary] if layout.summary else None
    return summary if isinstance(summary, dict) else {}


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
