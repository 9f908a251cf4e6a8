"""What each scorer covers of a feature table, and when that is too little."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import JoinError, count, listing, show
from ...manifest.declarations import ScorerDeclaration, slug
from ...manifest.options import KeyNormalize
from ...records.materialized import Coverage, LowMatch, explain
from .. import keys
from ..columns import Scorer, ScorerMatch, TableMatch, column_prefix, raw_keys
from ..keys import KeyRule, Side
from ..large.pieces import rows_under
from .sharing import find_sharing

MAX_STATUSES = MAX_NOTES = 5
LOW_SHARE = 0.5
"""A scorer that matches less than this share of the rows is explained: keys of each side, a better rule."""


def coverage(found: TableMatch, declared: Iterable[ScorerDeclaration] = ()) -> list[Coverage]:
    """What each scorer covers, in order of label, with its declaration and the scores outside the declared scale."""
    if found.is_part:
        return [_counts(found, each) for each in found.by_scorer]
    by_slug = {slug(each.label): each for each in declared}
    return [
        {**_coverage(found, each), **_declared(each.scorer, by_slug.get(each.scorer.slug))}
        for each in found.by_scorer
    ]


def check(found: TableMatch, covered: Sequence[Coverage]) -> None:
    """Refuse a join that would be silently wrong, or that the options forbid.

    :raises JoinError: a score belongs only to some of the rows that it matches; or a scorer matches no row of a table
        with rows, covers less than `min_coverage`, or misses a row under `missing_policy` fail. The message names
        every such scorer, its counts and the cure.
    """
    refused = [_refused(found, each) for each in found.by_scorer if each.sharing.refused]
    if refused:
        raise JoinError("\n".join(["rows would get the scores of other clips", *refused]))
    faults = [fault for each in covered if (fault := _fault(found, each)) is not None]
    if faults:
        raise JoinError(
            listing(f"{len(faults)} of {len(covered)} scorers do not cover the feature table", faults)
        )


def _refused(found: TableMatch, match: ScorerMatch) -> str:
    """The scores of one scorer that belong to some of their rows only, and the rule that keeps the rows apart."""
    sharing, normalize = match.sharing, found.options.key_normalize
    parts = [part.side for part in match.scorer.parts]
    better = better_normalize(found.side, parts, normalize, 0, found.spill)
    cure = (
        "set key_column to a column whose keys differ per clip, or remove what does not matter with key_regex"
        if better is None
        else f"key_normalize {better[0]} would match {count(better[1], 'row')}"
    )
    headline = (
        f"{show(match.scorer.label)}: {count(sharing.refused, 'score')} would go to rows whose keys are the same only "
        f"by key_normalize {normalize}, though the score's own key is closer to some of them; {cure}"
    )
    shown = [
        f"score key {show(each.score_key)} is closer to {_listed(each.closer)} than to {_listed(each.others)}"
        for each in sharing.conflicts
    ]
    left_out = sharing.refused - len(shown)
    return listing(headline, shown) + (f"\n  ... and {left_out} more" if left_out else "")


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(map(show, keys))


def _coverage(found: TableMatch, match: ScorerMatch) -> Coverage:
    covered = _counts(found, match) | _of_files(match.scorer)
    if match.case_rows:
        covered["case_rows"] = match.case_rows
    if found.rows - match.positions.null_count < LOW_SHARE * found.rows:
        covered["low_match"] = _low_match(found, match)
    return covered


def _counts(found: TableMatch, match: ScorerMatch) -> Coverage:
    scorer, missing = match.scorer, match.positions.null_count
    bad = scorer.records["bad"].take(match.positions).true_count
    return {
        "competitor": scorer.label,
        "column_prefix": column_prefix(scorer, found.options),
        "scores_loaded": len(scorer.keys),
        "matched_rows": found.rows - missing - bad,
        "missing_rows": missing,
        "bad_rows": bad,
        "unused_scores": match.unused,
        "shared_rows": match.sharing.rows,
    }


def _of_files(scorer: Scorer) -> Coverage:
    """Notes on the scorer's files, and the statuses of its rows if all of them are bad."""
    known: Coverage = {}
    if notes := sorted({part.note for part in scorer.parts if part.note is not None}):
        known["notes"] = notes[:MAX_NOTES]
    if len(scorer.keys) and not scorer.records["bad"].false_count:
        counts: Counter[str] = Counter()
        for part in {part.location: part for part in scorer.parts}.values():
            counts += part.bad_statuses()
        most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        known["bad_statuses"] = [{"status": status, "rows": rows} for status, rows in most[:MAX_STATUSES]]
    return known


