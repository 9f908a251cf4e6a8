"""How many rows would match under other key rules, for messages and audits; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.join.keys import KeyRule, Side
from pipeline.join.sharing import find_sharing
from pipeline.manifest.options import KeyNormalize


def better_normalize(
    features: Side, scores: Sequence[Side], normalize: KeyNormalize, matched: int
) -> tuple[KeyNormalize, int] | None:
    """The `key_normalize` under which most feature rows match, and how many; one that a join refuses does not count.

    :param matched: the rows that match under `normalize`.
    :returns: None if no other beats that.
    """
    rows, score_keys = features.read(), pa.chunked_array([each.read() for each in scores], pa.string())
    best: tuple[KeyNormalize, int] | None = None
    for other in get_args(KeyNormalize):
        if other != normalize:
            count = _rows_under(other, features, rows, scores, score_keys.combine_chunks())
            if count > (matched if best is None else best[1]):
                best = (other, count)
    return best


def _rows_under(
    normalize: KeyNormalize, features: Side, rows: pa.Array, scores: Sequence[Side], score_keys: pa.Array
) -> int:
    """How many feature rows would match; 0 if two scores would have one key, or a score belongs to some rows only."""
    rule = KeyRule.of(normalize, features.name, features.regex)
    theirs = pa.chunked_array([each.under(normalize) for each in scores], pa.string()).combine_chunks()
    present = theirs.drop_null()
    if len(present.unique()) < len(present):
        return 0
    positions: pa.Array = pc.index_in(rule.apply(rows), theirs, skip_nulls=True)
    if find_sharing(rule, positions, lambda: rows, lambda: score_keys).refused:
        return 0
    return len(rows) - int(positions.null_count)


def rows_but_for_case(unmatched: pa.Array, spare: pa.Array) -> int:
    """How many unmatched feature rows have the key of a spare score but for letter case.

    :param unmatched: comparable keys of rows without a score (string), null where a row has no key.
    :param spare: comparable keys of scores that no row has (string).
    """
    if not len(unmatched) or not len(spare):
        return 0
    folded = pc.is_in(pc.utf8_lower(unmatched), pc.utf8_lower(spare), skip_nulls=True)
    return int(folded.true_count)
