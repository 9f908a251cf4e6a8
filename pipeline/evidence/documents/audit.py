"""The audit of a batch as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NotRequired, TypeAlias, TypedDict

from ...records.provenance import RunProvenance
from .sections import Sections
from .values import Cited, Interval

AUDIT_SCHEMA = "second-opinion-signal-mix-audit-v1"

FamilyStatus: TypeAlias = Literal["missing", "weak", "covered"]


class ScorerCoverage(TypedDict):
    """One scorer in one table. Counts are numbers of rows; `coverage` is the share of rows with an `ok` score."""

    label: str
    column: str
    direction: str | None
    scale: list[float] | None
    revision: str | None
    trained_on: list[str]
    ok: int
    bad: int
    missing: int
    coverage: float


class FamilyCoverage(TypedDict):
    """One family of signals in one table."""

    name: str
    title: str
    question: str
    status: FamilyStatus
    columns: list[str]
    healthy: list[str]
    candidates: list[str]
    advice: str


class TargetIntervals(TypedDict):
    """95 % intervals over groups."""

    pearson: Interval
    spearman: Interval
    partial: Interval | None


class WithTarget(TypedDict):
    """Correlation of a signal with the label; `partial` controls for the baseline's prediction.

    Of a table that pools corpora all but `pooled` are means of each corpus's own; `pooled` is Spearman's over all rows.
    """

    n: int
    pearson: float | None
    spearman: float | None
    partial: float | None
    pooled: float | None
    intervals: TargetIntervals


class Signal(TypedDict):
    """One column that may measure quality; `mean` to `max` are null if it has no value."""

    column: str
    family: str
    role: Literal["score", "baseline", "other"]
    finite_share: float
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    healthy: bool
    target: WithTarget | None


class Redundant(TypedDict):
    """Two signals with nearly the same order."""

    columns: list[str]
    spearman: float


class Complementary(TypedDict):
    """Two signals of different families that both correlate with the label, but hardly with each other."""

    columns: list[str]
    families: list[str]
    spearman: float
    with_target: list[float]


class Leak(TypedDict):
    """A score that is the label in all rows or in some; `reason` follows the column's name in a sentence."""

    column: str
    reason: str
    pearson: float | None
    spearman: float | None
    n: int


class Finding(TypedDict):
    """A problem that matters to a model that is trained on the table."""

    kind: str
    column: str
    text: str


class Curve(TypedDict):
    """Points of a line."""

    x: list[float]
    y: list[float]


class Scatter(TypedDict):
    """Score against label of some rows, and the curve that is fitted to up to 20,000 rows."""

    label: str
    column: str
    x: list[float]
    y: list[float]
    curve: Curve | None


class Histogram(TypedDict):
    """The distribution of a scorer's scores; there is one more edge than counts."""

    label: str
    column: str
    edges: list[float]
    counts: list[int]


class Correlations(TypedDict):
    """Spearman's correlations between columns, as rows of a matrix."""

    columns: list[str]
    spearman: list[list[float | None]]


class AuditFigures(TypedDict):
    """The data of the page's figures of one table."""

    scatter: list[Scatter]
    histograms: list[Histogram]
    correlations: Correlations


class Contents(TypedDict):
    """The contents of a table: how many, how many equally large ones they are worth, and rows that name none."""

    groups: int | None
    effective_groups: float | None
    nameless_rows: int


class TableAudit(Contents, Sections):
    """The audit of one table, with its sections."""

    id: str
    out: str
    corpus: str
    rows: int
    target: str | None
    group: str | None
    scorers: list[ScorerCoverage]
    families: list[FamilyCoverage]
    signals: list[Signal]
    redundant: list[Redundant]
    complementary: list[Complementary]
    leaks: list[Leak]
    findings: list[Finding]
    next_actions: list[str]
    figures: AuditFigures


class FamilyOverBatch(TypedDict):
    """The number of tables in which a family is covered, weak or missing."""

    family: str
    title: str
    covered: int
    weak: int
    missing: int


class Strongest(TypedDict):
    """A signal that correlates with the label of its table."""

    table: str
    column: str
    family: str
    n: int
    spearman: float


class BatchAudit(TypedDict):
    """The audit over all tables."""

    coverage: list[FamilyOverBatch]
    blind_spots: list[str]
    strongest: list[Strongest]
    next_actions: list[str]


class FamiliesUsed(TypedDict):
    """The source of the families: `package`, or the path of a file."""

    source: str
    sha256: str


class TableError(TypedDict):
    """A table without an audit, and the reason."""

    id: str
    error: str


class Audit(TypedDict):
    """`second-opinion-signal-mix-audit-v1`."""

    schema: str
    status: Literal["ok", "failed"]
    manifest: str
    report: Cited
    families: FamiliesUsed
    tables: list[TableAudit]
    batch: BatchAudit
    errors: NotRequired[list[TableError]]
    run_provenance: RunProvenance


def strength(signal: Signal) -> float:
    """A signal's Spearman coefficient with the label; 0 if it is not known."""
    return (signal["target"] and signal["target"]["spearman"]) or 0.0


def ranked_signals(signals: Iterable[Signal]) -> list[Signal]:
    """The signals: scores first, then by correlation with the label, then in the given order."""
    return sorted(signals, key=lambda each: (each["role"] != "score", -abs(strength(each))))