def _declared(scorer: Scorer, declaration: ScorerDeclaration | None) -> Coverage:
    """The declaration of a scorer, and its `ok` scores outside the declared scale."""
    if declaration is None:
        return {}
    known: Coverage = {}
    if declaration.direction is not None:
        known["direction"] = declaration.direction
    if declaration.revision is not None:
        known["revision"] = declaration.revision
    if declaration.scale is not None:
        low, high = declaration.scale
        score = scorer.records["score"]
        outside = pc.or_(pc.less(score, low), pc.greater(score, high))
        outside = pc.and_not(pc.fill_null(outside, False), scorer.records["bad"])
        where = pc.indices_nonzero(outside)
        shown = where.slice(0, keys.MAX_KEYS_SHOWN)
        known["scale"] = [low, high]
        known["outside_scale"] = {
            "scores": len(where),
            "examples": [
                {"key": key, "score": score}
                for key, score in zip(
                    scorer.keys.take(shown).to_pylist(), score.take(shown).to_pylist(), strict=True
                )
            ],
        }
    return known


def _low_match(found: TableMatch, match: ScorerMatch) -> LowMatch:
    scorer = match.scorer
    low: LowMatch = {
        "unmatched_feature_keys": keys.examples(found.side.pieces(), match.positions.is_null()),
        "unmatched_score_keys": keys.examples([raw_keys(scorer)], pa.array(~match.used)),
    }
    parts = [part.side for part in scorer.parts]
    matched = found.rows - match.positions.null_count
    better = better_normalize(found.side, parts, found.options.key_normalize, matched, found.spill)
    if better is not None:
        low["better_key_normalize"], low["better_matched_rows"] = better
    return low


def _fault(found: TableMatch, covered: Coverage) -> str | None:
    options, rows, missing = found.options, found.rows, covered["missing_rows"]
    with_row = rows - missing
    if rows and not with_row:
        reason = "no row matched, so the keys of the two sides do not mean the same"
    elif rows and with_row / rows < options.min_coverage:
        reason = f"expected a share of at least {options.min_coverage:g} (min_coverage)"
    elif missing and options.missing_policy == "fail":
        reason = (
            "expected a score for every row (missing_policy fail; mark keeps such rows, drop leaves them out)"
        )
    else:
        return None
    counts = f"{show(covered['competitor'])}: {with_row} of {rows} rows matched, {missing} missing"
    return "\n    ".join([f"{counts}; {reason}", *explain(covered)])


def better_normalize(
    features: Side, scores: Sequence[Side], normalize: KeyNormalize, matched: int, spill: Path | None = None
) -> tuple[KeyNormalize, int] | None:
    """The `key_normalize` under which most feature rows match, and how many do. A join that is refused counts as none.

    :param normalize: the present `key_normalize`.
    :param matched: the number of rows that match under it.
    :param spill: the folder for keys that do not fit in memory; None: they fit.
    :returns: None if no other one matches more rows.
    """
    counted = (
        _counting(features, scores)
        if spill is None
        else functools.partial(rows_under, features=features, scores=scores, folder=spill)
    )
    best: tuple[KeyNormalize, int] | None = None
    for other in get_args(KeyNormalize):
        if other != normalize:
            count = counted(other)
            if count > (matched if best is None else best[1]):
                best = (other, count)
    return best


def _counting(features: Side, scores: Sequence[Side]) -> Callable[[KeyNormalize], int]:
    """Counts the feature rows that would match under a `key_normalize`."""
    rows, score_keys = features.read(), pa.chunked_array([each.read() for each in scores], pa.string())
    read = score_keys.combine_chunks()
    return lambda normalize: _rows_under(normalize, features, rows, scores, read)


def _rows_under(
    normalize: KeyNormalize, features: Side, rows: pa.Array, scores: Sequence[Side], score_keys: pa.Array
) -> int:
    """How many feature rows would match; 0 if two scores had the same key, or a score belonged to some rows only."""
    rule = KeyRule.of(normalize, features.name, features.regex)
    theirs = pa.chunked_array([each.under(normalize) for each in scores], pa.string()).combine_chunks()
    present = theirs.drop_null()
    if len(present.unique()) < len(present):
        return 0
    positions: pa.Array = pc.index_in(rule.apply(rows), theirs, skip_nulls=True)
    if find_sharing(rule, positions, lambda: rows, lambda: score_keys).refused:
        return 0
    return len(rows) - int(positions.null_count)
