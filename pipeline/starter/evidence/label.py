"""Chooses the label, and the columns about it: its direction, deviation, number of ratings, and a reference metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import show
from ...manifest.declarations import Direction
from ..files.fields import listed
from . import names
from .first_rows import FirstRows

_MIN_VALUES = 3
_MIN_CORRELATION = 0.3


@dataclass(frozen=True)
class Label:
    """The label of a table, and the columns about it.

    Attributes:
        target: its column.
        rivals: other columns that are as likely; empty: none.
        direction: `higher` or `lower`: which labels are better.
        deviation: the column of the deviation of its ratings; None: none is known.
        count: the column of the number of its ratings; None: none is known.
        reference_metric: the column of a full-reference metric; None: none is known.
        reasons: why, one line each.
        questions: what the user has to decide, one line each.
    """

    target: str
    rivals: tuple[str, ...]
    direction: Direction
    deviation: str | None
    count: str | None
    reference_metric: str | None
    reasons: tuple[str, ...]
    questions: tuple[str, ...]

    @property
    def columns(self) -> set[str]:
        """The columns that are declared as being about ratings."""
        return {self.target, *self.rivals, *filter(None, (self.deviation, self.count))}


def choose_label(first: FirstRows) -> Label | None:
    """The surest label; None if no column of numbers is named like one."""
    likely = [name for name in first.numeric if names.rated(name) == "label" and _may_be_label(first, name)]
    if not likely:
        return None
    best = min(map(names.label_rank, likely))
    target, *rivals = (name for name in likely if names.label_rank(name) == best)
    metric = _reference_metric(first)
    direction, why, is_open = _direction(first, target, metric)
    deviation, count = _deviation(first, target), _count(first, target)
    reasons = list(_reasons(first, target, deviation, count, metric))
    if not is_open and why:
        reasons.append(f"evidence.target_direction {direction}: {why}")
    questions = (f"evidence.target_direction {direction}: {why}",) if is_open else ()
    return Label(target, tuple(rivals), direction, deviation, count, metric, tuple(reasons), questions)


def _reasons(
    first: FirstRows, target: str, deviation: str | None, count: str | None, metric: str | None
) -> Iterator[str]:
    values, shown = first.finite(target), listed([target])
    sign = f"its name is that of a label; its values go from {values.min():g} to {values.max():g}"
    yield f"evidence.target {shown}: {sign}"
    if deviation is not None:
        yield f"evidence.target_sd {listed([deviation])}: by its name the deviation of the ratings of {shown}"
    if count is not None:
        yield f"evidence.target_n {listed([count])}: by its name the number of ratings, and whole numbers"
    if metric is not None:
        yield f"evidence.reference_metric {listed([metric])}: the name of a full-reference metric, not a label"


def why_no_label(first: FirstRows) -> str:
    """What to add to the manifest of a table without a column that is surely the label."""
    if worded := [name for name in first.textual if names.rated(name) == "label"]:
        found = next(iter(first.texts(worded[0]).drop_null().slice(0, 1).to_pylist()), None)
        return f"evidence: {listed(worded[:1])} has the name of a label and holds text ({show(found)}); a label needs numbers"
    if rated := [name for name in first.numeric if name and names.rated(name) == "label"]:
        few = f"fewer than {_MIN_VALUES} different numbers"
        return f"evidence: {listed(rated)} has the name of a label, and {few} in the first rows"
    if perhaps := [name for name in first.numeric if names.is_perhaps_label(name)]:
        return (
            f"decide: evidence: {listed(perhaps)} may be the human label, or a metric; "
            f'if it is the label, add "evidence": {{"target": ...}} with its name'
        )
    return 'evidence: no column has the name of a label; if one is, add "evidence": {"target": ...} with its name'


def _may_be_label(first: FirstRows, name: str) -> bool:
    """True if the values differ as those of a label do, and do not just tell two classes apart."""
    return bool(name) and len(np.unique(first.finite(name))) >= _MIN_VALUES


def _direction(first: FirstRows, target: str, metric: str | None) -> tuple[Direction, str, bool]:
    """Which labels are better, why, and whether the user has to say so."""
    if names.is_opinion(target):
        return "higher", "", False
    follows = 0.0 if metric is None else first.correlation(target, metric)
    if abs(follows) >= _MIN_CORRELATION:
        direction: Direction = "higher" if follows > 0 else "lower"
        return direction, f"it {'rises' if follows > 0 else 'falls'} where {listed([metric])} rises", False
    if names.is_loss(target):
        return "lower", "DMOS counts what was lost; set higher if yours is largest for the best clips", True
    return (
        "higher",
        "the name of the label does not say which values are better; set lower if small ones are",
        True,
    )


def _deviation(first: FirstRows, target: str) -> str | None:
    """The column of the deviation of this label's ratings; None if none is, or several may be."""
    named = [name for name in first.numeric if names.rated(name) == "deviation" and _is_spread(first, name)]
    if (found := _of_label(target, named)) is not None:
        return found
    span = float(np.ptp(first.finite(target)))
    plain = [name for name in first.numeric if names.is_plain_deviation(name) and _is_spread(first, name)]
    return _only([name for name in plain if first.finite(name).max() <= span])


def _is_spread(first: FirstRows, name: str) -> bool:
    values = first.finite(name)
    return bool(values.size and values.min() >= 0 and values.max() > 0)


def _count(first: FirstRows, target: str) -> str | None:
    """The column of the number of this label's ratings; None if none is, or several may be."""

    def fits(name: str) -> bool:
        values = first.finite(name)
        return bool(values.size and values.min() >= 1 and (values == np.round(values)).all())

    named = [name for name in first.numeric if names.rated(name) == "count" and fits(name)]
    return _of_label(target, named) or _only(named)


def _of_label(target: str, named: Sequence[str]) -> str | None:
    """The only one of the columns that shares the words that tell labels apart: `stdFull` for `MOSFull`."""
    own = names.rest_of_rated(target)
    return _only([name for name in named if names.rest_of_rated(name) == own]) or _only(
        [name for name in named if not names.rest_of_rated(name)]
    )


def _reference_metric(first: FirstRows) -> str | None:
    ranks = {name: rank for name in first.numeric if (rank := names.reference_rank(name)) is not None}
    best = [name for name in ranks if ranks[name] == min(ranks.values()) and first.finite(name).size]
    return _only(best)


def _only(found: Sequence[str]) -> str | None:
    return found[0] if len(found) == 1 else None
