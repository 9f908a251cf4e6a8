"""What each scorer covers of a feature table, and when that is too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import keys
from pipeline.declarations import ScorerDeclaration
from pipeline.entries import slug
from pipeline.errors import JoinError, listing, show
from pipeline.join import Match, Scorer, column_prefix
from pipeline.outcome import Coverage, LowMatch, explain

MAX_STATUSES = MAX_NOTES = 5
LOW_SHARE = 0.5
"""A scorer that matches less than this share of the rows is explained: keys of each side, a better rule."""


def coverage(found: Match, declared: Iterable[ScorerDeclaration] = ()) -> list[Coverage]:
    """What each scorer covers, in order of label, and whether its scores are what is declared of it."""
    by_slug = {slug(each.label): each for each in declared}
    return [
        {**_coverage(found, index), **_declared(scorer, by_slug.get(scorer.slug))}
        for index, scorer in enumerate(found.scorers)
    ]


def check(found: Match, covered: Sequence[Coverage]) -> None:
    """Refuse a join that would be silently wrong, or that the options forbid.

    :raises JoinError: a scorer matches no row of a table that has rows; covers less than `min_coverage`;
        or misses a row under `missing_policy` fail. Names every such scorer, its counts and the cure.
    """
    faults = [fault for each in covered if (fault := _fault(found, each)) is not None]
    if faults:
        raise JoinError(
            listing(f"{len(faults)} of {len(covered)} scorers do not cover the feature table", faults)
        )


def _coverage(found: Match, index: int) -> Coverage:
    scorer, positions = found.scorers[index], found.positions[index]
    matched = len(positions) - positions.null_count
    covered: Coverage = {
        "competitor": scorer.label,
        "column_prefix": column_prefix(scorer, found.options),
        "scores_loaded": len(scorer.keys),
        "matched_rows": matched,
        "missing_rows": positions.null_count,
        "bad_rows": scorer.bad.take(positions).true_count,
        "unused_scores": found.unused[index],
    }
    covered |= _of_files(scorer)
    if found.rows and matched < LOW_SHARE * found.rows:
        covered["low_match"] = _low_match(found, scorer, matched)
    return covered


def _of_files(scorer: Scorer) -> Coverage:
    """What should be known of the scorer's files: what was recognised, and why every row is bad, if it is."""
    known: Coverage = {}
    if notes := sorted({part.note for part in scorer.parts if part.note is not None}):
        known["notes"] = notes[:MAX_NOTES]
    if len(scorer.bad) and not scorer.bad.false_count:
        counts: Counter[str] = Counter()
        for part in {part.place: part for part in scorer.parts}.values():
            counts += part.bad_statuses()
        most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        known["bad_statuses"] = [{"status": status, "rows": rows} for status, rows in most[:MAX_STATUSES]]
    return known


def _declared(scorer: Scorer, declaration: ScorerDeclaration | None) -> Coverage:
    """What is declared of a scorer, and which of its `ok` scores are outside its scale."""
    if declaration is None:
        return {}
    told: Coverage = {}
    if declaration.direction is not None:
        told["direction"] = declaration.direction
    if declaration.revision is not None:
        told["revision"] = declaration.revision
    if declaration.scale is not None:
        low, high = declaration.scale
        outside = pc.or_(pc.less(scorer.score, low), pc.greater(scorer.score, high))
        outside = pc.and_not(pc.fill_null(outside, False), scorer.bad)
        where = pc.indices_nonzero(outside)
        shown = where.slice(0, keys.MAX_KEYS_SHOWN)
        told["scale"] = [low, high]
        told["outside_scale"] = {
            "scores": len(where),
            "examples": [
                {"key": key, "score": score}
                for key, score in zip(
                    scorer.keys.take(shown).to_pylist(), scorer.score.take(shown).to_pylist(), strict=True
                )
            ],
        }
    return told


def _low_match(found: Match, scorer: Scorer, matched: int) -> LowMatch:
    low: LowMatch = {
        "unmatched_feature_keys": keys.examples(found.keys, found.side.read(), scorer.keys),
        "unmatched_score_keys": keys.examples(
            scorer.keys,
            pa.chunked_array([part.side.read() for part in scorer.parts]).combine_chunks(),
            found.keys,
        ),
    }
    better = keys.better_normalize(
        found.side, [part.side for part in scorer.parts], found.options.key_normalize, matched
    )
    if better is not None:
        low["better_key_normalize"], low["better_matched_rows"] = better
    return low


def _fault(found: Match, covered: Coverage) -> str | None:
    options, rows, matched = found.options, found.rows, covered["matched_rows"]
    counts = (
        f"{show(covered['competitor'])}: {matched} of {rows} rows matched, {covered['missing_rows']} missing"
    )
    if rows and not matched:
        reason = "no row matched, so the keys of the two sides do not mean the same"
    elif rows and matched / rows < options.min_coverage:
        reason = f"expected a share of at least {options.min_coverage:g} (min_coverage)"
    elif covered["missing_rows"] and options.missing_policy == "fail":
        reason = (
            "expected a score for every row (missing_policy fail; mark keeps such rows, drop leaves them out)"
        )
    else:
        return None
    return "\n    ".join([f"{counts}; {reason}", *explain(covered)])
