"""A joined table as arrays, for the audit and the impact."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..errors import EvidenceError, listing, show
from ..join import keys
from ..join.columns import APPENDED
from ..join.large.joined import open_table_of
from ..join.tables import FeatureTable
from ..manifest.declarations import Direction, EvidenceRequest, ScorerDeclaration, slug
from ..manifest.entries import TableEntry
from ..records.materialized import Coverage, Materialized
from ..storage.locations import Location

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

MAX_MAGNITUDE = 1e100
"""The square of a larger number may overflow, so no statistic uses one."""

MIN_CORPUS_CONTENTS = 15
"""Contents that a corpus of a pooled table needs, so that every fold tests three of them; smaller ones are left out."""

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
class Category:
    """A column of names, such as the corpus of each row.

    Attributes:
        column: its name in the table.
        values: the names in order of appearance.
        codes: the name of each row as a number in `values`; -1: the row has none.
    """

    column: str
    values: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True)
class EvidenceTable:
    """A joined table; all arrays have one element per row.

    Attributes:
        id: the table's id in the manifest.
        out: the joined table, as the manifest names it.
        corpus: the name of its corpus, to compare with `trained_on` of scorers.
        rows: number of rows.
        keys: the key of each row, as text.
        columns: every numeric column in the table's order, except the key and the group. A missing value is NaN, and
            so is a score that is not `ok`.
        target: the label, one of `columns`; None: not declared.
        group: the column that names the content; None: not declared.
        groups: the content of each row, numbered from 0 in order of appearance, -1 for a row that names none; None: not
            declared. If the manifest declares each row a content of its own, `group` is None and each row has its own
            number.
        baseline: the columns that the baseline model is given; neither the target nor an appended column is one.
        scorers: the scorers in order of label.
        statuses: per label, the number of rows by status: `ok`, `bad`, `missing`.
        target_direction: `higher` or `lower`: which labels are better.
        target_sd: the standard deviation of each row's ratings, in the label's units; None: not declared.
        target_n: the number of each row's ratings; None: not declared.
        corpora: the corpus of each row; None: the table holds one.
        categories: the declared categories of content.
        reference_metric: the column of a full-reference metric, one of `columns`; None: not declared.
    """

    id: str
    out: str
    corpus: str
    rows: int
    keys: pa.Array
    columns: dict[str, Floats]
    target: str | None
    group: str | None
    groups: Codes | None
    baseline: tuple[str, ...]
    scorers: tuple[ScoreColumn, ...]
    statuses: dict[str, dict[str, int]]
    target_direction: Direction = "higher"
    target_sd: Floats | None = None
    target_n: Floats | None = None
    corpora: Category | None = None
    categories: tuple[Category, ...] = ()
    reference_metric: str | None = None

    @property
    def named_rows(self) -> NDArray[np.bool_]:
        """True for rows that name their content, if contents are declared, and their corpus, if the table pools corpora."""
        named = np.ones(self.rows, bool) if self.groups is None else self.groups >= 0
        return named if self.corpora is None else named & (self.corpora.codes >= 0)

    def of_large_corpora(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of some rows whose corpus has `MIN_CORPUS_CONTENTS` or more contents among them; all if there is one corpus."""
        if self.corpora is None:
            return rows
        contents = np.arange(self.rows) if self.groups is None else self.groups
        codes = self.corpora.codes[rows]
        found = np.unique(np.column_stack([codes, contents[rows]]), axis=0)[:, 0]
        sizes = np.bincount(found[found >= 0], minlength=len(self.corpora.values))
        return rows[(codes >= 0) & (sizes[codes] >= MIN_CORPUS_CONTENTS)]

    @property
    def labels(self) -> Floats:
        """The label of each row, NaN if it has none; of pooled corpora in standard deviations from its corpus's mean.

        Scales differ between studies, and a score would look useful by naming the corpus alone.

        :raises KeyError: the table has no target.
        """
        label = self.columns[self.target or ""]
        if self.corpora is None:
            return label
        rows = np.flatnonzero(np.abs(label) <= MAX_MAGNITUDE)
        scaled = np.full(self.rows, np.nan)
        scaled[rows] = scaled_within(label[rows], self.corpora.codes[rows])
        return scaled

    @property
    def corpus_names(self) -> tuple[str, ...]:
        """The corpora whose rows the table holds."""
        return (self.corpus,) if self.corpora is None else self.corpora.values


def scaled_within(values: Floats, codes: Codes) -> Floats:
    """Finite values with mean 0 and standard deviation 1 among those of one code; 0 where these are equal."""
    scaled = np.empty(values.size)
    for code in np.unique(codes):
        rows = codes == code
        centred = values[rows] - values[rows].mean()
        scaled[rows] = centred / (float(centred.std()) or 1.0)
    return scaled


