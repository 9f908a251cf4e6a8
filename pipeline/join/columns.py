"""Feature keys + scores -> the appended columns and the coverage; no I/O.

::

    Scores  --find-->  SidecarMatch, of all sidecars  --match-->  TableMatch  --append-->  columns of some rows
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..errors import JoinError, SidecarError, listing, show
from ..manifest.declarations import slug
from ..manifest.options import JoinOptions
from . import keys
from .coverage.sharing import Sharing, find_sharing
from .keys import KeyRule, Side, Wanted, rows_but_for_case
from .sidecars import duplicates
from .sidecars.record import Scores

APPENDED = pa.schema(
    [
        ("score", pa.float64()),
        ("status", pa.string()),
        ("runtime_ms", pa.float64()),
        ("frames", pa.int64()),
        ("source", pa.string()),
    ]
)
"""The columns that a join appends per scorer, without the prefix of their names."""

_MAX_INT8 = 127

_STATUSES = ("ok", "bad", "missing")
"""Row statuses, indexed by `bad` (0 or 1); the last one is for rows without a score."""


@dataclass(frozen=True)
class Scorer:
    """All scores of one scorer, keys unique.

    Attributes:
        label: its name.
        slug: its name in column names.
        parts: the score records as the sidecars gave them.
        records: all of them (`RECORD`).
        source: int8 or int32 per record, which of `parts` it is from.
    """

    label: str
    slug: str
    parts: tuple[Scores, ...]
    records: pa.RecordBatch
    source: pa.Array

    @property
    def keys(self) -> pa.Array:
        """The comparable keys (string)."""
        return self.records["key"]


@dataclass(frozen=True)
class ScorerMatch:
    """The positions of the feature rows' scores among those of one scorer.

    Attributes:
        scorer: the scores.
        positions: int32, the row's position in the scorer's columns, null where missing.
        used: bool per key of the scorer, whether a row has it.
        case_rows: number of rows without a score whose key differs from an unused key only in letter case.
        sharing: how rows of different keys share scores.
    """

    scorer: Scorer
    positions: pa.Array
    used: NDArray[np.bool_]
    case_rows: int
    sharing: Sharing

    @property
    def unused(self) -> int:
        """Number of the scorer's keys that no row has."""
        return len(self.used) - int(self.used.sum())


@dataclass(frozen=True)
class TableMatch:
    """The positions of the feature rows' scores, for all scorers of a table.

    Attributes:
        side: the feature keys as they came.
        rows: rows of the feature table.
        by_scorer: per scorer, in order of label.
        options: the table's join options.
        spill: the folder for what does not fit in memory; None: it fits.
        is_part: whether it is a shard, whose table is judged later; what only that needs is left out.
    """

    side: Side
    rows: int
    by_scorer: tuple[ScorerMatch, ...]
    options: JoinOptions
    spill: Path | None = None
    is_part: bool = False

    @property
    def scorers(self) -> list[Scorer]:
        """The scorers in order of label."""
        return [each.scorer for each in self.by_scorer]

    @functools.cached_property
    def kept(self) -> pa.Array | None:
        """Bool per row: true if the joined table keeps it; None: it keeps all."""
        if self.options.missing_policy != "drop":
            return None
        kept = pa.array([True] * self.rows, pa.bool_())
        for each in self.by_scorer:
            kept = pc.and_(kept, each.positions.is_valid())
        return kept


@dataclass(frozen=True)
class SidecarMatch:
    """The scores of one scorer in one sidecar file, and the positions of the feature rows' scores among them.

    Attributes:
        scores: the scores.
        positions: int32, the row's position among them, null where it has none.
    """

    scores: Scores
    positions: pa.Array


def find(wanted: Wanted, scores: Scores) -> SidecarMatch:
    """Find each feature row's score.

    :param wanted: the comparable feature keys.
    """
    return SidecarMatch(scores, keys.find(wanted, scores.keys))


def match(side: Side, wanted: Wanted, sidecars: Iterable[SidecarMatch], options: JoinOptions) -> TableMatch:
    """Combine the sidecars' matches per scorer. Rows keep their order, and many rows may have the same key.

    :raises JoinError: two scorers share a slug.
    :raises SidecarError: a scorer has two rows for one key, or two whose keys meet only after normalisation.
    """
    by_label: dict[str, list[SidecarMatch]] = {}
    for each in sidecars:
        by_label.setdefault(each.scores.label, []).append(each)
    check_slugs(by_label)
    rule = KeyRule.of(options.key_normalize, side.name, side.regex)
    read_side = functools.cache(side.read)
    matches = (_scorer_match(rule, read_side, wanted, by_label[label]) for label in sorted(by_label))
    return TableMatch(side, len(wanted.keys), tuple(matches), options)


