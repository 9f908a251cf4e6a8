"""The sections of a table's audit that need more than a label: contents, categories, ratings, a reference metric."""

from __future__ import annotations

from typing import Literal, TypedDict

from .values import Interval


class OrderIntervals(TypedDict):
    """95 % intervals over contents."""

    share: Interval
    srcc: Interval


class OrderedColumn(TypedDict):
    """How a score or a baseline column orders the rows of one content.

    `share`: of pairs of rows of one content, ordered as their labels, a tie counts half. `untied_share`: of the pairs
    that differ in both. `srcc`: mean within contents. `turned`: lower values were taken as better labels.
    """

    column: str
    role: Literal["score", "baseline"]
    turned: bool
    pairs: int
    contents: int
    share: float | None
    untied_pairs: int
    untied_share: float | None
    srcc: float | None
    intervals: OrderIntervals


class ValueIntervals(TypedDict):
    """95 % intervals over contents."""

    srcc: Interval
    plcc: Interval


class ScorerOfValue(TypedDict):
    """Correlation of a scorer with the label in the rows of one value; null: fewer than eight rows have both."""

    label: str
    n: int
    srcc: float | None
    plcc: float | None
    intervals: ValueIntervals


class CategoryValue(TypedDict):
    """The rows with one value of a category. `n` is the number of them that have a label."""

    value: str
    n: int
    scorers: list[ScorerOfValue]


class CategoryFigures(TypedDict):
    """Figures per value of a column, the value with most rows first.

    `values` is the number of all values that have a label; `omitted_rows` have one that is not shown; `unnamed_rows`
    have none.
    """

    column: str
    kind: Literal["corpus", "category"]
    values: int
    shown: list[CategoryValue]
    omitted_rows: int
    unnamed_rows: int


class DisagreementRow(TypedDict):
    """One row. `compared` is what was subtracted: `difference` is the second minus the first."""

    key: str
    values: list[float]
    compared: list[float]
    difference: float


class Disagreement(TypedDict):
    """The rows on which two columns differ most, the largest difference first.

    `label`: a score after the fitted curve, and the label. `reference` and `scorers`: two columns by their rank, 0 to 1.
    """

    kind: Literal["label", "reference", "scorers"]
    columns: list[str]
    n: int
    rows: list[DisagreementRow]


class CeilingOfScorer(TypedDict):
    """A scorer on the way to the ceiling: PLCC and RMSE after the fitted curve; `share` is PLCC by the ceiling's."""

    label: str
    n: int
    plcc: float | None
    rmse: float | None
    share: float | None


class Ceiling(TypedDict):
    """What the labels allow a perfect predictor, since they are uncertain themselves."""

    rows: int
    reliability: float
    correlation: float
    rmse: float
    scorers: list[CeilingOfScorer]


class RatingIntervals(TypedDict):
    """95 % intervals over contents."""

    auc_different: Interval
    auc_better: Interval
    c0: Interval


class RatingAgreement(TypedDict):
    """A scorer against labels whose uncertainty is known.

    ITU-T P.1401, after the fitted curve: `rmse`, `rmse_star`, `outlier_ratio`, `half_interval` (mean of the labels).
    Krasula et al. 2016, on the scores: `pairs` of `compared_rows`, of which `different_pairs` differ significantly.
    """

    label: str
    n: int
    rmse: float | None
    rmse_star: float | None
    outlier_ratio: float | None
    half_interval: float | None
    compared_rows: int
    pairs: int
    different_pairs: int
    auc_different: float | None
    auc_better: float | None
    c0: float | None
    intervals: RatingIntervals


class Sections(TypedDict):
    """The sections; one whose declarations are missing is null or empty."""

    order_within_content: list[OrderedColumn]
    categories: list[CategoryFigures]
    disagreements: list[Disagreement]
    ceiling: Ceiling | None
    rating_agreement: list[RatingAgreement]
