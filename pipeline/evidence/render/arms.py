"""The arms of an impact as page and Markdown show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.evidence.documents import Delta
from pipeline.evidence.impact.protocol import CONTROL, WITH_SCORES


def main_delta(deltas: Iterable[Delta]) -> Delta | None:
    """The change that decides the verdict; None if it was not measured."""
    return next((delta for delta in deltas if delta["name"] == WITH_SCORES), None)


def beside_control(deltas: Sequence[Delta]) -> list[Delta]:
    """The change that decides the verdict, then that of the control, then the others in their order."""
    first = {WITH_SCORES: 0, CONTROL: 1}
    return sorted(deltas, key=lambda delta: first.get(delta["name"], 2))


def arm_title(name: str) -> str:
    """The name of an arm; the control is marked as one."""
    return f"{name} (control)" if name == CONTROL else name
