"""A table matched in pieces, for keys and scores that do not fit in memory. The result is that of `matching.Matching`.

::

    scores ──spool──▶ Scorer ──▶ KeyIndex ─┐
    features ──▶ pieces of comparable keys ┴─ find ─▶ positions, in a file ──▶ Reuse ──▶ TableMatch
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ...errors import SidecarError
from ...manifest.declarations import slug
from ...manifest.options import JoinOptions, KeyNormalize
from ..columns import Scorer, ScorerMatch, TableMatch, check_slugs, raw_keys, sources
from ..coverage.sharing import Sharing
from ..keys import KeyRule, Side
from ..sidecars import duplicates
from ..sidecars.record import RECORD, Scores
from ..threads import ReadAhead
from .index import KeyIndex, Rows
from .reuse import Reuse
from .spool import Numbers, SpooledTable

PIECE_ROWS = 1 << 20
_UNDER = pa.schema([("key", pa.string()), ("raw", pa.string())])
Notify = Callable[[int], None]
"""Called with the number of rows that are matched so far."""


@dataclass(frozen=True)
class IndexedScorer:
    """A scorer whose records are in files, and the index of its keys."""

    scorer: Scorer
    index: KeyIndex


def indexed(parts: Sequence[Scores], folder: Path) -> list[IndexedScorer]:
    """The scorers of a table's sidecars, in order of label.

    :param parts: the scores of all sidecars, their records perhaps in files.
    :param folder: where the records of a scorer with many parts are put together.
    :raises JoinError: two scorers share a slug.
    :raises SidecarError: a scorer has two rows for one key.
    """
    by_label: dict[str, list[Scores]] = {}
    for each in parts:
        by_label.setdefault(each.label, []).append(each)
    check_slugs(by_label)
    return [_indexed(label, by_label[label], folder) for label in sorted(by_label)]


def _indexed(label: str, parts: Sequence[Scores], folder: Path) -> IndexedScorer:
    records = parts[0].records if len(parts) == 1 else _together(parts, folder)
    index = KeyIndex.of(records["key"])
    if len(repeated := index.repeated()):
        raise SidecarError(duplicates.message(label, parts, repeated))
    return IndexedScorer(Scorer(label, slug(label), tuple(parts), records, sources(parts)), index)


def _together(parts: Sequence[Scores], folder: Path) -> pa.RecordBatch:
    spooled = SpooledTable(folder, RECORD)
    for part in parts:
        spooled.add(part.records.columns)
    arrays = [column.chunk(0) for column in spooled.table().columns]
    return pa.RecordBatch.from_arrays(arrays, names=RECORD.names)


def match_in_pieces(
    side: Side,
    scorers: Sequence[IndexedScorer],
    options: JoinOptions,
    folder: Path,
    notify: Notify = lambda _rows: None,
    *,
    is_part: bool = False,
) -> TableMatch:
    """Find the rows' scores. Only a piece of the feature keys is in memory at a time.

    :param folder: where the positions are kept.
    :param is_part: whether it is a shard, whose table is judged later.
    """
    rule = KeyRule.of(options.key_normalize, side.name, side.regex)
    kept = [Numbers(folder, pa.int32()) for _ in scorers]
    rows = 0

    def found(piece: pa.Array) -> tuple[int, list[Rows]]:
        comparable = rule.apply(piece)
        return len(piece), [each.index.find(comparable) for each in scorers]

    with ReadAhead() as ahead:
        for length, positions in ahead.each(found, _grouped(side)):
            for column, some in zip(kept, positions, strict=True):
                column.add(pa.array(some, mask=some < 0))
            rows += length
            notify(rows)
    columns = [column.array(rows) for column in kept]
    judged = _of_part if is_part else functools.partial(_scorer_match, rule, side)
    matches = (judged(*each) for each in zip(scorers, columns, strict=True))
    return TableMatch(side, rows, tuple(matches), options, folder, is_part)


def _of_part(indexed: IndexedScorer, positions: pa.Array) -> ScorerMatch:
    reuse = Reuse.of(len(indexed.scorer.keys), map(_filled, _slices(positions)))
    return ScorerMatch(indexed.scorer, positions, reuse.used, case_rows=0, sharing=Sharing())


def rows_under(normalize: KeyNormalize, features: Side, scores: Sequence[Side], folder: Path) -> int:
    """As `counts.rows_under`: how many feature rows would match."""
    spooled = SpooledTable(folder, _UNDER)
    for each in scores:
        rule = KeyRule.of(normalize, each.name, each.regex)
        for raw in each.pieces():
            for start in range(0, len(raw), PIECE_ROWS):
                some = raw.slice(start, PIECE_ROWS)
                comparable = rule.apply(some)
                spooled.add([comparable.drop_null(), some.filter(comparable.is_valid())])
    keys, own = (column.chunk(0) for column in spooled.table().columns)
    index = KeyIndex.of(keys)
    if len(index.repeated()):
        return 0
    rule = KeyRule.of(normalize, features.name, features.regex)

    def pieces() -> Iterator[tuple[pa.Array, Rows]]:
        return ((piece, index.find(rule.apply(piece))) for piece in _grouped(features))

    found = [at for _, at in pieces()]
    reuse = Reuse.of(len(keys), found)
    if reuse.sharing(rule, pieces(), lambda: own).refused:
        return 0
    return sum(int((at >= 0).sum()) for at in found)


def _scorer_match(rule: KeyRule, side: Side, indexed: IndexedScorer, positions: pa.Array) -> ScorerMatch:
    scorer = indexed.scorer

    def pieces(applied: Callable[[pa.Array], pa.Array]) -> Iterator[tuple[pa.Array, Rows]]:
        start = 0
        for piece in _grouped(side):
            yield applied(piece), _filled(positions.slice(start, len(piece)))
            start += len(piece)

    reuse = Reuse.of(len(scorer.keys), map(_filled, _slices(positions)))
    return ScorerMatch(
        scorer,
        positions,
        used=reuse.used,
        case_rows=reuse.case_rows(scorer, pieces(rule.apply)) if positions.null_count else 0,
        sharing=reuse.sharing(rule, pieces(lambda keys: keys), lambda: raw_keys(scorer)),
    )


def _grouped(side: Side) -> Iterator[pa.Array]:
    """The feature keys as they came, in pieces of about `PIECE_ROWS`."""
    held: list[pa.Array] = []
    for piece in side.pieces():
        held.append(piece)
        if sum(map(len, held)) >= PIECE_ROWS:
            yield pa.concat_arrays(held)
            held = []
    if held:
        yield pa.concat_arrays(held)


def _slices(positions: pa.Array) -> Iterator[pa.Array]:
    return (positions.slice(start, PIECE_ROWS) for start in range(0, len(positions), PIECE_ROWS))


def _filled(positions: pa.Array) -> Rows:
    filled: Rows = positions.fill_null(np.int32(-1)).to_numpy(zero_copy_only=False)
    return filled
