"""Chooses the columns that the baseline model is given: what is measured, never what is rated, scored or named."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...manifest.families import tokens_of
from ..files.fields import listed
from . import names
from .first_rows import FirstRows

_MAX_CORRELATION = 0.98
_MIN_ID = 1e9
_MIN_ALIKE = 4
_MAX_PATTERNS = 200
_CONSTANT = "the same in each row, or empty"
_SCORED = "about a scorer that is joined"


@dataclass(frozen=True)
class Baseline:
    """The columns of the baseline.

    Attributes:
        features: their names, or patterns that match no column that was left out for a reason but being constant.
        reasons: why, one line each.
        questions: what the user has to decide, one line each.
    """

    features: tuple[str, ...]
    reasons: tuple[str, ...]
    questions: tuple[str, ...]


def choose_baseline(
    first: FirstRows, declared: Collection[str], target: str, scorers: Sequence[str], prefix: str
) -> Baseline:
    """The columns of measured numbers.

    :param declared: the columns that the evidence names already, but for a reference metric.
    :param scorers: the labels of the scorers that are joined.
    :param prefix: the beginning of the names of the columns that the join appends.
    """
    chosen: list[str] = []
    left: dict[str, list[str]] = defaultdict(list)
    for name in first.numeric:
        if name and name not in declared:
            why = _why_not(first, name, target, scorers, prefix)
            chosen.append(name) if not why else left[why].append(name)
    features = tuple(patterns(chosen, [*left[_CONSTANT], *chosen], first.rows.schema.names, prefix))
    lines = [f"not in evidence.features: {listed(its)}: {why}" for why, its in left.items() if its]
    if not chosen:
        ask = "no column of measured numbers was found; without a baseline the impact is not measured"
        return Baseline((), tuple(lines), (f"evidence.features: {ask}",))
    if len(features) > _MAX_PATTERNS:
        ask = f"{len(chosen)} columns may be the baseline; add those that your model is given, by name or with *"
        return Baseline((), tuple(lines), (f"evidence.features: {ask}",))
    why = (
        f"the {len(chosen)} columns of measured numbers"
        if len(chosen) > 1
        else "the column of measured numbers"
    )
    return Baseline(features, (f"evidence.features {listed(features)}: {why}", *lines), ())


def _why_not(first: FirstRows, name: str, target: str, scorers: Sequence[str], prefix: str) -> str:
    """Why a column is not a feature; empty: it is one."""
    claimed = names.families().claims(name)
    if "*" in name:
        return "a * in the name would match other columns too"
    if name.startswith(f"{prefix}_") or any(_is_of_scorer(name, label) for label in scorers):
        return _SCORED
    if claimed is not None and (reason := names.families().reason(claimed)):
        return reason
    if names.is_plain_deviation(name) or names.is_perhaps_label(name):
        return "it may be derived from ratings"
    if names.is_about_content(name) or names.is_category(name) or names.is_corpus(name):
        return "it names what is shown"
    values = first.finite(name)
    if not values.size or np.ptp(values) == 0:
        return _CONSTANT
    if first.is_integer(name) and _numbers_rows(name, values):
        return "whole numbers that number the clips"
    if abs(first.correlation(name, target)) > _MAX_CORRELATION:
        return f"it follows {listed([target])} as only a label can; add it if it was measured"
    return ""


def _is_of_scorer(name: str, label: str) -> bool:
    """True if a column has the name of a scorer, such as `dover_score` of `DOVER`; or of a part of it."""
    own, its = tokens_of(name), tokens_of(label)
    is_scored = names.families().claims(name) == names.families().scores
    return _holds(own, its) or (is_scored and _holds(its, tuple(each for each in own if each != "score")))


def _holds(tokens: tuple[str, ...], part: tuple[str, ...]) -> bool:
    starts = range(len(tokens) - len(part) + 1)
    return bool(part) and any(tokens[start : start + len(part)] == part for start in starts)


def _numbers_rows(name: str, values: NDArray[np.float64]) -> bool:
    """True if whole numbers are those of rows or clips: they follow each other, have such a name, or are huge."""
    distinct = len(np.unique(values))
    if names.is_clip_number(name):
        return distinct > 2
    return distinct == len(values) > 2 and (
        np.ptp(values) == distinct - 1 or float(np.median(np.abs(values))) >= _MIN_ID
    )


def patterns(
    chosen: Sequence[str], allowed: Collection[str], columns: Sequence[str], prefix: str
) -> Iterator[str]:
    """The names, with one pattern for those that begin alike if it matches no other column.

    :param allowed: columns that a pattern may match.
    :param columns: all columns of the table.
    :param prefix: the beginning of the names of the columns that the join appends.
    """
    others = {*columns} - {*allowed}
    times = Counter(map(_beginning, chosen))
    seen: set[str] = set()
    for name in chosen:
        begins = _beginning(name)
        alike = bool(begins) and times[begins] >= _MIN_ALIKE and not f"{prefix}_".startswith(begins)
        pattern = f"{begins}*" if alike and not _meets(f"{begins}*", others) else name
        if pattern not in seen:
            seen.add(pattern)
            yield pattern


def _meets(pattern: str, columns: Collection[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in columns)


def _beginning(name: str) -> str:
    """The beginning that a name may share with others: `videval_` of `videval_07`."""
    found = re.match(r"[^\W\d_]+[._-]|[^\W\d]+(?=\d)", name)
    return "" if found is None or any(sign in name for sign in "*?[") else found[0]
