"""A joined table as arrays, for the audit and the impact."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import EvidenceError, listing, show
from pipeline.join import keys
from pipeline.join.columns import APPENDED
from pipeline.join.tables import FeatureTable, open_joined
from pipeline.manifest.declarations import EvidenceRequest, ScorerDeclaration
from pipeline.manifest.entries import TableEntry, slug
from pipeline.records.materialized import Coverage, Materialized

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

MAX_MAGNITUDE = 1e100
"""The square of a larger number may overflow, so no statistic uses one."""

_STATUSES = ("ok", "bad", "missing")


@dataclass(frozen=True)
class ScoreColumn:
    """One scorer's scores in a table, and what the manifest declares of it.

    Attributes:
        label: the scorer's name.
        column: the column of its scores.
        direction: whether higher or lower is better; None: not declared.
        scale: lowest and highest score; None: not declared.
        revision: revision of the scorer; None: not declared.
        trained_on: names of the corpora that it was trained on.
    """

    label: str
    column: str
    direction: Literal["higher", "lower"] | None = None
    scale: tuple[float, float] | None = None
    revision: str | None = None
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvidenceTable:
    """A joined table; all arrays have one element per row.

    Attributes:
        id: the table's id in the manifest.
        out: the joined table, as the manifest names it.
        corpus: the name of its corpus, to compare with `trained_on` of scorers.
        rows: number of rows.
        columns: every numeric column in the table's order, except the key and the group. A missing value is NaN, and
            so is a score that is not `ok`.
        target: the label, one of `columns`; None: not declared.
        group: the column that names the content; None: not declared.
        groups: the content of each row, numbered from 0 in order of appearance; None: not declared. If the manifest
            declares each row a content of its own, `group` is None and each row has its own number.
        baseline: the columns that the baseline model is given; neither the target nor an appended column is one.
        scorers: the scorers in order of label.
        statuses: per label, the number of rows by status: `ok`, `bad`, `missing`.
    """

    id: str
    out: str
    corpus: str
    rows: int
    columns: dict[str, Floats]
    target: str | None
    group: str | None
    groups: Codes | None
    baseline: tuple[str, ...]
    scorers: tuple[ScoreColumn, ...]
    statuses: dict[str, dict[str, int]]


def read_table(entry: TableEntry, base: Path, joined: Materialized) -> EvidenceTable:
    """Read a joined table, with the declarations that the manifest makes about it.

    :param joined: the record of the joined table, which must be up to date.
    :raises EvidenceError: the manifest names a column that the table does not have, or a target that is not numeric.
    """
    features = open_joined(base / entry.out, entry.options.key_column)
    covered = [*joined.summary["competitors"].values()]
    appended = {f"{each['column_prefix']}_{name}" for each in covered for name in APPENDED.names}
    scored = {f"{each['column_prefix']}_score" for each in covered}
    request = entry.evidence
    group = None if request is None else request.group
    numeric = [
        field.name
        for field in features.schema()
        if _is_number(field.type) and field.name not in {features.key_column, group, *(appended - scored)}
    ]
    baseline = [] if request is None else _checked(entry, request, features, numeric, appended)
    texts = [f"{each['column_prefix']}_status" for each in covered] + ([] if group is None else [group])
    columns, held = _columns(features, numeric, texts)
    rows = features.rows
    statuses = {each["competitor"]: held[f"{each['column_prefix']}_status"] for each in covered}
    for each in covered:
        score = columns[f"{each['column_prefix']}_score"]
        score[~pc.equal(statuses[each["competitor"]], "ok").to_numpy(zero_copy_only=False)] = np.nan
    return EvidenceTable(
        id=entry.id,
        out=entry.out,
        corpus=(request.corpus if request else None) or entry.id,
        rows=rows,
        columns=columns,
        target=None if request is None else request.target,
        group=group,
        groups=_groups(request, held, rows),
        baseline=tuple(baseline),
        scorers=tuple(_scorer(each, entry.scorers) for each in covered),
        statuses={label: _counts(column) for label, column in statuses.items()},
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _checked(
    entry: TableEntry,
    request: EvidenceRequest,
    features: FeatureTable,
    numeric: Sequence[str],
    appended: set[str],
) -> list[str]:
    """The columns of the baseline, in the table's order.

    :raises EvidenceError: as `read_table`.
    """
    faults = []
    if request.target not in numeric:
        faults.append(f"target: found no numeric column named {show(request.target)}")
    if request.group is not None and request.group not in features.columns:
        faults.append(f"group: found no column named {show(request.group)}")
    offered = [name for name in numeric if name not in appended and name != request.target]
    wanted: set[str] = set()
    for pattern in request.features:
        met = {name for name in offered if fnmatch.fnmatchcase(name, _only_stars(pattern))}
        if not met:
            faults.append(
                f"features: {show(pattern)} matches no numeric column besides the label and the scores"
            )
        wanted |= met
    if faults:
        held = ", ".join(show(name) for name in features.columns)
        raise EvidenceError(
            listing(
                f"{entry.out}: the manifest's evidence names columns that the table does not have; its columns are {held}",
                faults,
            )
        )
    return [name for name in offered if name in wanted]


def _only_stars(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _columns(
    features: FeatureTable, numeric: Sequence[str], texts: Sequence[str]
) -> tuple[dict[str, Floats], dict[str, pa.Array]]:
    """The numeric columns as floats, NaN for null, and the text columns; read in one pass."""
    columns = {name: np.full(features.rows, np.nan) for name in numeric}
    held: dict[str, list[pa.Array]] = {name: [] for name in texts}
    start = 0
    for batch in features.chunks("arrow"):
        for name, column in columns.items():
            numbers = batch.column(batch.schema.get_field_index(name)).cast(pa.float64(), safe=False)
            column[start : start + batch.num_rows] = numbers.to_numpy(zero_copy_only=False)
        for name, parts in held.items():
            parts.append(keys.texts(batch.column(batch.schema.get_field_index(name))))
        start += batch.num_rows
    return columns, {
        name: pa.chunked_array(parts, pa.string()).combine_chunks() for name, parts in held.items()
    }


def _groups(request: EvidenceRequest | None, held: dict[str, pa.Array], rows: int) -> Codes | None:
    """The content of each row. Rows without a content count as one content, so that they are all on one side of a fold."""
    if request is None or (request.group is None and not request.each_row_is_content):
        return None
    if request.group is None:
        return np.arange(rows, dtype=np.int64)
    encoded = held[request.group].dictionary_encode(null_encoding="encode")
    codes: Codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _scorer(covered: Coverage, declared: Sequence[ScorerDeclaration]) -> ScoreColumn:
    label = covered["competitor"]
    known = next((each for each in declared if slug(each.label) == slug(label)), ScorerDeclaration(label))
    return ScoreColumn(
        label=label,
        column=f"{covered['column_prefix']}_score",
        direction=known.direction,
        scale=known.scale,
        revision=known.revision,
        trained_on=known.trained_on,
    )


def _counts(statuses: pa.Array) -> dict[str, int]:
    found = {each["values"]: each["counts"] for each in statuses.value_counts().to_pylist()}
    return {status: found.get(status, 0) for status in _STATUSES}
