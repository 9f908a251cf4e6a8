"""The verdict on the scores of a table, and its reason."""

from __future__ import annotations

from collections.abc import Sequence

from ..documents import Delta, Verdict
from .protocol import CONTROL, WITH_SCORES, corrected


def verdict(
    deltas: Sequence[Delta], against_control: Delta, level: float, scorers: int
) -> tuple[Verdict, str]:
    """The verdict from three intervals of changes of SRCC.

    :param deltas: the changes of `base+scores` and of the control from `base`, with their intervals.
    :param against_control: the change from the control to `base+scores`.
    :param level: the level of the control's interval; the others are corrected for the number of scorers.
    """
    by_name = {each["name"]: each for each in deltas}
    control, found = by_name[CONTROL], by_name[WITH_SCORES]
    held, ends, beyond = _ends(control), _ends(found), _ends(against_control)
    if held is None or ends is None or beyond is None:
        return (
            "not measurable",
            "No SRCC is defined: the labels of each fold are all equal. Check evidence.target.",
        )
    if held[0] > 0:
        return "not measurable", (
            f"The control gains: with the scores of other contents {_change(control, level)}. These cannot help, so the "
            "gain has another cause. Check for rows that repeat."
        )
    level = corrected(level, scorers)
    change = f"With the scores {_change(found, level)}; the interval"
    against = f"against the control {_change(against_control, level)}"
    if ends[0] > 0:
        if beyond[0] > 0:
            return "improves", f"{change} lies above 0, and so does that {against}."
        return "no evidence", f"{change} lies above 0, but not that {against}."
    if ends[1] < 0:
        if beyond[1] < 0:
            return "worse", f"{change} lies below 0, and so does that {against}."
        return (
            "no evidence",
            f"{change} lies below 0, but the scores cost as much as noise of the same number of columns: {against}.",
        )
    return "no evidence", f"{change} holds 0."


def _change(delta: Delta, level: float) -> str:
    low, high = delta["intervals"]["srcc"]
    return f"SRCC changes by {delta['srcc']:+.3f}, {100 * level:.4g} % interval {low:+.3f} to {high:+.3f}"


def _ends(delta: Delta) -> tuple[float, float] | None:
    low, high = delta["intervals"]["srcc"]
    return None if low is None or high is None else (low, high)
