"""How the impact of scores is measured: what may be chosen, and what is chosen by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.evidence.statistics.resampling import DRAWS, LEVEL

ModelName: TypeAlias = Literal["svr-rbf", "hist-gradient-boosting"]

MIN_GROUPS = 30

BASE = "base"
WITH_SCORES = "base+scores"
"""The arm that the verdict compares with `BASE`."""
SCORES = "scores"
CONTROL = "base+shuffled"


@dataclass(frozen=True)
class ImpactSettings:
    """The protocol.

    Attributes:
        folds: parts into which the groups are split; each is tested once per repeat.
        repeats: partitions, each shuffled anew.
        seed: of all that is drawn at random.
        bootstrap: draws of groups.
        level: of intervals; those of differences, but for the control's, are widened for the number of scorers (Bonferroni).
        model: None: support vectors up to `max_svr_rows` rows, boosted trees above.
        max_svr_rows: the time that support vectors take grows with the square of rows and beyond.
    """

    folds: int = 5
    repeats: int = 4
    seed: int = 0
    bootstrap: int = DRAWS
    level: float = LEVEL
    model: ModelName | None = None
    max_svr_rows: int = 20_000


DEFAULTS = ImpactSettings()


def corrected(level: float, scorers: int) -> float:
    """The level of the intervals of differences: Bonferroni's correction for one comparison per scorer."""
    return 1 - (1 - level) / scorers