def read_table(entry: TableEntry, base: Location, joined: Materialized) -> EvidenceTable:
    """Read a joined table, with the declarations that the manifest makes about it.

    :param joined: the record of the joined table, which must be up to date.
    :raises EvidenceError: the manifest names a column that the table does not have, or a numeric one that is not numeric.
    """
    features = open_table_of(entry, base)
    covered = [*joined.summary["competitors"].values()]
    appended = {f"{each['column_prefix']}_{name}" for each in covered for name in APPENDED.names}
    scored = {f"{each['column_prefix']}_score" for each in covered}
    request = entry.evidence
    named = _named(request)
    names = {*features.key_columns, request and request.group, request and request.corpus_column}
    numeric = [
        field.name
        for field in features.schema()
        if _is_number(field.type) and field.name not in {*names, *(appended - scored)}
    ]
    baseline = [] if request is None else _checked(entry, request, features, numeric, appended)
    statuses = {each["competitor"]: f"{each['column_prefix']}_status" for each in covered}
    columns, held = _columns(features, numeric, [*features.key_columns, *statuses.values(), *named])
    for each in covered:
        score = columns[f"{each['column_prefix']}_score"]
        score[~pc.equal(held[statuses[each["competitor"]]], "ok").to_numpy(zero_copy_only=False)] = np.nan
    table = EvidenceTable(
        id=entry.id,
        out=entry.out,
        corpus=(request.corpus if request else None) or entry.id,
        rows=features.rows,
        keys=keys.composite([held[name] for name in features.key_columns]),
        columns=columns,
        target=None,
        group=None,
        groups=None,
        baseline=tuple(baseline),
        scorers=tuple(_scorer(each, entry.scorers) for each in covered),
        statuses={label: _counts(held[column]) for label, column in statuses.items()},
    )
    return table if request is None else _with_request(table, request, held)


def _with_request(table: EvidenceTable, request: EvidenceRequest, held: dict[str, pa.Array]) -> EvidenceTable:
    """The table with what the manifest's evidence declares; the columns about ratings are taken out of `columns`."""
    rated = {name: table.columns.pop(name) for name in {request.target_sd, request.target_n} - {None} if name}
    return replace(
        table,
        target=request.target,
        target_direction=request.target_direction,
        target_sd=rated.get(request.target_sd or ""),
        target_n=rated.get(request.target_n or ""),
        group=request.group,
        groups=_groups(request, held, table.rows),
        corpora=_category(request.corpus_column, held) if request.corpus_column else None,
        categories=tuple(_category(name, held) for name in request.categories),
        reference_metric=request.reference_metric,
    )


def _named(request: EvidenceRequest | None) -> list[str]:
    """The columns of names that the manifest's evidence declares; they are read as text."""
    if request is None:
        return []
    declared = (request.group, request.corpus_column, *request.categories)
    return list(dict.fromkeys(name for name in declared if name is not None))


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
    faults = [*_absent(request, features, numeric, appended)]
    about_label = {request.target, request.target_sd, request.target_n}
    offered = [name for name in numeric if name not in appended and name not in about_label]
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


def _absent(
    request: EvidenceRequest, features: FeatureTable, numeric: Sequence[str], appended: set[str]
) -> Iterator[str]:
    """The declared columns that the table lacks, or that hold no numbers where numbers are needed."""
    for key in ("target", "target_sd", "target_n", "reference_metric"):
        name = getattr(request, key)
        if key != "reference_metric" and name in appended:
            yield f"{key}: found {show(name)}, which the join appended; expected a column of the feature table"
        elif name is not None and name not in numeric:
            why = "; that column holds no numbers" if name in features.columns else ""
            yield f"{key}: found no numeric column named {show(name)}{why}"
    named = {
        "group": [request.group],
        "corpus_column": [request.corpus_column],
        "categories": request.categories,
    }
    for key, names in named.items():
        for name in names:
            if name is not None and name not in features.columns:
                yield f"{key}: found no column named {show(name)}"


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
    whole = {name: pa.chunked_array(held.pop(name), pa.string()).combine_chunks() for name in [*held]}
    pa.default_memory_pool().release_unused()  # the numbers are numpy's, and the parts of the texts are copied
    return columns, whole


def _groups(request: EvidenceRequest, held: dict[str, pa.Array], rows: int) -> Codes | None:
    """The content of each row; -1 for a row that names none."""
    if request.each_row_is_content:
        return np.arange(rows, dtype=np.int64)
    return None if request.group is None else _category(request.group, held).codes


def _category(column: str, held: dict[str, pa.Array]) -> Category:
    names = held[column]
    encoded = pc.if_else(pc.equal(names, ""), pa.scalar(None, pa.string()), names).dictionary_encode()
    codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Category(column, tuple(encoded.dictionary.to_pylist()), codes)


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
