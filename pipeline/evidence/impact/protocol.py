"""How the impact of scores is measured: the names of the arms, the settings and their defaults."""

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
    """The settings of a measurement.

    Attributes:
        folds: number of parts into which the groups are split; each part is tested once per repeat.
        repeats: number of partitions, each shuffled differently.
        seed: the seed of every random choice.
        bootstrap: number of draws of groups.
        level: the level of intervals; those of differences are corrected for the number of scorers, except the control's.
        model: the model; None: support vectors up to `max_svr_rows` rows, boosted trees above.
        max_svr_rows: a limit because the time of support vectors grows at least with the square of the rows.
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
