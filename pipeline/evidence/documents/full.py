"""What the impact holds only if it is requested in full: learning curves of tables, and transfer between them."""

from __future__ import annotations

from typing import TypedDict


class LearningPoint(TypedDict):
    """SRCC of models that learned from `contents` contents with `rows` rows, without the scores and with them.

    `base_contents` is the number of contents that `base` needs for the SRCC of `with_scores`; null for a `reason`.
    """

    contents: int
    rows: int
    base: float | None
    with_scores: float | None
    base_contents: float | None
    reason: str | None


class LearningCurve(TypedDict):
    """How good models of one table are after how many labelled contents; no points for a `reason`."""

    id: str
    model: str | None
    seed: int
    tested_contents: int
    tested_rows: int
    points: list[LearningPoint]
    reason: str | None


class TransferArm(TypedDict):
    """A model that is given certain columns. `rmse` is in standard deviations of labels."""

    name: str
    features: int
    srcc: float | None
    plcc: float | None
    rmse: float


class OutsideColumn(TypedDict):
    """The share of tested rows that leave the range of training in one column."""

    column: str
    share: float


class Transfer(TypedDict):
    """Models that learn one table and are tested on another; no arms for a `reason`.

    `outside` is the share of tested rows that leave the range of training in at least one shared column of the baseline.
    """

    trained_on: str
    tested_on: str
    model: str | None
    columns: int
    scorers: list[str]
    trained_rows: int
    tested_rows: int
    arms: list[TransferArm]
    outside: float | None
    outside_columns: list[OutsideColumn]
    warning: str | None
    reason: str | None
