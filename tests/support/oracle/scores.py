"""What one row of a sidecar says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.oracle import keys
from tests.support.oracle.faults import RowFaultError
from tests.support.oracle.fields import (
    KEYS,
    RUNTIMES,
    SCORES,
    Absent,
    Row,
    first,
    held,
    looked_up,
    number,
    summary_of,
)


@dataclass
class Score:
    """A scorer's word on a clip."""

    label: str
    field: str
    raw: str
    key: str
    score: float | None
    bad: bool
    runtime_ms: float | None
    frames: int
    source: str
    status: str
    note: str | None = None


def slug(label: str) -> str:
    """A label in the name of a column."""
    return re.sub("[^a-z0-9]+", "_", label.lower()).strip("_")


def scores_of(row: Row, entry: Mapping[str, Any], options: Mapping[str, Any], file_name: str) -> list[Score]:
    """All that the row says: one score, or one for each aspect of the entry.

    :raises RowFaultError: it breaks a rule.
    """
    label = label_of(row, entry)
    field, raw = key_of(row, entry, options, file_name)
    key = keys.comparable(raw, field, options["key_normalize"], options["score_key_regex"])
    if key is None:
        raise RowFaultError("an empty key, or none that the regular expression matches")
    bad = is_bad(row) or is_bad(summary_of(row))
    status = first(row if is_bad(row) else summary_of(row), ["status"])[1] if bad else ""
    status = status.strip() if isinstance(status, str) else repr(status)
    wanted = entry.get("score_fields") or {None: entry.get("score_field") or options["score_field"]}
    found = []
    for aspect, score_field in wanted.items():
        score, frames = score_of(row, score_field, bad)
        scorer = label if aspect is None else f"{entry.get('label') or label}-{aspect}"
        found.append(
            Score(scorer, field, raw, key, score, bad, runtime_of(row), frames, str(entry["path"]), status)
        )
    return found


def label_of(row: Row, entry: Mapping[str, Any]) -> str:
    """The scorer: the row's own word, its summary's, the entry's label."""
    given = entry.get("label")
    own = competitor(row)
    if own is None:
        if given is None:
            raise RowFaultError("no scorer")
        return str(given)
    if not slug(own):
        raise RowFaultError("an empty slug")
    if given is not None and slug(own) != slug(given):
        raise RowFaultError("a label that contradicts its file")
    return own


def competitor(row: Row) -> str | None:
    """The scorer that a row or its summary names; a blank names none."""
    for holder in (row, summary_of(row)):
        named = (keys.text(first(holder, ["competitor"])[1]) or "").strip()
        if named:
            return named
    return None


def key_of(row: Row, entry: Mapping[str, Any], options: Mapping[str, Any], file_name: str) -> tuple[str, str]:
    """The field that holds the key, and the key as the row spells it."""
    wanted = entry.get("key_field") or options["score_key_field"]
    if entry.get("key_from") == "file":
        field, value = "path", file_name
    elif wanted is not None:
        field, value = wanted, looked_up(row, wanted)
    else:
        field, value = first(row, KEYS)
        if value is Absent:
            field, value = first(summary_of(row), KEYS)
    raw = keys.text(value)
    if raw is None or not raw.strip():
        raise RowFaultError("no key")
    return field, raw


def is_bad(row: Row) -> bool:
    """Whether the row, or a summary, says that the scorer failed."""
    _, status = first(row, ["status"])
    if status is Absent or status is None:
        return False
    return not (isinstance(status, str) and status.strip().lower() in ("", "ok", "pass", "success"))


def score_of(row: Row, score_field: str | None, bad: bool) -> tuple[float | None, int]:
    """The score, and the number of frames it is the mean of."""
    if score_field is not None and "[]" in score_field and score_field not in row:
        items, _, inner = score_field.partition("[]")
        found = looked_up(row, items)
        return mean([looked_up_in(item, inner[1:]) for item in found] if isinstance(found, list) else [], bad)
    if score_field is not None:
        return needed(number(looked_up(row, score_field)), bad), 0
    value = one_candidate(row)
    if value is not Absent:
        return needed(number(value), bad), 0
    _, frames = first(row, ["frames"])
    frames = frames if isinstance(frames, list) else []
    return mean([one_candidate(frame) if isinstance(frame, dict) else None for frame in frames], bad)


def mean(values: list[Any], bad: bool) -> tuple[float | None, int]:
    """The mean of values that are all numbers, and how many they are."""
    known = [found for value in values if (found := number(value)) is not None]
    if known and len(known) == len(values):
        return math.fsum(known) / len(known), len(known)
    return needed(None, bad), 0


def looked_up_in(item: Any, path: str) -> Any:
    """What a path leads to in an item of a list; without a path the item."""
    if not path:
        return item
    return looked_up(item, path) if isinstance(item, dict) else None


def one_candidate(row: Row) -> Any:
    """The first field that may hold the score, in the row or its summary; Absent if there is none."""
    candidates = held(row, SCORES) + held(summary_of(row), SCORES)
    numbers = {found for _, value in candidates if (found := number(value)) is not None}
    if len(numbers) > 1:
        raise RowFaultError("two scores")
    return candidates[0][1] if candidates else Absent


def needed(score: float | None, bad: bool) -> float | None:
    """A score, which only a bad row may lack."""
    if score is None and not bad:
        raise RowFaultError("no score")
    return score


def runtime_of(row: Row) -> float | None:
    """Milliseconds: the row's, its summary's, the sum over its frames."""
    for holder in (row, summary_of(row)):
        if (own := own_runtime(holder)) is not None:
            return own
    _, frames = first(row, ["frames"])
    spent = (
        [own_runtime(frame) for frame in frames if isinstance(frame, dict)]
        if isinstance(frames, list)
        else []
    )
    known = [each for each in spent if each is not None]
    return math.fsum(known) if known else None


def own_runtime(row: Row) -> float | None:
    """The first runtime of an object that is a number."""
    for _, value in held(row, RUNTIMES):
        if (found := number(value)) is not None:
            return found
    return None
