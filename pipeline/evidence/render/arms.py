"""The arms of an impact, and of transfers between tables, as page and Markdown show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..documents import Delta, Transfer
from ..impact.protocol import BASE, CONTROL, SCORES, WITH_SCORES

_TITLES = {
    BASE: "the baseline alone",
    WITH_SCORES: "the baseline and the scores",
    SCORES: "the scores alone",
}


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


@dataclass(frozen=True)
class Matrix:
    """SRCC of one arm: a row per table that was trained on, a column per table that was tested; None: not measured."""

    title: str
    tables: list[str]
    srcc: list[list[float | None]]


def matrices(transfers: Sequence[Transfer] | None) -> list[Matrix]:
    """A matrix for each arm that was measured between any two tables, in the order of the arms."""
    pairs = transfers or []
    found = {
        (pair["trained_on"], pair["tested_on"], arm["name"]): arm["srcc"]
        for pair in pairs
        for arm in pair["arms"]
    }
    tables = list(dict.fromkeys(pair["trained_on"] for pair in pairs))
    return [
        Matrix(
            title,
            tables,
            [[found.get((trained, tested, arm)) for tested in tables] for trained in tables],
        )
        for arm, title in _TITLES.items()
        if any(name == arm for _, _, name in found)
    ]
