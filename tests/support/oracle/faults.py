"""What is wrong with a batch, as the one who reads the error sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """The class of an error, and a part of its message."""

    kind: str
    says: str = ""


class RefusedError(Exception):
    """The batch is refused for one of these faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


class RowFaultError(Exception):
    """One row breaks a rule."""


def raise_any(faults: Iterable[Fault]) -> None:
    """:raises RefusedError: there are faults."""
    if found := tuple(faults):
        raise RefusedError(*found)


def rows(number: int) -> str:
    """How a message counts faulty rows."""
    return f"{number} faulty row" + ("" if number == 1 else "s")