def _scorer_match(
    rule: KeyRule, read_side: Callable[[], pa.Array], wanted: Wanted, found: Sequence[SidecarMatch]
) -> ScorerMatch:
    scorer = _scorer(found[0].scores.label, [each.scores for each in found])
    # For a scorer with one sidecar the positions are already known.
    positions = found[0].positions if len(found) == 1 else keys.find(wanted, scorer.keys)
    used = np.zeros(len(scorer.keys), np.bool_)
    used[positions.drop_null().to_numpy()] = True
    spare = _spare_keys(scorer, used)
    return ScorerMatch(
        scorer,
        positions,
        used=used,
        case_rows=rows_but_for_case(wanted.keys.filter(positions.is_null()), spare),
        sharing=(
            find_sharing(rule, positions, read_side, lambda: raw_keys(scorer))
            if len(positions) - positions.null_count > used.sum()  # else no two rows have the same score
            else Sharing()
        ),
    )


def raw_keys(scorer: Scorer) -> pa.Array:
    """The scorer's keys as they came (string), read again."""
    return pa.chunked_array([part.side.read() for part in scorer.parts], pa.string()).combine_chunks()


def column_prefix(scorer: Scorer, options: JoinOptions) -> str:
    """The common start of the names of the scorer's columns."""
    return f"{options.prefix}_{scorer.slug}"


def appended_schema(scorers: Iterable[Scorer], options: JoinOptions) -> pa.Schema:
    """Names and types of the columns that the join appends, in order."""
    prefixes = [column_prefix(scorer, options) for scorer in scorers]
    return pa.schema([field.with_name(f"{prefix}_{field.name}") for prefix in prefixes for field in APPENDED])


def check_columns(
    columns: Sequence[str], appended: pa.Schema, options: JoinOptions, key_columns: Iterable[str]
) -> None:
    """:raises JoinError: the feature table already has a planned column, and `overwrite` is not set."""
    planned = set(appended.names)
    for name in key_columns:
        if name in planned:
            raise JoinError(f"column {show(name)} is the key and would be overwritten; set another prefix")
    taken = [show(name) for name in columns if name in planned]
    if taken and not options.overwrite:
        raise JoinError(
            listing(
                f"the feature table has {len(taken)} of the columns that the join appends; "
                "set overwrite to replace them, or another prefix",
                taken,
            )
        )


def append(found: TableMatch, start: int, length: int) -> pa.RecordBatch:
    """The appended columns of `length` rows from row `start` on, as `appended_schema` names them.

    Status and source are dictionaries: their few texts are not built for every row.
    """
    columns: list[pa.Array] = []
    for each in found.by_scorer:
        scorer, where = each.scorer, each.positions.slice(start, length)
        records = scorer.records
        columns += [
            records["score"].take(where),
            _texts(records["bad"].take(where).cast(pa.int32()), _STATUSES),
            records["runtime_ms"].take(where),
            pc.fill_null(records["frames"].take(where), 0).cast(pa.int64()),
            _texts(scorer.source.take(where).cast(pa.int32()), [*(part.source for part in scorer.parts), ""]),
        ]
    return pa.RecordBatch.from_arrays(columns, names=appended_schema(found.scorers, found.options).names)


def _texts(codes: pa.Array, texts: Sequence[str]) -> pa.Array:
    """The text of each code; null is the last text.

    No text is twice in the dictionary: Parquet's writer would fill the room of a second one with whatever is in memory.
    """
    codes, places = (
        pc.fill_null(codes, len(texts) - 1),
        {text: at for at, text in enumerate(dict.fromkeys(texts))},
    )
    if len(places) < len(texts):
        codes = pa.array([places[text] for text in texts], pa.int32()).take(codes)
    return pa.DictionaryArray.from_arrays(codes, pa.array([*places], pa.string()))


def check_slugs(labels: Iterable[str]) -> None:
    """:raises JoinError: two scorers share a slug, and so the names of their columns."""
    by_slug: dict[str, list[str]] = {}
    for label in sorted(labels):
        by_slug.setdefault(slug(label), []).append(label)
    clashes = [
        f"{' and '.join(show(label) for label in met)} would share the columns of {name}"
        for name, met in by_slug.items()
        if len(met) > 1
    ]
    if clashes:
        raise JoinError(listing("scorers of one table need names that differ in letters or digits", clashes))


def _scorer(label: str, parts: Sequence[Scores]) -> Scorer:
    records = pa.concat_batches([part.records for part in parts]) if len(parts) > 1 else parts[0].records
    return Scorer(label, slug(label), tuple(parts), records, sources(parts))


def sources(parts: Sequence[Scores]) -> pa.Array:
    """The part of each record, when the records of all parts are in order."""
    kind = pa.int8() if len(parts) <= _MAX_INT8 else pa.int32()
    return pa.concat_arrays(
        [pa.repeat(pa.scalar(code, kind), len(part.keys)) for code, part in enumerate(parts)]
    )


def _spare_keys(scorer: Scorer, used: NDArray[np.bool_]) -> pa.Array:
    """The scorer's keys that no feature row has (string).

    A repeated key is found in one of its positions only. So if every key is found, none is repeated. Otherwise only the
    keys that were not found are checked, which saves a hash table of all keys.

    :raises SidecarError: a key is repeated.
    """
    spare = scorer.keys.filter(pa.array(~used))
    if len(spare):
        again = pc.any(pc.is_in(scorer.keys.filter(pa.array(used)), spare)).as_py()
        if again or len(spare.unique()) < len(spare):
            raise SidecarError(duplicates.message(scorer.label, scorer.parts))
    return spare
