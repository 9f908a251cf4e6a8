"""Why a scorer matches few rows: keys of each side that do not meet, and whether another rule would do better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.support.oracle import keys
from tests.support.oracle.scores import Score
from tests.support.oracle.sharing import shared

NORMALIZE = ("auto", "raw", "basename", "stem")


def low_match(
    raw: Sequence[str | None], column: str, scores: Sequence[Score], options: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the audit says of a scorer that matches less than half of the rows; None: it matches more.

    :param raw: the rows' keys as they came.
    """
    normalize = options["key_normalize"]
    rows, met = both_sides(raw, column, scores, options, normalize)
    matched = sum(key in met for key in rows)
    if not raw or matched >= len(raw) / 2:
        return None
    told: dict[str, Any] = {
        "unmatched_feature_keys": five(
            key for key, normal in zip(raw, rows, strict=True) if normal not in met
        ),
        "unmatched_score_keys": five(
            score.raw for score, normal in zip(scores, met, strict=True) if normal not in rows
        ),
    }
    best = matched
    for other in NORMALIZE:
        would = rows_under(raw, column, scores, options, other)
        if would > best:
            best = would
            told |= {"better_key_normalize": other, "better_matched_rows": would}
    return told


def rows_under(
    raw: Sequence[str | None],
    column: str,
    scores: Sequence[Score],
    options: Mapping[str, Any],
    normalize: str,
) -> int:
    """How many rows would match; none if two scores would have one key, or one belongs to some of its rows only."""
    rows, theirs = both_sides(raw, column, scores, options, normalize)
    present = [key for key in theirs if key is not None]
    if len(set(present)) < len(present) or shared(raw, column, scores, options, normalize)[1]:
        return 0
    return sum(key is not None and key in theirs for key in rows)


def case_rows(wanted: Sequence[str | None], lookup: Iterable[str]) -> int:
    """How many rows without a score have the key of an unused one but for letter case."""
    spare = {key.lower() for key in set(lookup) - set(wanted)}
    return sum(key is not None and key not in lookup and key.lower() in spare for key in wanted)


def both_sides(
    raw: Sequence[str | None],
    column: str,
    scores: Sequence[Score],
    options: Mapping[str, Any],
    normalize: str,
) -> tuple[list[str | None], list[str | None]]:
    """The keys of the rows and of the scores as they would be compared."""
    return (
        [keys.comparable(key, column, normalize, options["key_regex"]) for key in raw],
        [keys.comparable(score.raw, score.field, normalize, options["score_key_regex"]) for score in scores],
    )


def five(found: Iterable[str | None]) -> list[str]:
    """The first five that differ."""
    return list(dict.fromkeys(key for key in found if key is not None))[:5]
